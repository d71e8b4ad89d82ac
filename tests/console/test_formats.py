"""A number looks as its unit and its reader's language ask for."""

import pytest

from console.formats import shown, shown_share
from console.i18n import Language
from kpi_engine.catalog import BY_KEY


@pytest.mark.parametrize(
    ("kpi", "value", "language", "text"),
    [
        ("calls_made", 1234.0, "en", "1,234"),
        ("calls_made", 1234.0, "es", "1.234"),
        ("revenue", 1234567.5, "en", "1,234,567.50"),
        ("revenue", 1234567.5, "es", "1.234.567,50"),
        ("win_rate", 0.7222, "en", "72.22 %"),
        ("win_rate", 0.7222, "es", "72,22 %"),
        ("touchpoints_per_won_deal", 6.333, "en", "6.33"),
        ("revenue", 0.0, "en", "0.00"),
        ("revenue", None, "es", "–"),
    ],
)
def test_a_value_is_shown_by_unit_and_language(kpi: str, value: float | None, language: Language, text: str) -> None:
    assert shown(value, BY_KEY[kpi], language) == text


def test_an_attainment_is_shown_in_whole_percent() -> None:
    assert shown_share(27.54, "en") == "2,754 %"
    assert shown_share(27.54, "es") == "2.754 %"
    assert shown_share(None, "en") == "–"
