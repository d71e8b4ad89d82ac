"""docs/custom-kpis.md: how a company declares KPIs of its own, and of what they can be made."""

from collections.abc import Iterator

from console.i18n import Language
from console.pages.markdown import OTHER_LANGUAGE, page, table
from kpi_engine.declaring import Part, Text
from kpi_engine.own import PARTS, columns_of
from kpi_engine.populations import NAMES
from kpi_engine.wording import part_text

HEAD = Text(
    """# KPIs of your own

A KPI of your own is in `kpisync kpis`, `values`, `explain` and every export like ours; named in `[kpis] track` it gets
its fields and records in the CRM as well: run `kpisync provision` once after adding it. If its definition changes, the
next plan writes the values that became others. A KPI that cannot be evaluated is refused before anything is done
(`KPI-CFG-004`), with its place and the reason.

## In kpisync.toml

```toml
[kpis]
track = ["calls_made", "long_call_share"]

[[kpis.custom]]
key = "long_call_share"
label = { en = "Long calls", es = "Llamadas largas" }
sentence = "Share of the answered calls that took ten minutes or more."
unit = "ratio"                          # count | ratio | money | minutes | days | score
numerator = { part = "calls_answered", where = "duration_ms >= 600000" }
denominator = "calls_answered"
```

- `numerator` and `denominator` name a part (below), or a population: `{ of = "calls" }` counts its records,
  `{ of = "calls", sum = "duration_ms" }` adds up a column. Without a denominator the value is a count or a sum.
- `where` narrows one of them, `filter` both: `filter = 'amount >= 10000 and channel = "Web"'`.
- A condition compares columns with numbers, texts, `true` and `false` by `=`, `!=`, `<`, `<=`, `>`, `>=`, `in ("a",
  "b")`, `contains`, `starts with`, `is blank`, and joins comparisons by `and`, `or`, `not` and parentheses. A record of
  which it cannot be told, because the column is blank, does not count.
- `direction` is `more` (the default), `less` or `neither`. `share_of_cases = true` gives a share its 95 % interval and
  the mark for small samples.
- Moments are milliseconds since 1970 in UTC, days are days since 1970, durations milliseconds, money is in the home
  currency.

## In a Python file

`[kpis] file = "our_kpis.py"` names a file in the workspace. It declares with the words of our own catalogue and calls
the result `KPIS`. It is run as a program: let only admins write it.

```python
from kpi_engine.catalog import REVENUE
from kpi_engine.declaring import Kpi, Text, Unit, col, total

KPIS = (
    Kpi(
        key="large_revenue_won",
        family=REVENUE,
        label=Text("Large revenue", "Ingresos grandes"),
        unit=Unit.MONEY,
        sentence=Text("Amount of deals won of 1,000 or more.", "Importe de los negocios ganados de 1.000 o más."),
        numerator=total("large_won", "revenue", col("amount"), "money", where=col("amount") >= 1000),
        needs=("deals",),
    ),
)
```""",
    """# KPI propios

Un KPI propio aparece en `kpisync kpis`, `values`, `explain` y en toda exportación igual que los nuestros; si
`[kpis] track` lo nombra, tiene también sus campos y registros en el CRM: ejecute `kpisync provision` una vez tras
añadirlo. Si cambia su definición, el siguiente plan escribe los valores que han cambiado. Un KPI que no se puede
evaluar se rechaza antes de hacer nada (`KPI-CFG-004`), con su lugar y el motivo.

## En kpisync.toml

```toml
[kpis]
track = ["calls_made", "long_call_share"]

[[kpis.custom]]
key = "long_call_share"
label = { en = "Long calls", es = "Llamadas largas" }
sentence = { en = "Share of the answered calls that took ten minutes or more.", es = "Llamadas de diez minutos o más." }
unit = "ratio"                          # count | ratio | money | minutes | days | score
numerator = { part = "calls_answered", where = "duration_ms >= 600000" }
denominator = "calls_answered"
```

- `numerator` y `denominator` nombran un componente (abajo) o una población: `{ of = "calls" }` cuenta sus registros,
  `{ of = "calls", sum = "duration_ms" }` suma una columna. Sin denominador, el valor es un recuento o una suma.
- `where` limita uno de ellos; `filter`, ambos: `filter = 'amount >= 10000 and channel = "Web"'`.
- Una condición compara columnas con números, textos, `true` y `false` mediante `=`, `!=`, `<`, `<=`, `>`, `>=`,
  `in ("a", "b")`, `contains`, `starts with`, `is blank`, y une comparaciones con `and`, `or`, `not` y paréntesis. Un
  registro del que no se puede saber, porque la columna está en blanco, no cuenta.
- `direction` es `more` (por omisión), `less` o `neither`. `share_of_cases = true` da a una proporción su intervalo del
  95 % y la señal de muestra pequeña.
- Los momentos son milisegundos desde 1970 en UTC, los días son días desde 1970, las duraciones milisegundos y el dinero
  está en la moneda de la empresa.

## En un archivo de Python

`[kpis] file = "our_kpis.py"` nombra un archivo del espacio de trabajo. Declara con las palabras de nuestro catálogo y
llama `KPIS` al resultado. Se ejecuta como programa: deje que solo lo escriban los administradores.

```python
from kpi_engine.catalog import REVENUE
from kpi_engine.declaring import Kpi, Text, Unit, col, total

KPIS = (
    Kpi(
        key="large_revenue_won",
        family=REVENUE,
        label=Text("Large revenue", "Ingresos grandes"),
        unit=Unit.MONEY,
        sentence=Text("Amount of deals won of 1,000 or more.", "Importe de los negocios ganados de 1.000 o más."),
        numerator=total("large_won", "revenue", col("amount"), "money", where=col("amount") >= 1000),
        needs=("deals",),
    ),
)
```""",
)
OF_PARTS = Text("## Parts", "## Componentes")
OF_POPULATIONS = Text("## Populations and their columns", "## Poblaciones y sus columnas")
PART_COLUMNS: dict[Language, tuple[str, ...]] = {
    "en": ("part", "what it is", "of"),
    "es": ("componente", "qué es", "de"),
}
POPULATION_COLUMNS: dict[Language, tuple[str, ...]] = {
    "en": ("population", "columns"),
    "es": ("población", "columnas"),
}


def own_kpis_page(language: Language) -> str:
    """The page in one language."""
    return page(
        OTHER_LANGUAGE[language].format(name="custom-kpis"),
        HEAD.said(language),
        OF_PARTS.said(language),
        table(PART_COLUMNS[language], (_part(part, language) for _, part in sorted(PARTS.items()))),
        OF_POPULATIONS.said(language),
        table(POPULATION_COLUMNS[language], _populations()),
    )


def _part(part: Part, language: Language) -> tuple[str, ...]:
    return f"`{part.name}`", part_text(part.name).said(language), f"`{part.of}`"


def _populations() -> Iterator[tuple[str, ...]]:
    for name in NAMES:
        yield f"`{name}`", ", ".join(f"`{column}`" for column in sorted(columns_of(name)))
