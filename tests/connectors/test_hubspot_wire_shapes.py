"""HubSpot's texts become moments, days and money; its JSON becomes rows."""

import pytest

from connectors.hubspot.wire import shapes
from connectors.hubspot.wire.shapes import Unclear


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("2026-08-31T10:00:00Z", 1_788_170_400_000),
        ("2026-08-31T10:00:00.123Z", 1_788_170_400_123),
        ("1788170400123", 1_788_170_400_123),
        ("2026-08-31", 1_788_134_400_000),
        ("2026-08-31T12:00:00+02:00", 1_788_170_400_000),
    ],
)
def test_a_moment_is_read_from_all_its_spellings(text: str, at: int) -> None:
    assert shapes.millis(text, "closedate") == at


@pytest.mark.parametrize(
    ("text", "micros"),
    [
        ("1500.5", 1_500_500_000),
        ("0", 0),
        ("-3.000001", -3_000_001),
        ("0.40000000000000002220446049250313080847263336181640625", 400_000),
        ("9007199254740.993251", 9_007_199_254_740_993_251),
        ("", None),
        (None, None),
    ],
)
def test_money_is_exact(text: str | None, micros: int | None) -> None:
    assert shapes.money({"amount": text}, "amount") == micros


@pytest.mark.parametrize("text", ["ten", "NaN", "Infinity", "1.000,50", "1e999999999", "99999999999999"])
def test_nonsense_is_no_money(text: str) -> None:
    with pytest.raises(Unclear, match=r"^amount is not a number"):
        shapes.money({"amount": text}, "amount")


@pytest.mark.parametrize(
    ("text", "zone"),
    [
        ("America/New_York", "America/New_York"),
        ("us_slash_eastern", "US/Eastern"),
        ("europe_slash_madrid", "Europe/Madrid"),
        ("Mars/Olympus", None),
        (None, None),
    ],
)
def test_a_time_zone_is_one_that_exists(text: str | None, zone: str | None) -> None:
    assert shapes.time_zone(text) == zone


def test_one_misshapen_record_does_not_spoil_its_page() -> None:
    page = shapes.rows(
        b'{"results":[{"id":"1","properties":{"amount":"5"}},{"id":"2","properties":{"amount":5}}],"total":2}'
    )
    assert [row.id for row in page.results] == ["1"]
    assert [bad.id for bad in page.bad] == ["2"]
    assert page.total == 2


def test_a_page_without_paging_is_the_last() -> None:
    assert shapes.rows(b'{"results":[]}').after is None
    assert shapes.rows(b'{"results":[],"paging":{"next":{"after":"NTI","link":"?"}}}').after == "NTI"


def test_association_ends_may_be_numbers_or_texts() -> None:
    found = shapes.associations(
        b'{"results":[{"from":{"id":"7"},"to":[{"toObjectId":442222359747},{"toObjectId":"8"}]}],"numErrors":0}'
    )
    assert [str(end.to_object_id) for end in found.results[0].to] == ["442222359747", "8"]
