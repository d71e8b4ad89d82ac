"""The memory benchmark pulls what it says, by the way it says, and memory does not follow the number of records."""

from benchmarks.salesforce_memory import measure


def test_three_times_the_records_by_bulk_take_no_more_memory_than_by_rest_give_or_take_a_tenth():
    by_rest, by_bulk = measure(20_000, by_bulk=False), measure(60_000, by_bulk=True)
    assert (by_rest.records, by_bulk.records) == (20_000, 60_000)
    assert by_bulk.calls < 60_000 / 2_000 + by_rest.calls - 20_000 / 2_000  # fewer than pages: it went by Bulk
    assert by_rest.megabytes < 157  # 150 MiB; modules that a pull has no use for would show here
    assert by_bulk.megabytes < 1.1 * by_rest.megabytes
