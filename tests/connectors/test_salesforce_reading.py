"""Streams read from a pretend org over HTTP: everything at first, then only what changed, whatever goes wrong."""

import json
from collections.abc import Iterator
from datetime import date
from decimal import Decimal

import pytest

from connectors.contract import Page
from connectors.errors import GuardStopped, NotAllowed, Throttled, Unreachable, Unreadable
from connectors.salesforce import Mappings
from crm_sandbox.salesforce import Features, change, clock_ahead, delete, insert, merge, security, undelete
from crm_sandbox.seed import demo_world
from crm_sandbox.serving import Fault
from crm_sandbox.world import Call, Email, Meeting, Prospect, Sale
from kpi_engine.records import Company, Deal, Interaction, Lead, Link, Quota, Rep, Task
from tests.connectors.salesforce_world import NOW, House, ago, house, read, records, small_world

MANY = 900


@pytest.fixture
def small() -> Iterator[House]:
    with house() as opened:
        yield opened


@pytest.fixture
def busy() -> Iterator[House]:
    with house(small_world(calls=MANY)) as opened:
        opened.org.pages.sizes = (200,)
        yield opened


def calls(pages: list[Page]) -> set[str]:
    return {found.id for found in records(pages, Interaction).values() if found.kind == "call" and not found.deleted}


def test_a_first_read_brings_every_record_page_by_page(busy: House) -> None:
    pages = read(busy.connector, "tasks")
    assert len(pages) >= 5
    assert {page.total for page in pages} == {MANY}
    assert len(calls(pages)) == MANY


def test_when_nothing_changed_a_stream_costs_one_call_and_brings_nothing(small: House) -> None:
    clock_ahead(small.org, 3600)
    [first] = read(small.connector, "tasks")
    before = small.connector.calls()
    [second] = read(small.connector, "tasks", first.cursor)
    assert (len(second.rows), small.connector.calls() - before) == (0, 1)


def test_a_quiet_run_costs_at_most_two_calls_an_object(small: House) -> None:
    with house(demo_world(NOW, size="small")) as demo:
        cursors = {stream: read(demo.connector, stream)[-1].cursor for stream in demo.connector.capabilities().streams}
        later = demo.again()
        streams = later.capabilities().streams
        for stream in streams:
            read(later, stream, cursors[stream])
        assert later.calls() <= 2 * len(streams)


def test_a_change_and_a_new_record_arrive_and_the_rest_does_not(busy: House) -> None:
    cursor = read(busy.connector, "tasks")[-1].cursor
    clock_ahead(busy.org, 3600)
    changed = busy.key("call", "call-7")
    change(busy.org, "Task", changed, {"CallDurationInSeconds": 5})
    made = insert(busy.org, "Task", {"Subject": "New", "OwnerId": busy.key("seller", "bo"), "Status": "Not Started"})
    pages = read(busy.connector, "tasks", cursor)
    assert set(records(pages, Task)) == {changed, made}
    assert records(pages, Interaction)[changed].duration_ms == 5000
    assert ("interaction", made) in pages[0].gone


def test_a_row_that_became_visible_five_minutes_after_its_stamp_is_not_missed(small: House) -> None:
    clock_ahead(small.org, 3600)
    cursor = read(small.connector, "tasks")[-1].cursor
    stamp = small.org.now().timestamp() - 300
    late = insert(
        small.org,
        "Task",
        {"Subject": "Imported", "OwnerId": small.key("seller", "ana"), "Status": "Completed"},
        {"SystemModstamp": small.org.now().fromtimestamp(stamp, tz=NOW.tzinfo)},
    )
    assert late in records(read(small.connector, "tasks", cursor), Task)


def test_a_killed_read_goes_on_from_the_last_page_that_was_kept(busy: House) -> None:
    pages = busy.connector.read("tasks", None)
    kept = [next(pages), next(pages)]
    pages.close()  # type: ignore[attr-defined]
    rest = read(busy.again(), "tasks", kept[-1].cursor)
    assert len(calls(kept)) < MANY
    assert calls(kept + rest) == calls(read(busy.again(), "tasks"))
    assert len(calls(rest)) < MANY - 100  # what was kept is not fetched again


