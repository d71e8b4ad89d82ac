"""The same activity twice counts once: the earliest stays, takes over what it lacks, and unites the links."""

from sales_floor import ANA, Floor, call, email, lead, meeting, message, person, rep, reply

from kpi_engine.records import Company


def test_two_emails_with_the_same_message_id_are_one_whoever_logged_them() -> None:
    floor = Floor(
        ANA,
        rep("ben"),
        email("e2", "2026-11-02 09:05", "ben", message_id="<m>"),
        email("e1", "2026-11-02 09:00", "ana", message_id="<m>"),
    )
    assert (floor.value("emails_sent", "ana"), floor.value("emails_sent", "ben")) == (1, 0)


def test_of_two_at_the_same_moment_the_smaller_id_stays() -> None:
    floor = Floor(
        ANA,
        rep("ben"),
        email("100", "2026-11-02 09:00", "ben", message_id="<m>"),
        email("99", "2026-11-02 09:00", "ana", message_id="<m>"),
    )
    assert floor.value("emails_sent", "ana") == 1


def test_what_the_one_that_stays_lacks_comes_from_the_other() -> None:
    """The first log knows nothing of tracking and has no thread; the second does, and the reply finds it."""
    floor = Floor(
        ANA,
        email("e1", "2026-11-02 09:00", message_id="<m>"),
        email("e2", "2026-11-02 09:01", message_id="<m>", tracked=True, opened=True, thread="t"),
        reply("r1", "2026-11-03 09:00", "t"),
    )
    assert floor.value("email_open_rate") == 1
    assert floor.value("email_reply_rate") == 1


def test_the_task_that_logged_an_email_is_that_email() -> None:
    floor = Floor(
        ANA,
        email("task", "2026-11-02", tracked=None),
        email("message", "2026-11-03 09:00", logs="task", tracked=True, opened=True),
    )
    assert floor.value("emails_sent") == 1
    assert floor.value("emails_sent", grain="day", period="2026-11-03") == 1
    assert floor.value("email_open_rate") == 1


def test_a_task_whose_email_was_deleted_counts_itself() -> None:
    floor = Floor(ANA, email("task", "2026-11-02"), email("message", "2026-11-02 09:00", logs="task", deleted=True))
    assert floor.value("emails_sent") == 1


def test_calls_with_the_same_external_id_are_one() -> None:
    floor = Floor(ANA, call("c1", "2026-11-02 09:00", external_id="x"), call("c2", "2026-11-02 11:00", external_id="x"))
    assert floor.value("calls_made") == 1


def test_a_call_and_a_meeting_may_share_an_external_id() -> None:
    floor = Floor(
        ANA,
        call("c1", "2026-11-02 09:00", external_id="x"),
        meeting("m1", "2026-11-02 11:00", "2026-11-02 12:00", external_id="x"),
    )
    assert floor.value("touchpoints") == 2


def test_two_calls_to_the_same_person_a_minute_apart_are_one() -> None:
    floor = Floor(
        ANA, call("c1", "2026-11-02 09:00:00", people=["p1"]), call("c2", "2026-11-02 09:01:00", people=["p1"])
    )
    assert floor.value("calls_made") == 1


def test_a_second_more_than_a_minute_makes_two() -> None:
    floor = Floor(
        ANA, call("c1", "2026-11-02 09:00:00", people=["p1"]), call("c2", "2026-11-02 09:01:01", people=["p1"])
    )
    assert floor.value("calls_made") == 2


def test_the_minute_is_counted_from_the_first_one_kept() -> None:
    """0, 50 and 100 seconds: the second is the first again, the third is too far from the first."""
    floor = Floor(
        ANA,
        call("c1", "2026-11-02 09:00:00", people=["p1"]),
        call("c2", "2026-11-02 09:00:50", people=["p1"]),
        call("c3", "2026-11-02 09:01:40", people=["p1"]),
    )
    assert floor.value("calls_made") == 2


def test_calls_to_different_people_are_different() -> None:
    floor = Floor(ANA, call("c1", "2026-11-02 09:00", people=["p1"]), call("c2", "2026-11-02 09:00", people=["p2"]))
    assert floor.value("calls_made") == 2


def test_calls_to_nobody_in_particular_are_different() -> None:
    assert Floor(ANA, call("c1", "2026-11-02 09:00"), call("c2", "2026-11-02 09:00")).value("calls_made") == 2


def test_one_of_several_people_in_common_is_enough_and_people_are_united() -> None:
    """The second call shares p1 with the first and brings p2; the third shares p2 with what stayed."""
    floor = Floor(
        ANA,
        call("c1", "2026-11-02 09:00:00", people=["p1"]),
        call("c2", "2026-11-02 09:00:20", people=["p1", "p2"]),
        call("c3", "2026-11-02 09:00:40", people=["p2"]),
    )
    assert floor.value("calls_made") == 1


def test_calls_of_two_reps_or_in_two_directions_are_different() -> None:
    floor = Floor(
        ANA,
        rep("ben"),
        call("c1", "2026-11-02 09:00", "ana", people=["p1"]),
        call("c2", "2026-11-02 09:00", "ben", people=["p1"]),
        call("c3", "2026-11-02 09:00", "ana", people=["p1"], direction="in"),
    )
    assert (floor.value("calls_made", "ana"), floor.value("calls_made", "ben")) == (1, 1)


