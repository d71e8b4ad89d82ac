"""KPI records that have had their time."""

from datetime import date

from connectors.contract import FieldValue
from kpi_engine.periods import to_day
from kpi_engine.records import Day
from sync.plan import Confirmed, canonical
from sync.retired import retired

TODAY = to_day(date(2026, 11, 25))


def shown(*records: tuple[str, str, str, str]) -> list[tuple[str, Confirmed]]:
    """KPI, grain, first and last day of records that the CRM shows; the key is `kpi/first day`."""
    found = []
    for kpi, grain, first, last in records:
        fields: dict[str, FieldValue] = {
            "kpi": kpi,
            "grain": grain,
            "period_start": first,
            "period_end": last,
            "value": 1,
        }
        found.append((f"{kpi}/{first}", Confirmed(canonical(fields), 0)))
    return found


NOVEMBER = ("calls_made", "month", "2026-11-01", "2026-11-30")
OCTOBER = ("calls_made", "month", "2026-10-01", "2026-10-31")
OLD = ("calls_made", "month", "2024-10-01", "2024-10-31")
WRITTEN = {("calls_made", "month")}


def keys(
    confirmed: list[tuple[str, Confirmed]], written: set[tuple[FieldValue, FieldValue]], since: Day | None
) -> list[str]:
    return [one.key for one in retired(confirmed, written, TODAY, since)]


def test_what_is_written_stays() -> None:
    assert keys(shown(NOVEMBER, OCTOBER, OLD), WRITTEN, None) == []


def test_a_kpi_that_was_switched_off_loses_its_record_of_what_still_goes_on() -> None:
    assert keys(shown(NOVEMBER, OCTOBER), {("revenue", "month")}, None) == ["calls_made/2026-11-01"]


def test_so_does_a_grain_that_was_switched_off() -> None:
    assert keys(shown(NOVEMBER, OCTOBER), {("calls_made", "week")}, None) == ["calls_made/2026-11-01"]


def test_what_is_older_than_the_settings_keep_goes() -> None:
    assert keys(shown(NOVEMBER, OCTOBER, OLD), WRITTEN, to_day(date(2024, 11, 1))) == ["calls_made/2024-10-01"]


def test_a_removal_asks_for_what_was_there() -> None:
    (gone,) = retired(shown(NOVEMBER), set(), TODAY, None)
    assert gone.gone
    assert gone.fields["value"] == 1