def test_ten_hundred_rows_of_one_second_are_all_read_across_expired_locators() -> None:
    with house(small_world(calls=0)) as here:
        owner = here.key("seller", "ana")
        stamps = {"SystemModstamp": ago(days=2)}
        for number in range(1000):
            insert(here.org, "Task", {"Subject": f"{number}", "OwnerId": owner, "Status": "Completed"}, stamps)
        here.org.pages.sizes = (200,)
        read_so_far: list[Page] = []
        for page in here.connector.read("tasks", None):
            read_so_far.append(page)
            here.org.pages.forget()  # every locator is expired when it is used
        assert len(records(read_so_far, Task)) == 1000


def test_a_session_that_ends_between_two_pages_is_renewed(busy: House) -> None:
    pages = busy.connector.read("tasks", None)
    first = next(pages)
    busy.org.auth.expire_all()
    assert len(calls([first, *pages])) == MANY
    assert len(busy.sent("oauth2/token")) == 2


@pytest.mark.parametrize(
    "fault",
    [
        Fault("GET .*/query", "answer", status=503, body="<html>Service Unavailable</html>", times=2),
        Fault("GET .*/query", "answer", status=420, times=2),
        Fault("GET .*/query", "reset", after=1, times=2),
        Fault("GET .*/query", "half", after=2, times=2),
        Fault("GET .*/query", "garble", times=2),
    ],
    ids=lambda fault: f"{fault.do} {fault.status}",
)
def test_a_passing_trouble_costs_time_and_no_record(busy: House, fault: Fault) -> None:
    busy.box.faults.append(fault)
    assert len(calls(read(busy.connector, "tasks"))) == MANY
    assert len(busy.waits) == 2


def test_trouble_that_stays_is_unreachable_and_says_so_without_a_query(small: House) -> None:
    small.box.faults.append(Fault("GET .*/query", "answer", status=503, times=None))
    with pytest.raises(Unreachable, match="KPI-SF-002") as caught:
        read(small.connector, "tasks")
    assert "SELECT" not in str(caught.value)


def test_a_used_up_allowance_stops_the_run_at_once(small: House) -> None:
    limit = [{"errorCode": "REQUEST_LIMIT_EXCEEDED", "message": "TotalRequests Limit exceeded."}]
    small.box.faults.append(Fault("GET .*/query", "answer", status=403, body=json.dumps(limit), times=None))
    with pytest.raises(Throttled, match="KPI-SF-020"):
        read(small.connector, "tasks")
    assert small.waits == []


def test_too_many_long_calls_at_once_are_waited_for(small: House) -> None:
    limit = [{"errorCode": "REQUEST_LIMIT_EXCEEDED", "message": "ConcurrentPerOrgLongTxn Limit exceeded."}]
    small.box.faults.append(Fault("GET .*/query", "answer", status=403, body=json.dumps(limit), times=2))
    assert len(calls(read(small.connector, "tasks"))) == 3
    assert small.waits == [30.0, 30.0]


def test_a_run_stops_at_its_share_of_the_day_s_calls(busy: House) -> None:
    busy.org.usage.most = 20
    pages = busy.again(api_budget_share=0.25).read("tasks", None)
    with pytest.raises(GuardStopped, match="may use of the day's 20"):
        list(pages)
    assert len(busy.box.log) == 5


def test_a_query_that_takes_too_long_is_asked_in_smaller_parts(busy: House) -> None:
    slow = [{"errorCode": "QUERY_TIMEOUT", "message": "Your query request was running for too long."}]
    busy.box.faults.append(Fault("GET .*/queryAll", "answer", status=400, body=json.dumps(slow), times=2))
    assert len(calls(read(busy.connector, "tasks"))) == MANY
    assert any("LIMIT 500" in entry.query for entry in busy.sent("queryAll"))


def test_a_query_that_always_takes_too_long_is_unreachable_in_the_end(busy: House) -> None:
    slow = [{"errorCode": "QUERY_TIMEOUT", "message": "Your query request was running for too long."}]
    busy.box.faults.append(Fault("GET .*/queryAll", "answer", status=400, body=json.dumps(slow), times=None))
    with pytest.raises(Unreachable, match="KPI-SF-004"):
        read(busy.connector, "tasks")


