"""KPI records that have had their time: of a KPI or a grain that was switched off, and older than the settings keep.

What is over stays as history when a KPI is switched off; its record of a period that still goes on would stand still
and be taken for a number of today.
"""

from collections.abc import Iterable, Iterator, Set
from datetime import date

from connectors.contract import FieldValue, Surface
from kpi_engine.periods import to_day
from kpi_engine.records import Day
from sync.plan import Confirmed, Desired, Fields


def retired(
    shown: Iterable[tuple[str, Confirmed]],
    written: Set[tuple[FieldValue, FieldValue]],
    today: Day,
    kept_since: Day | None,
) -> Iterator[Desired]:
    """Of the records that are `shown` and that nothing asks for any more those to be removed.

    `written` are the KPIs and grains that the CRM is to show.
    """
    for key, known in shown:
        if _has_had_its_time(known.fields, written, today, kept_since):
            rep = str(known.fields.get("rep") or "") or None
            yield Desired(surface=Surface.KPI_RECORDS, key=key, rep=rep, fields=known.fields, gone=True)


def _has_had_its_time(
    fields: Fields, written: Set[tuple[FieldValue, FieldValue]], today: Day, kept_since: Day | None
) -> bool:
    starts, ends = (to_day(date.fromisoformat(str(fields[name]))) for name in ("period_start", "period_end"))
    is_off = (fields.get("kpi"), fields.get("grain")) not in written
    return (is_off and ends >= today) or (kept_since is not None and starts < kept_since)
