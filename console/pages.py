"""The pages of the documentation that list things, made from the things: `python -m console.pages` writes them again.

A test compares them with what is in the repository.
"""

from pathlib import Path

from kpi_engine.catalog import CATALOG, Direction, Family, Kpi, Unit

DOCS = Path(__file__).parent.parent / "docs"
MADE = "<!-- Made by `python -m console.pages`; edit the source, not this page. -->"

BETTER = {Direction.MORE: "more", Direction.LESS: "less", Direction.NEITHER: "–"}
DEFAULT = "★ marks the eight headline KPIs, one for each family, that are tracked unless `kpisync.toml` says otherwise."


def kpis_page() -> str:
    """docs/kpis.md: every KPI with its sentence and formula."""
    families: dict[Family, list[Kpi]] = {}
    for kpi in CATALOG:
        families.setdefault(kpi.family, []).append(kpi)
    parts = [MADE, "# The KPIs", "A value is its numerator divided by its denominator. " + DEFAULT]
    for family, kpis in families.items():
        parts.append(f"## {family.number} · {family.name.en}")
        parts.append(
            "\n".join(
                [
                    "| key | what it says | unit | better | given by |",
                    "| --- | --- | --- | --- | --- |",
                    *map(_row, kpis),
                ]
            )
        )
    return "\n\n".join(parts) + "\n"


def _row(kpi: Kpi) -> str:
    star = " ★" if kpi.headline else ""
    given = ", ".join(("rep", *kpi.dimensions))
    unit = "ratio" if kpi.unit is Unit.RATIO else kpi.unit.value
    return f"| `{kpi.key}`{star} | **{kpi.label.en}.** {kpi.sentence.en} | {unit} | {BETTER[kpi.direction]} | {given} |"


def commands_page() -> str:
    """docs/commands.md: the help of every command, as the program prints it."""
    from console.cli import helps  # the program is built only when its page is wanted

    parts = [MADE, "# The commands", "Every option of every command, as `kpisync COMMAND --help` prints it."]
    for name, text in helps():
        parts.append(f"## {name}\n\n```text\n{text.rstrip()}\n```")
    return "\n\n".join(parts) + "\n"


PAGES = {"kpis.md": kpis_page, "commands.md": commands_page}


def main() -> None:
    """Write the pages."""
    for name, page in PAGES.items():
        (DOCS / name).write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
