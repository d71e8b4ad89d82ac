"""Which version of HubSpot's API is asked for what, until when, and that the numbers are the same by old paths."""

from datetime import date
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest
from hubspot_world import Desk, ago, desk, small_world

from connectors.contract import ApiVersion, Change, KpiField, Refused, Surface, Written
from connectors.errors import NotAllowed
from connectors.hubspot import HubSpotSettings
from connectors.hubspot.paths import Paths, unsupported_from
from connectors.hubspot.settings import checked
from crm_sandbox.world import ExchangeRate, Sale, World
from kpi_engine.records import KINDS, Company, Day, Millis
from sync.cache import Cache
from sync.ledger import Ledger
from sync.run import Job, Options, run

AS_OF = Millis(int(ago().timestamp() * 1000))


@pytest.mark.parametrize(
    ("version", "ends"),
    [
        ("2026-09", date(2028, 3, 31)),
        ("2026-03", date(2027, 9, 30)),
        ("2027-03", date(2028, 9, 30)),
        ("v4", date(2027, 3, 30)),
        ("v3", date(2027, 9, 1)),
        ("v1", date(2027, 9, 1)),
    ],
)
def test_a_version_is_supported_for_eighteen_months_and_the_legacy_ones_until_their_day(
    version: str, ends: date
) -> None:
    assert unsupported_from(version) == ends


def test_the_calendar_names_every_version_in_use_and_what_for_the_first_to_end_at_the_top() -> None:
    calendar = [(used.version, used.families) for used in Paths().calendar()]
    assert calendar == [
        ("v1", ("submissions",)),
        ("v3", ("forms",)),
        (
            "2026-09",
            (
                "records",
                "writing",
                "associations",
                "properties",
                "pipelines",
                "owners",
                "schemas",
                "account",
                "currencies",
                "campaigns",
                "events",
                "deal_splits",
            ),
        ),
    ]


def test_with_legacy_paths_the_associations_end_first_and_splits_have_no_legacy_path() -> None:
    calendar = {used.version: used.families for used in Paths("v3").calendar()}
    assert list(calendar) == ["v4", "v1", "v3", "2026-09"]
    assert (calendar["v4"], calendar["2026-09"]) == (("associations",), ("deal_splits",))


def test_a_family_may_have_another_version_than_the_rest() -> None:
    paths = Paths("2026-09", {"writing": "2026-03", "forms": "2026-09-beta", "owners": "v3"})
    assert paths.records("deals") == "/crm/objects/2026-09/deals"
    assert paths.writing("deals") == "/crm/objects/2026-03/deals"
    assert paths.forms == "/marketing/forms/2026-09-beta"
    assert paths.owners == "/crm/v3/owners"
    assert paths.chosen == "2026-09 forms=2026-09-beta owners=v3 writing=2026-03"


def test_writing_goes_where_reading_goes_unless_the_settings_choose_otherwise() -> None:
    assert Paths("v3").writing("deals") == Paths("v3").records("deals") == "/crm/v3/objects/deals"
    assert Paths("2026-09", {"records": "2026-03"}).writing("deals") == "/crm/objects/2026-03/deals"


@pytest.mark.parametrize(
    ("family", "version", "advice"),
    [
        ("writting", "2026-03", "Did you mean 'writing'?"),
        ("cards", "2026-03", "Did you mean 'records'?"),
        ("zzz", "2026-03", "Known are records, writing"),
        ("records", "2026-04", 'It takes a dated version such as "2026-09" or "v3".'),
        ("deal_splits", "v3", 'It takes a dated version such as "2026-09".'),
        ("submissions", "2026-09", 'It takes "v3".'),
    ],
)
def test_a_family_or_version_that_does_not_exist_is_refused_before_anything_is_sent(
    family: str, version: str, advice: str
) -> None:
    with pytest.raises(NotAllowed) as caught:
        checked(HubSpotSettings(api_versions={family: version}))
    assert caught.value.code == "KPI-HS-002"
    assert caught.value.advice.startswith(advice)


