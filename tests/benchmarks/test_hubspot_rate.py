"""The benchmark of the request rate reads everything, is never refused, and prints both."""

import pytest

from benchmarks.hubspot_rate import Counted, main, sizes_of


def test_a_small_load_and_a_sync_after_an_edit_read_everything_and_are_never_refused(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Twenty of each of three kinds; each contact is a person and a lead, and there is one rep."""
    main(["--sizes", '{"calls": 20, "contacts": 20, "deals": 20}', "--latency", "0.01", "--tier", "enterprise"])
    said = capsys.readouterr().out.splitlines()
    assert said[0] == "enterprise, 10 ms to every answer, 20 each of calls, contacts, deals:"
    assert said[1].startswith("  first load: 121 rows in ")  # with who a call and a deal is with, and the rep
    assert said[2].startswith("  everything edited: ")
    assert all(line.endswith("; answered 429: 0") for line in said[1:3])


def test_the_share_leaves_out_the_first_window_and_the_begun_one() -> None:
    """A hundred at once, 46 in the second ten seconds, one after twenty-one."""
    moments = (*(0.0 for _ in range(100)), *(10.0 + number / 5 for number in range(46)), 21.0)
    counted = Counted(100, 10.0, moments, 0)
    assert counted.busiest == 100
    assert counted.share == pytest.approx(0.46)
    assert counted.share_of_all == pytest.approx(1.47 / 2.1)


def test_what_was_over_within_two_windows_has_no_share() -> None:
    assert Counted(100, 10.0, (0.0, 19.0), 0).share is None


def test_a_thousand_calls_are_ten_pages_and_two_batches_of_associations() -> None:
    assert sizes_of(("calls",), 120) == {"calls": 10_000}
    assert sizes_of(("contacts", "deals"), 210) == {"contacts": 10_000, "deals": 10_000}