def test_a_row_that_cannot_be_understood_is_named_and_the_rest_is_read(small: House) -> None:
    rows = [
        {"Id": "00T000000000001AAA", "OwnerId": "005000000000001AAA", "IsClosed": True},
        {"Id": "00T000000000002AAA", "OwnerId": "005000000000001AAA", "IsClosed": True, "ActivityDate": "yesterday"},
    ]
    answer = json.dumps({"totalSize": 2, "done": True, "records": rows})
    small.box.faults.append(Fault("GET .*/queryAll", "answer", status=200, body=answer))
    [page] = read(small.connector, "tasks")
    assert [row.id for row in page.rows] == ["00T000000000001AAA"]
    assert [unread.id for unread in page.unread] == ["00T000000000002AAA"]


def test_an_answer_that_is_no_query_answer_is_unreadable(small: House) -> None:
    small.box.faults.append(Fault("GET .*/queryAll", "answer", status=200, body='{"hello": "world"}'))
    with pytest.raises(Unreadable, match="KPI-SF-031"):
        read(small.connector, "tasks")


def test_a_deleted_record_arrives_deleted_and_comes_back_when_it_is_restored(small: House) -> None:
    cursor = read(small.connector, "tasks")[-1].cursor
    gone = small.key("call", "call-1")
    delete(small.org, "Task", gone)
    pages = read(small.connector, "tasks", cursor)
    assert records(pages, Interaction)[gone].deleted
    assert records(pages, Task)[gone].deleted
    undelete(small.org, "Task", gone)
    assert not records(read(small.connector, "tasks", pages[-1].cursor), Interaction)[gone].deleted


def test_what_left_the_recycle_bin_between_two_passes_is_found_in_the_log_of_deletions(small: House) -> None:
    cursor = read(small.connector, "tasks")[-1].cursor
    gone, kept = small.key("call", "call-1"), small.key("call", "call-2")
    delete(small.org, "Task", gone, hard=True)
    delete(small.org, "Task", kept)
    log = {"deletedRecords": [{"id": gone}, {"id": kept}], "latestDateCovered": "2026-11-22T12:00:00.000+0000"}
    small.box.faults.append(Fault("GET .*/Task/deleted", "answer", status=200, body=json.dumps(log)))
    clock_ahead(small.org, 2 * 86_400)
    pages = read(small.connector, "tasks", cursor)
    assert list(pages[-1].gone) == [("task", gone), ("interaction", gone)]
    assert records(pages, Task)[kept].deleted
    clock_ahead(small.org, 3600)
    read(small.connector, "tasks", pages[-1].cursor)
    assert len(small.sent("/deleted")) == 1  # once a day is enough


def test_a_merged_lead_is_deleted_and_names_its_survivor() -> None:
    people = tuple(Prospect(key, "Lea Roy", f"{key}@x.example", "X", "ana", ago(days=9)) for key in ("lea", "twin"))
    with house(small_world(prospects=people)) as here:
        cursor = read(here.connector, "leads")[-1].cursor
        lea, twin = here.key("prospect", "lea"), here.key("prospect", "twin")
        merge(here.org, "Lead", lea, [twin])
        found = records(read(here.connector, "leads", cursor), Lead)
        assert (found[twin].deleted, found[twin].merged_into) == (True, lea)


def test_activities_that_salesforce_moved_to_its_archive_are_read() -> None:
    old = Call("old", "ana", (), ("deal",), ago(days=500), outcome="Connected", seconds=60)
    with house(small_world(calls=0, calls_too=(old,))) as here:
        archived = {row["Id"] for row in here.org.rows("Task") if row["IsArchived"]}
        assert archived == {here.key("call", "old")}
        assert calls(read(here.connector, "tasks")) == archived


def test_a_deal_handed_over_after_its_close_keeps_the_owner_who_closed_it() -> None:
    handed_over = Sale(
        "handed",
        "Handed over",
        ((ago(days=60), "ana"), (ago(days=5), "bo")),
        ago(days=60),
        "won",
        ago(days=30).date(),
        ago(days=30),
        Decimal("100.10"),
    )
    with house(small_world(sales_too=(handed_over,))) as here:
        found = records(read(here.connector, "opportunities"), Deal)[here.key("sale", "handed")]
        assert (found.owner, found.owner_at_close) == (here.key("seller", "bo"), here.key("seller", "ana"))
        assert (found.amount, found.closed_on) == (100_100_000, (ago(days=30).date() - date(1970, 1, 1)).days)
        plain = records(read(here.connector, "opportunities"), Deal)[here.key("sale", "deal")]
        assert plain.owner_at_close is None


