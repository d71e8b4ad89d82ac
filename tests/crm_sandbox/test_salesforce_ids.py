"""Record ids: the three letters at their end, and the forms in which clients send them."""

from crm_sandbox.salesforce import canonical, record_id


def test_the_suffix_tells_which_letters_are_capitals():
    # groups 0Afxx 00000 000lW: capitals at place 1 (2 = C), none (A), place 4 (16 = Q)
    assert canonical("0Afxx00000000lW") == "0Afxx00000000lWCAQ"


def test_eighteen_characters_may_come_in_any_case():
    assert canonical("0AFXX00000000LWCAQ") == "0Afxx00000000lWCAQ"
    assert canonical("0afxx00000000lwcaq") == "0Afxx00000000lWCAQ"


def test_fifteen_characters_count_in_their_own_case():
    assert canonical("0afxx00000000lw") != canonical("0Afxx00000000lW")


def test_what_cannot_be_an_id_is_none():
    assert canonical("hello") is None
    assert canonical("0Afxx00000000lWCBQ") is None  # B claims a capital among digits
    assert canonical("0Afxx00000000lWC9Q") is None


def test_later_records_have_greater_ids():
    ids = [record_id("00Q", number) for number in (1, 9, 10, 61, 62, 4000)]
    assert ids == sorted(ids)
    assert all(one.startswith("00Q") and len(one) == 18 for one in ids)
