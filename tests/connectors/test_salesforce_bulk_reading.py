"""First loads of large objects by Bulk API 2.0: parts side by side, killed and resumed, retried, cleared away."""

import json
import logging
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from threading import Lock
from typing import Any

import httpx
import pytest

from connectors.contract import Page
from connectors.errors import GuardStopped, Unreachable
from connectors.salesforce import SalesforceConnector
from crm_sandbox.salesforce import Features, insert
from crm_sandbox.serving import Fault
from kpi_engine.records import Interaction, Task
from tests.connectors.salesforce_world import House, house, read, records, small_world

MANY = 10_500
PART = 900
"""Rows behind each of the links that the pretend org offers: twelve of them."""


@pytest.fixture
def large() -> Iterator[House]:
    with house(small_world(calls=MANY), bulk_from=MANY) as opened:
        opened.org.bulk_queries.part = PART
        yield opened


def calls(pages: list[Page]) -> set[str]:
    return set(records(pages, Interaction))


def jobs(here: House) -> list[object]:
    return list(here.org.bulk_queries._jobs)


def test_bulk_is_chosen_by_the_number_of_rows_that_salesforce_counts(large: House) -> None:
    read(large.connector, "opportunities")
    assert not large.sent("/jobs/query")
    pages = read(large.connector, "tasks")
    assert len(large.sent("limits/recordCount")) == 1
    assert len(calls(pages)) == MANY
    assert {page.total for page in pages[1:]} == {MANY}
    large.box.log.clear()
    read(large.again(bulk_from=MANY + 1), "tasks")
    assert not large.sent("/jobs/query")


def test_an_org_that_does_not_count_is_read_by_the_ordinary_query(large: House) -> None:
    large.box.faults.append(Fault("GET .*/limits/recordCount", "answer", status=403, body="[]", times=None))
    assert len(calls(read(large.connector, "tasks"))) == MANY
    assert not large.sent("/jobs/query")


def test_the_second_read_is_an_ordinary_query_however_large_the_object_is(large: House) -> None:
    cursor = read(large.connector, "tasks")[-1].cursor
    large.box.log.clear()
    made = insert(large.org, "Task", {"Subject": "New", "OwnerId": large.key("seller", "bo"), "Status": "Completed"})
    assert made in records(read(large.again(), "tasks", cursor), Task)
    assert not large.sent("/jobs/query")


def test_the_parts_are_fetched_by_the_links_that_are_offered_and_in_their_order(large: House) -> None:
    pages = read(large.connector, "tasks")
    links = large.sent("/resultPages")
    assert len(links) == 3  # five places a call, twelve parts
    fetched = large.sent("/results")
    assert len(fetched) == 12
    assert not any("maxRecords" in entry.query for entry in fetched)
    by_query = read(large.again(bulk_from=MANY + 1), "tasks")
    assert records(pages, Interaction) == records(by_query, Interaction)


def test_links_may_be_named_as_the_samples_of_salesforce_name_them(large: House) -> None:
    job = "/services/data/v66.0/jobs/query/750/results?locator="
    links = [{"resultLink": job + start} for start in ("cjA", "cjkwMA")]  # rows 0 and 900
    body = json.dumps({"resultPages": links, "done": True})
    large.box.faults.append(Fault("GET .*/resultPages", "answer", status=200, body=body))
    assert len(calls(read(large.connector, "tasks"))) == MANY


@pytest.mark.parametrize(
    "fault",
    [
        Fault("GET .*/resultPages", "answer", status=404, body="[]", times=None),
        Fault("GET .*/resultPages", "answer", status=200, body="<html>", times=None),
    ],
    ids=["not offered", "not understood"],
)
def test_without_links_the_parts_are_read_one_after_the_other(large: House, fault: Fault) -> None:
    large.box.faults.append(fault)
    assert len(calls(read(large.connector, "tasks"))) == MANY
    assert len(large.sent("/results")) == 12