def test_a_merged_contact_is_the_same_person() -> None:
    floor = Floor(
        ANA,
        person("kept"),
        person("twin", merged_into="kept", deleted=True),
        call("c1", "2026-11-02 09:00:00", people=["kept"]),
        call("c2", "2026-11-02 09:00:30", people=["twin"]),
    )
    assert floor.value("calls_made") == 1


def test_emails_are_not_compared_by_time() -> None:
    floor = Floor(ANA, email("e1", "2026-11-02 09:00", people=["p1"]), email("e2", "2026-11-02 09:00", people=["p1"]))
    assert floor.value("emails_sent") == 2


def test_what_is_deleted_or_undone_is_dropped_before_anything_is_compared() -> None:
    """The earlier one was cancelled: the later one stays."""
    floor = Floor(
        ANA,
        call("c1", "2026-11-02 09:00:00", people=["p1"], outcome="cancelled"),
        call("c2", "2026-11-02 09:00:30", people=["p1"]),
        call("c3", "2026-11-02 09:00:10", people=["p1"], deleted=True),
    )
    assert floor.value("calls_made") == 1


def test_links_of_the_absorbed_call_are_the_kept_calls() -> None:
    """Only the absorbed log knew the lead; the lead's score is that of one answered call: 100 × (1 − e^(−15/50))."""
    floor = Floor(
        ANA,
        lead("l1", "2026-11-02 08:00"),
        call("c1", "2026-11-20 09:00", external_id="x", disposition="connected"),
        call("c2", "2026-11-20 10:00", external_id="x", people=["l1"]),
    )
    assert floor.value("average_engagement") == 25.92


def test_blank_ids_make_nothing_the_same() -> None:
    floor = Floor(
        ANA,
        email("e1", "2026-11-02 09:00", message_id="", thread=""),
        email("e2", "2026-11-02 10:00", message_id="", thread=""),
        call("c1", "2026-11-02 09:00", external_id=""),
        call("c2", "2026-11-02 10:00", external_id=""),
    )
    assert (floor.value("emails_sent"), floor.value("calls_made")) == (2, 2)
    assert floor.row("email_reply_rate")["denominator"] == 2


def test_of_two_with_one_external_id_the_one_of_an_earlier_plain_date_stays() -> None:
    """Ben's message has only a date, the 2nd; Ana's has a moment on the 4th, which he takes over."""
    floor = Floor(
        ANA,
        rep("ben"),
        message("m1", "2026-11-02", "ben", external_id="x"),
        message("m2", "2026-11-04 09:00", "ana", external_id="x"),
    )
    assert floor.value("touchpoints", "ben") == 1
    assert floor.value("touchpoints", "ana") == 0


def test_of_several_others_the_earlier_one_gives_what_is_lacking_a_plain_date_before_its_day_s_moments() -> None:
    """The first log has no duration; one of 5 November without a time says a minute, one of 10:00 that day two."""
    floor = Floor(
        ANA,
        call("c1", "2026-11-02 09:00", external_id="x", disposition="connected"),
        call("c2", "2026-11-05 10:00", external_id="x", duration_ms=120_000),
        call("c3", "2026-11-05", external_id="x", duration_ms=60_000),
    )
    assert (floor.value("calls_made"), floor.value("talk_minutes")) == (1, 1)


def test_a_moment_taken_over_falls_on_the_day_of_the_rep_whose_it_now_is() -> None:
    """11:00 in UTC on the 30th is midnight of the 31st where Ben lives; his own log says only the 29th."""
    floor = Floor(
        rep("ben", zone="Pacific/Auckland"),
        email("e1", "2026-10-29", "ben", message_id="<m>"),
        email("e2", "2026-10-30 11:00", None, message_id="<m>", direction="in"),
    )
    assert floor.value("emails_sent", "ben", "day", "2026-10-31") == 1
    assert not floor.has("ben", "day", "2026-10-30")


def test_a_rep_taken_over_brings_the_day_of_where_he_is() -> None:
    """03:00 in UTC on the 2nd is the 1st for nobody in Los Angeles, the 2nd for Ben in Auckland, who made the call."""
    floor = Floor(
        rep("ben", zone="Pacific/Auckland"),
        call("c1", "2026-11-02 03:00", None, external_id="x"),
        call("c2", "2026-11-02 08:00", "ben", external_id="x"),
        company=Company(connection="acme", time_zone="America/Los_Angeles"),
    )
    assert floor.value("calls_made", "ben", "day", "2026-11-02") == 1
    assert not floor.has("ben", "day", "2026-11-01")


def test_what_only_logged_an_email_gives_what_it_has_last() -> None:
    """The log of the first copy came before the second copy, but the second copy is the e-mail itself: its thread."""
    floor = Floor(
        ANA,
        email("e1", "2026-11-02 09:00", message_id="<m>", logs="t1"),
        email("t1", "2026-11-02 09:01", thread="of the log"),
        email("e2", "2026-11-02 09:02", message_id="<m>", thread="real"),
        reply("r1", "2026-11-03 09:00", "real"),
    )
    assert floor.value("email_reply_rate") == 1
