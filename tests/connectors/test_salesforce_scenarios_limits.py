"""The day's calls, long calls and passing troubles: what is waited for, what is repeated, and what stops the run."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from connectors.contract import Change, KpiField, Page, Surface, Written
from connectors.errors import CrmError, GuardStopped, NotAllowed, Throttled, Unreadable
from connectors.salesforce import SalesforceConnector
from crm_sandbox.serving import Fault
from kpi_engine.records import Interaction
from sync.cache import Cache
from tests.connectors.salesforce_world import House, house, read, records, small_world

MANY = 1000


@pytest.fixture
def busy() -> Iterator[House]:
    with house(small_world(calls=MANY)) as opened:
        opened.org.pages.sizes = (200,)
        opened.connector.capabilities()
        yield opened


@pytest.fixture
def cache(tmp_path: Path) -> Iterator[Cache]:
    kept = Cache.open(f"sqlite:///{tmp_path}/cache.db", "acme")
    yield kept
    kept.close()


def refusal(status: int, code: str, message: str = "no") -> Fault:
    body = json.dumps([{"errorCode": code, "message": message}])
    return Fault("GET .*/query", "answer", status=status, body=body, times=None)


def absorbed(connector: SalesforceConnector, cache: Cache) -> None:
    """Read calls on from where the cache is, page by page, as a run does."""
    for page in connector.read("tasks", cache.cursor("tasks")):
        cache.absorb(page, "UTC")


def calls(pages: list[Page]) -> int:
    return len(records(pages, Interaction))


def test_at_four_fifths_of_the_day_s_calls_a_run_stops_and_the_next_day_s_goes_on_from_its_last_page(
    busy: House, cache: Cache
) -> None:
    busy.org.usage.most = 1000
    busy.org.usage.used = 796  # others were busy today
    with pytest.raises(GuardStopped, match="KPI-SF-022: 800 of the company's 1000 Salesforce calls"):
        absorbed(busy.again(api_budget_share=1.0), cache)
    assert busy.org.usage.used == 800  # the last fifth is untouched
    kept = cache.counts(["interaction"])["interaction"]
    assert 0 < kept < MANY
    busy.org.usage.used = 0  # the next day
    busy.box.log.clear()
    absorbed(busy.again(api_budget_share=1.0), cache)
    assert cache.counts(["interaction"])["interaction"] == MANY
    assert len(busy.sent("/query")) == (MANY - kept) // 200  # and nothing is read twice


def test_a_day_that_is_used_up_stops_the_run_with_its_last_page_kept_and_is_not_hammered(
    busy: House, cache: Cache
) -> None:
    busy.org.usage.most = busy.org.usage.used + 6  # descriptions, and three pages
    before = len(busy.box.log)
    with pytest.raises(Throttled, match="KPI-SF-020"):
        absorbed(busy.again(api_budget_share=1e9, api_day_share=1e9), cache)
    assert [entry.status for entry in busy.box.log[before:]].count(403) == 1
    kept = cache.counts(["interaction"])["interaction"]
    assert 0 < kept < MANY
    busy.org.usage.most = 100_000
    absorbed(busy.again(), cache)
    assert cache.counts(["interaction"])["interaction"] == MANY


def test_the_calls_that_an_admin_allows_the_app_alone_are_watched_too(busy: House) -> None:
    busy.org.usage.app = ("kpisync", busy.org.usage.used + 5)
    connector = busy.again()
    assert connector.capabilities().daily_calls_left == 3  # descriptions and the organisation took two
    with pytest.raises(GuardStopped, match="that an admin allows this app"):
        read(connector, "tasks")


def test_too_many_long_calls_at_a_time_are_waited_for_half_a_minute(busy: House) -> None:
    long_calls = refusal(403, "REQUEST_LIMIT_EXCEEDED", "ConcurrentPerOrgLongTxn Limit exceeded.")
    long_calls.times = 2
    busy.box.faults.append(long_calls)
    assert calls(read(busy.connector, "tasks")) == MANY
    assert busy.waits == [30.0, 30.0]


PASSING = {
    "406 of the edge": Fault("", "answer", status=406),
    "420 of the edge": Fault("", "answer", status=420),
    "429": Fault("", "answer", status=429),
    "500": Fault("", "answer", status=500, body="[]"),
    "502 with a page of HTML": Fault("", "answer", status=502, body="<html>Bad Gateway</html>"),
    "503 with a page of HTML": Fault("", "answer", status=503, body="<html><h1>Down for maintenance</h1></html>"),
    "503 SERVER_UNAVAILABLE": Fault("", "answer", status=503, body='[{"errorCode":"SERVER_UNAVAILABLE"}]'),
    "504": Fault("", "answer", status=504),
    "a connection that is reset": Fault("", "reset"),
    "a reset in the middle of a chunked body": Fault("", "half"),
    "a body that is no JSON": Fault("", "garble"),
    "the session ended": Fault("", "answer", status=401, body='[{"errorCode":"INVALID_SESSION_ID"}]'),
}


@pytest.mark.parametrize("trouble", PASSING.values(), ids=PASSING)
@pytest.mark.parametrize("where", ["/queryAll$", "/0r8"], ids=["at the first page", "between two pages"])
def test_a_passing_trouble_loses_no_row_and_doubles_none(busy: House, trouble: Fault, where: str) -> None:
    busy.box.faults.append(Fault(f"GET .*{where}" if where != "/0r8" else where, **_as_words(trouble)))
    pages = read(busy.connector, "tasks")
    assert (len(pages), calls(pages)) == (5, MANY)
    assert busy.box.faults[0].seen > 1  # it struck, and was tried again


@pytest.mark.parametrize("trouble", PASSING.values(), ids=PASSING)
def test_a_passing_trouble_while_writing_leaves_each_record_once(trouble: Fault) -> None:
    with house() as here:
        list(here.connector.provision([KpiField("calls_made", "Calls made", "count", 0)]))
        here.box.faults.append(Fault("PATCH .*/composite", **_as_words(trouble)))
        change = Change(
            surface=Surface.KPI_RECORDS, key="acme:x", rep=None, before={}, after={"value": 1.0, "name": "x"}, new=True
        )
        [outcome] = here.connector.push([change])
        assert isinstance(outcome, Written)
        assert [row["Value__c"] for row in here.org.rows("Sales_KPI__c")] == [1]


def _as_words(fault: Fault) -> dict[str, object]:
    return {"do": fault.do, "status": fault.status, "body": fault.body}


FOR_GOOD: dict[tuple[int, str], type[CrmError]] = {
    (403, "INSUFFICIENT_ACCESS"): NotAllowed,
    (403, "API_DISABLED_FOR_ORG"): NotAllowed,
    (403, "API_CURRENTLY_DISABLED"): NotAllowed,
    (403, "TXN_SECURITY_METERING_ERROR"): NotAllowed,
    (410, "GONE"): NotAllowed,
    (409, "CONFLICT"): Unreadable,
    (412, "PRECONDITION_FAILED"): Unreadable,
    (414, "URI_TOO_LONG"): Unreadable,
    (431, "REQUEST_HEADER_FIELDS_TOO_LARGE"): Unreadable,
}


@pytest.mark.parametrize(("status", "code"), FOR_GOOD)
def test_what_no_repetition_helps_is_asked_once_and_named(busy: House, status: int, code: str) -> None:
    busy.box.faults.append(refusal(status, code))
    with pytest.raises(FOR_GOOD[status, code]) as told:
        read(busy.connector, "tasks")
    assert told.value.advice
    assert busy.box.faults[0].seen == 1


@pytest.mark.parametrize(
    "words",
    ["This session is not valid for use with the REST API", "Connected app is not attached to Agent"],
)
def test_a_session_that_no_new_one_would_replace_is_not_renewed(busy: House, words: str) -> None:
    busy.box.faults.append(refusal(401, "INVALID_SESSION_ID", words))
    signed_in = len(busy.sent("oauth2/token"))
    with pytest.raises(NotAllowed, match="KPI-SF-053"):
        read(busy.connector, "tasks")
    assert (busy.box.faults[0].seen, len(busy.sent("oauth2/token"))) == (1, signed_in)
