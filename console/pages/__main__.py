"""Write the generated pages into docs/."""

from pathlib import Path

from console.pages import PAGES

DOCS = Path(__file__).parents[2] / "docs"

for name, made in PAGES.items():
    (DOCS / name).write_text(made(), encoding="utf-8")