def test_links_that_lead_elsewhere_lose_no_row(large: House) -> None:
    pages = [{"resultUrl": f"/services/data/v66.0/jobs/query/750/results?locator={place}"} for place in ("cjA", "cjc")]
    body = json.dumps({"resultPages": pages, "done": True})  # the second link begins at row 7
    large.box.faults.append(Fault("GET .*/resultPages", "answer", status=200, body=body))
    assert len(calls(read(large.connector, "tasks"))) == MANY


def test_a_read_that_was_killed_goes_on_with_the_same_job_and_the_part_where_it_was(large: House) -> None:
    running = large.connector.read("tasks", None)
    kept = [next(running) for _ in range(6)]  # the job itself, and the first five parts of twelve
    running.close()  # type: ignore[attr-defined]
    large.box.log.clear()
    rest = read(large.again(), "tasks", kept[-1].cursor)
    assert len(calls(kept + rest)) == MANY
    assert len(calls(rest)) == MANY - 5 * PART
    assert not [entry for entry in large.sent("/jobs/query") if entry.method == "POST"]
    assert jobs(large) == []


def test_a_read_that_was_killed_while_salesforce_worked_waits_for_the_same_job(large: House) -> None:
    running = large.connector.read("tasks", None)
    begun = next(running)
    running.close()  # type: ignore[attr-defined]
    assert begun.rows == []
    rest = read(large.again(), "tasks", begun.cursor)
    assert len(calls(rest)) == MANY
    assert len([entry for entry in large.sent("/jobs/query") if entry.method == "POST"]) == 1


def test_a_job_that_is_gone_when_the_next_run_comes_is_replaced_by_the_ordinary_query(large: House) -> None:
    running = large.connector.read("tasks", None)
    kept = [next(running) for _ in range(4)]
    running.close()  # type: ignore[attr-defined]
    large.org.bulk_queries._jobs.clear()
    assert len(calls(read(large.again(), "tasks", kept[-1].cursor))) == MANY
    assert large.sent("/queryAll")


def test_a_job_that_fails_is_cleared_away_and_the_ordinary_query_reads_it(large: House) -> None:
    large.org.bulk_queries.fail_next = "InternalServerError : retried 15 times"
    assert len(calls(read(large.connector, "tasks"))) == MANY
    assert jobs(large) == []
    assert large.sent("/queryAll")


def test_a_job_that_never_ends_is_stopped_cleared_away_and_replaced(large: House) -> None:
    large.org.bulk_queries.polls = 10_000
    assert len(calls(read(large.connector, "tasks"))) == MANY
    assert jobs(large) == []
    assert max(large.waits) == 10.0


def test_a_job_that_cannot_be_cleared_away_fails_nothing(large: House, caplog: pytest.LogCaptureFixture) -> None:
    large.box.faults.append(Fault("DELETE .*/jobs/query", "reset", times=None))
    with caplog.at_level(logging.INFO, "kpisync.salesforce"):
        assert len(calls(read(large.connector, "tasks"))) == MANY
    assert "salesforce.job_left" in caplog.messages


@pytest.mark.parametrize(
    "fault",
    [
        Fault("GET .*/results", "answer", status=503, body="<html>", after=1, times=2),
        Fault("GET .*/results", "half", after=2, times=2),
        Fault("GET .*/results", "garble", after=3, times=2),
        Fault("GET .*/results", "reset", times=1),
        Fault("GET .*/results", "answer", status=412, body='[{"errorCode":"JOB_NOT_COMPLETE"}]', times=2),
        Fault("GET .*/results", "answer", status=204, times=2),
        Fault("GET .*/jobs/query/750", "answer", status=420, times=1),
    ],
    ids=lambda fault: f"{fault.do} {fault.status}",
)
def test_a_passing_trouble_costs_time_and_no_row(large: House, fault: Fault) -> None:
    large.box.faults.append(fault)
    assert len(calls(read(large.connector, "tasks"))) == MANY
    assert jobs(large) == []
    assert not large.sent("/queryAll")


