"""Plays the demo and keeps what it shows as docs/demo.svg, the README's picture: `python -m console.picture`."""

import io
import re
from html import escape, unescape
from pathlib import Path

from rich._export_format import CONSOLE_SVG_FORMAT
from rich.console import Console
from rich.terminal_theme import TerminalTheme

from console.cli import program
from console.session import Session

PICTURE = Path(__file__).parent.parent / "docs" / "demo.svg"
WIDTH = 154
LETTER = 12.2
"""How wide rich draws a letter."""

TEXT = re.compile(r'(<text class="demo-r[^>]*?)x="([\d.]+)"([^>]*?)textLength="[\d.]+"([^>]*)>([^<]*)</text>')
FONT = "ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace"

DARK = TerminalTheme(
    (22, 27, 34),
    (220, 226, 233),
    [
        (110, 118, 129),
        (255, 123, 114),
        (86, 211, 100),
        (227, 179, 65),
        (121, 192, 255),
        (210, 168, 255),
        (86, 212, 221),
        (220, 226, 233),
    ],
)


def drawn(console: Console) -> str:
    """What the console showed, as a picture that loads nothing from elsewhere: rich's own names a font on the web.

    Not every viewer keeps blanks at the beginning of a text, so texts begin where their first letter is.
    """
    without_fonts = re.sub(r"@font-face \{\{.*?\}\}", "", CONSOLE_SVG_FORMAT, flags=re.DOTALL)
    plain = without_fonts.replace("Fira Code, monospace", FONT).replace("font-family: arial", f"font-family: {FONT}")
    picture = console.export_svg(title="kpisync demo", theme=DARK, code_format=plain, unique_id="demo")
    return TEXT.sub(_from_its_first_letter, picture)


def _from_its_first_letter(text: re.Match[str]) -> str:
    head, x, between, rest, escaped = text.groups()
    letters = unescape(escaped).rstrip()
    shown = letters.lstrip()
    if not shown:
        return ""
    start, width = float(x) + (len(letters) - len(shown)) * LETTER, len(shown) * LETTER
    return f'{head}x="{start:g}"{between}textLength="{width:g}"{rest}>{escape(shown)}</text>'


def main() -> None:
    """Play the demo and write the picture."""
    console = Console(
        record=True,
        width=WIDTH,
        file=io.StringIO(),
        force_terminal=True,
        color_system="truecolor",
        legacy_windows=False,
    )
    session = Session(folder=Path(), show_progress=False, out=console, err=console)
    console.print("$ kpisync demo", style="bold", highlight=False)
    program(session.say).main(args=["demo"], prog_name="kpisync", obj=session, standalone_mode=False)
    PICTURE.write_text(drawn(console), encoding="utf-8")


if __name__ == "__main__":
    main()