def test_capabilities_tell_until_when_each_version_lasts() -> None:
    with desk() as opened:
        versions = opened.hubspot.capabilities().api_versions
        assert versions[0] == ApiVersion("v1", date(2027, 9, 1), ("submissions",))
        assert versions[-1].ends == date(2028, 3, 31)


def test_forms_can_be_read_by_their_dated_path() -> None:
    with desk(settings={"api_versions": {"forms": "2026-09-beta"}}) as dated, desk() as legacy:
        assert [page.rows for page in dated.read("forms")] == [page.rows for page in legacy.read("forms")]
        assert "/marketing/forms/2026-09-beta" in {path for _, path, _ in dated.calls()}


def test_the_stricter_rules_of_2026_09_can_be_left_for_later_for_writing_alone() -> None:
    score = {"score": 1.0, "level": "engaged"}
    chosen: list[tuple[dict[str, object], type]] = [
        ({}, Refused),
        ({"api_versions": {"writing": "2026-03"}}, Written),
        ({"api_versions": {"writing": "v3"}}, Written),
    ]
    for settings, kind in chosen:
        with desk(settings=settings) as opened:
            list(opened.hubspot.provision([]))
            lea = opened.id_of("prospect", "lea")
            opened.portal.desk.change({"required": {"0-1": ["jobtitle"]}})
            change = Change(surface=Surface.LEAD_SCORES, key=lea, rep=None, before={}, after=score)
            (outcome,) = opened.hubspot.push([change])
            assert type(outcome) is kind
            assert opened.read("deals")
            assert any(path.startswith("/crm/objects/2026-09/deals") for _, path, _ in opened.calls())


def split_world() -> World:
    """The small company with a split deal and a foreign currency."""
    halves = (("ana", Decimal(60)), ("ben", Decimal(40)))
    deal = Sale(
        "usd",
        "Dollars",
        ((ago(days=9), "ana"),),
        ago(days=9),
        "won",
        date(2026, 11, 16),
        closed_at=ago(days=4),
        amount=Decimal("108.50"),
        currency="USD",
        people=("lea",),
        splits=halves,
    )
    usual = small_world()
    rate = ExchangeRate("USD", date(2026, 1, 1), Decimal("1.0850"))
    return small_world(sales=(*usual.sales, deal), rates=(rate,))


def round_trip(opened: Desk, folder: Path) -> tuple[dict[str, pl.DataFrame], str, int]:
    """One run with everything written back: what the cache holds, what the portal shows, how much was written."""
    list(opened.hubspot.provision([KpiField(key, key, "count", 0) for key in ("calls_made", "deals_won")]))
    url = f"sqlite:///{folder}"
    cache, ledger = Cache.open(url, "acme"), Ledger.open(url, "acme")
    since = Day(AS_OF // 86_400_000 - 60)
    options = Options(track=("calls_made", "deals_won"), write_grains=("month",), since=since)
    job = Job(name="acme", connector=opened.hubspot, company=Company(connection="acme"), options=options)
    report = run(job, cache, ledger, now=AS_OF, as_of=AS_OF)
    held = {kind: table.drop("modified").sort("id").collect() for kind, table in cache.tables().items()}
    return held, opened.portal.fingerprint(), report.written


def test_a_round_trip_by_legacy_paths_reads_and_writes_what_one_by_dated_paths_does(tmp_path: Path) -> None:
    with desk(split_world()) as dated:
        held, shown, written = round_trip(dated, tmp_path / "dated.db")
    with desk(split_world(), settings={"api_version": "v3"}) as legacy:
        old_held, old_shown, old_written = round_trip(legacy, tmp_path / "legacy.db")
        dated_paths = {path for _, path, _ in legacy.calls() if "2026-09" in path}
    assert written == old_written
    assert written > 10
    assert shown == old_shown
    for kind in KINDS:
        assert held[kind].equals(old_held[kind]), kind
    assert held["split"].height == 2
    assert dated_paths == {"/deal-splits/2026-09/batch/read"}
