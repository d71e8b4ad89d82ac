"""Which teams there are, and where everyone's rows begin."""

from datetime import date

from sales_floor import ANA, Floor, call, rep


def test_the_chain_of_managers_goes_on_through_a_user_who_is_not_known() -> None:
    portal = rep("portal", manager="ana", known=False)
    floor = Floor(ANA, portal, rep("ben", manager="portal"), call("c1", "2026-11-02 09:00", "ben"))
    assert floor.value("calls_made", "team:ana") == 1
    assert not floor.has("team:portal")


def test_without_any_record_everyone_begins_on_their_own_today() -> None:
    """At 06:00 UTC it is already Monday the 2nd in Auckland and still Sunday the 1st in Honolulu."""
    auckland, honolulu = rep("ana", zone="Pacific/Auckland"), rep("ben", zone="Pacific/Honolulu")
    floor = Floor(auckland, honolulu, as_of="2026-11-02 06:00")
    days = floor.rows("calls_made", "day").select("rep", "period_start").rows()
    weeks = floor.rows("calls_made", "week").select("rep", "period_start").rows()
    assert sorted(days) == [("ana", date(2026, 11, 2)), ("ben", date(2026, 11, 1))]
    assert sorted(weeks) == [("ana", date(2026, 11, 2)), ("ben", date(2026, 10, 26))]
