"""What all generated pages share: the mark at the top, parts apart from each other, tables."""

from collections.abc import Iterable

from console.i18n import Language

MADE = "<!-- Made by `python -m console.pages`; edit the source, not this page. -->"
OTHER_LANGUAGE: dict[Language, str] = {"en": "[En español]({name}.es.md)", "es": "[In English]({name}.md)"}


def page(*parts: str) -> str:
    """A page of parts, each apart from the next."""
    return "\n\n".join((MADE, *parts)) + "\n"


def table(columns: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A Markdown table; a bar inside a cell is kept from ending it."""
    head = list(columns)
    lines = [head, ["---"] * len(head), *([cell.replace("|", "\\|") for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