def test_a_part_that_never_holds_what_it_promises_is_named_and_the_next_run_goes_on(large: House) -> None:
    large.box.faults.append(Fault("GET .*/resultPages", "answer", status=404, body="[]", times=None))
    large.box.faults.append(Fault("GET .*/results", "garble", after=2, times=None))
    kept: list[Page] = []
    with pytest.raises(Unreachable, match="KPI-SF-006"):
        kept.extend(large.connector.read("tasks", None))
    assert len(calls(kept)) == 2 * PART
    large.box.faults.clear()
    assert len(calls(kept + read(large.again(), "tasks", kept[-1].cursor))) == MANY


def test_a_run_that_has_used_its_calls_stops_and_goes_on_with_the_job(large: House) -> None:
    large.org.usage.most = 44
    kept: list[Page] = []
    with pytest.raises(GuardStopped):
        kept.extend(large.again(api_budget_share=0.25).read("tasks", None))
    assert 0 < len(calls(kept)) < MANY
    large.org.usage.most = 100_000
    rest = read(large.again(), "tasks", kept[-1].cursor)
    assert len(calls(kept + rest)) == MANY
    assert len([entry for entry in large.sent("/jobs/query") if entry.method == "POST"]) == 1


def test_never_more_than_five_long_calls_are_under_way_however_many_streams_are_read(large: House) -> None:
    large.box.latency = 0.02
    transport = large.connector._org.transport
    send, under_way, seen, lock = transport.send, Counter[str](), list[int](), Lock()

    def counted(method: str, path: str, **more: Any) -> httpx.Response:
        long = path.endswith(("/results", "/query", "/queryAll"))
        with lock:
            under_way["long"] += long
            seen.append(under_way["long"])
        try:
            return send(method, path, **more)
        finally:
            with lock:
                under_way["long"] -= long

    transport.send = counted  # type: ignore[method-assign, assignment]
    with ThreadPoolExecutor(4) as streams:
        for pages in streams.map(lambda _: read(large.connector, "tasks"), range(4)):
            assert len(calls(pages)) == MANY
    assert 3 <= max(seen) <= 5


def test_an_object_that_bulk_does_not_carry_is_read_by_the_ordinary_query() -> None:
    with house(small_world(calls=50), bulk_from=1, features=Features()) as here:
        thing = here.org.schema.thing("Task")
        assert thing is not None
        object.__setattr__(thing, "bulk", False)
        try:
            assert len(calls(read(here.connector, "tasks"))) == 50
        finally:
            object.__setattr__(thing, "bulk", True)
        assert [entry.status for entry in here.sent("/jobs/query")] == [400]


def test_an_empty_result_is_the_end() -> None:
    with house(small_world(calls=0), bulk_from=0) as here:
        connector: SalesforceConnector = here.connector
        pages = read(connector, "tasks")
        assert [len(page.rows) for page in pages] == [0, 0]
        assert '"since"' in pages[-1].cursor


def test_killed_between_any_two_requests_and_read_on_every_row_is_there() -> None:
    with house(small_world(calls=400), bulk_from=400) as here:
        here.org.bulk_queries.part = 50  # eight parts
        expected = calls(read(here.connector, "tasks"))
        requests = len(here.box.log)
        assert requests >= 14
        for point, arrived in ((point, arrived) for point in range(requests) for arrived in (False, True)):
            here.box.faults[:] = [Fault(".", "reset", after=point, times=None)]
            if arrived:
                here.box.faults.insert(0, Fault(".", "commit_then_drop", after=point))
            kept: list[Page] = []
            with suppress(Unreachable):  # the last request, clearing away, fails unnoticed
                kept.extend(here.again().read("tasks", None))
            here.box.faults.clear()
            rest = read(here.again(), "tasks", kept[-1].cursor if kept else None)
            assert calls(kept + rest) == expected
            assert '"since"' in (kept + rest)[-1].cursor