def test_a_meeting_with_several_people_is_linked_to_all_of_them() -> None:
    people = tuple(
        Prospect(key, key.title(), f"{key}@x.example", "X", "ana", ago(days=9)) for key in ("lea", "max", "eva")
    )
    meeting = Meeting("m", "ana", ("lea", "max", "eva"), ("deal",), ago(days=3), ago(days=3, hours=-1), ago(days=4))
    with house(small_world(prospects=people, meetings=(meeting,))) as here:
        links = records(read(here.connector, "events"), Link).values()
        linked = {(link.to_kind, link.to_id) for link in links}
        assert linked == {("person", here.key("prospect", who)) for who in ("lea", "max", "eva")} | {
            ("deal", here.key("sale", "deal"))
        }


def test_an_email_is_its_sender_s_and_points_at_the_task_that_logged_it() -> None:
    people = (Prospect("lea", "Lea Roy", "lea@x.example", "X", "ana", ago(days=9)),)
    mail = Email("e", "bo", ("lea",), (), "out", ago(days=3), "Hello", "thread-1", "<e@acme.example>")
    with house(small_world(prospects=people, emails=(mail,))) as here:
        [found] = records(read(here.connector, "emails"), Interaction).values()
        assert (found.rep, found.direction, found.outcome) == (here.key("seller", "bo"), "out", "done")
        people_of = records(read(here.connector, "email_people"), Link).values()
        assert {(link.from_id, link.to_id) for link in people_of} == {(found.id, here.key("prospect", "lea"))}
        if found.logs is not None:
            assert found.logs in records(read(here.connector, "tasks"), Task)


def test_without_email_messages_there_is_no_such_stream_and_the_sources_are_named_missing() -> None:
    with house(features=Features(email_messages=False)) as here:
        found = here.connector.capabilities()
        assert {"emails", "email_people"}.isdisjoint(found.streams)
        missing = here.connector.company_defaults(Company(connection="acme")).missing
        assert {"opens", "bounces", "replies", "clicks", "opt_out_dates"} <= missing.keys()
        assert "emails" not in missing  # tasks log them still
        with pytest.raises(NotAllowed, match="KPI-SF-033"):
            read(here.connector, "emails")


def test_a_hidden_field_is_not_asked_for_and_silences_only_its_own_source() -> None:
    hidden = frozenset({"Campaign.ActualCost", "EmailMessage.IsBounced"})
    with house(features=Features(hidden=hidden)) as here:
        gaps = {gap.source for gap in here.connector.capabilities().gaps}
        assert {"campaign_costs", "bounces"} <= gaps
        assert {"opens", "replies", "deals"}.isdisjoint(gaps)
        read(here.connector, "campaigns")
        assert not any("ActualCost" in entry.query for entry in here.box.log)


def test_where_the_result_of_calls_is_hidden_nobody_can_tell_which_were_answered() -> None:
    with house(features=Features(hidden=frozenset({"Task.CallDisposition"}))) as here:
        missing = here.connector.company_defaults(Company(connection="acme")).missing
        assert "answers" in missing
        assert "calls" not in missing


def test_deals_whose_amount_is_hidden_are_no_deals_rather_than_deals_worth_nothing() -> None:
    with house(features=Features(hidden=frozenset({"Opportunity.Amount"}))) as here:
        found = here.connector.capabilities()
        assert "opportunities" not in found.streams
        assert "deals" in here.connector.company_defaults(Company(connection="acme")).missing


def test_a_field_that_is_hidden_in_the_middle_of_a_run_is_left_out(small: House) -> None:
    small.connector.capabilities()
    security(small.org, {"Task.CallDisposition": "hidden"})
    found = records(read(small.connector, "tasks"), Interaction)
    assert {one.disposition for one in found.values()} == {None}
    assert len(found) == 3


