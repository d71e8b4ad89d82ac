"""The memory benchmark pulls what it says, and a pull from HubSpot stays small."""

from benchmarks.hubspot_memory import measure


def test_a_pull_of_six_thousand_records_takes_them_all_and_less_than_150_megabytes() -> None:
    peak = measure(6_000)
    assert peak.records == 6_000
    assert peak.calls >= 60  # pages of a hundred
    assert peak.megabytes < 150