def test_an_admin_s_own_field_tells_the_outcome_of_meetings() -> None:
    meeting = Meeting("m", "ana", (), ("deal",), ago(days=3), ago(days=3, hours=-1), ago(days=4), outcome="no_show")
    mappings = Mappings(
        meeting_outcome_field="Outcome__c", meeting_outcomes={"no show": "no_show", "no_show": "no_show"}
    )
    features = Features(outcome_field="Outcome__c")
    with house(small_world(meetings=(meeting,)), features=features, mappings=mappings) as here:
        [found] = records(read(here.connector, "events"), Interaction).values()
        assert found.outcome == "no_show"
        assert "meeting_outcomes" not in {gap.source for gap in here.connector.capabilities().gaps}


def test_capabilities_say_whose_org_it_is_in_few_calls(small: House) -> None:
    found = small.connector.capabilities()
    assert (found.organisation[:3], found.time_zone, found.fiscal_year_start) == ("00D", "UTC", 1)
    assert found.streams[0] == "users"
    assert found.surfaces == frozenset()
    assert found.daily_calls == 100_000
    assert small.connector.calls() <= 8


def test_users_are_reps_and_robots_are_not() -> None:
    with house(demo_world(NOW, size="small")) as demo:
        reps = records(read(demo.connector, "users"), Rep)
        known = {rep.id for rep in reps.values() if rep.known}
        people = {demo.key("seller", one.key) for one in demo.org.world.sellers if one.kind == "person"}
        robots = {demo.key("seller", one.key) for one in demo.org.world.sellers if one.kind == "robot"}
        assert people <= known
        assert robots.isdisjoint(known)


def test_quotas_are_read_whole_with_the_length_of_their_period() -> None:
    with house(demo_world(NOW, size="small")) as demo:
        [page] = read(demo.connector, "quotas")
        assert page.whole == ("quota",)
        epoch = date(1970, 1, 1)
        found = {(row.rep, row.starts_on, row.ends_on, row.amount) for row in page.rows if isinstance(row, Quota)}
        assert found == {
            (
                demo.key("seller", one.seller),
                (one.starts - epoch).days,
                (one.ends - epoch).days,
                int(one.amount * 1_000_000),
            )
            for one in demo.org.world.allotments
        }


def test_quotas_of_several_forecasts_are_not_added_up_but_wait_for_the_admin_s_choice() -> None:
    with house(demo_world(NOW, size="small")) as demo:
        counted = read(demo.connector, "quotas")[0].rows
        other = insert(demo.org, "ForecastingType", {"DeveloperName": "Overlay", "MasterLabel": "Overlay"})
        quota = {name: demo.org.rows("ForecastingQuota")[0][name] for name in ("QuotaOwnerId", "StartDate", "PeriodId")}
        amount = {"QuotaAmount": 5, "IsAmount": True, "ForecastingTypeId": other}
        insert(demo.org, "ForecastingQuota", {**quota, **amount})
        [page] = read(demo.again(), "quotas")
        assert page.rows == []
        assert "mappings.forecasting_type" in page.unread[0].reason
        chosen = next(row["DeveloperName"] for row in demo.org.rows("ForecastingType") if row["Id"] != other)
        assert read(demo.again(mappings=Mappings(forecasting_type=chosen)), "quotas")[0].rows == counted


def test_a_large_first_load_goes_by_bulk_and_brings_the_same_records(busy: House) -> None:
    by_query = read(busy.connector, "tasks")
    by_bulk = read(busy.again(bulk_from=100), "tasks")
    assert len(busy.sent("jobs/query")) >= 3
    assert records(by_bulk, Interaction) == records(by_query, Interaction)
    assert records(by_bulk, Link) == records(by_query, Link)
    assert [page.rows for page in read(busy.again(), "tasks", by_bulk[-1].cursor)] == [[]]


def test_where_bulk_is_refused_the_ordinary_query_reads_it(busy: House) -> None:
    refusal = [{"errorCode": "INVALIDENTITY", "message": "entity type is not supported by the Bulk API"}]
    busy.box.faults.append(Fault("POST .*/jobs/query", "answer", status=400, body=json.dumps(refusal)))
    assert len(calls(read(busy.again(bulk_from=100), "tasks"))) == MANY


def test_a_session_that_ends_while_a_bulk_job_runs_is_renewed(busy: House) -> None:
    expired = [{"errorCode": "INVALID_SESSION_ID", "message": "Session expired or invalid"}]
    busy.box.faults.append(Fault("GET .*/jobs/query", "answer", status=401, body=json.dumps(expired)))
    assert len(calls(read(busy.again(bulk_from=100), "tasks"))) == MANY
