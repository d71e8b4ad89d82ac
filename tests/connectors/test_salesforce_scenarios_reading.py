"""What happens to a reader in the middle of a run: pages that shrink, stamps that tie, rows that come late or go."""

import json
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from connectors.contract import KpiField, NotProvisioned, Page, Provisioned
from connectors.salesforce import SalesforceConnector
from crm_sandbox.salesforce import change, clock_ahead, delete, insert, merge, security, undelete, unshare
from crm_sandbox.serving import Fault
from crm_sandbox.world import Promotion, Prospect
from kpi_engine.records import Campaign, Deal, Interaction, Lead, Task
from sync.cache import Cache
from tests.connectors.salesforce_world import House, ago, house, read, records, small_world

STAMPED = 10_000


@pytest.fixture
def cache(tmp_path: Path) -> Iterator[Cache]:
    kept = Cache.open(f"sqlite:///{tmp_path}/cache.db", "acme")
    yield kept
    kept.close()


def absorbed(connector: SalesforceConnector, cache: Cache, stream: str) -> None:
    for page in connector.read(stream, cache.cursor(stream)):
        cache.absorb(page, "UTC")


def read_whole(connector: SalesforceConnector, cache: Cache, stream: str) -> None:
    """What the weekly full pull does with one stream."""
    cache.forget_everything()
    absorbed(connector, cache, stream)
    cache.sweep([stream])


def living(cache: Cache, kind: str) -> set[str]:
    table = cache.tables([kind])[kind].collect()
    return set(table.filter(~table["deleted"])["id"])


def to_do(house: House, number: int, **stamps: object) -> str:
    fields = {"Subject": f"{number}", "OwnerId": house.key("seller", "ana"), "Status": "Completed"}
    return insert(house.org, "Task", fields, stamps)


def test_ten_thousand_rows_with_one_stamp_are_each_read_though_locators_expire_and_pages_shrink() -> None:
    with house(small_world(calls=0)) as here:
        same = ago(days=2)
        made = {to_do(here, number, SystemModstamp=same) for number in range(STAMPED)}
        pages: list[Page] = []
        for page in here.connector.read("tasks", None):
            pages.append(page)
            here.org.pages.sizes = (700,)  # from the second page on
            if len(pages) % 3 == 0:
                here.org.pages.forget()
        found = [row.id for page in pages for row in page.rows if isinstance(row, Task)]
        assert (len(found), set(found)) == (STAMPED, made)


def test_pages_that_shrink_to_two_hundred_in_the_middle_of_a_run_lose_nothing() -> None:
    with house(small_world(calls=2_600)) as here:
        pages = here.connector.read("tasks", None)
        first = next(pages)
        here.org.pages.sizes = (200,)
        found = [first, *pages]
        assert [len(records([page], Task)) for page in found] == [2000, 200, 200, 200]
        assert len(records(found, Interaction)) == 2_600


def test_a_row_that_commits_late_within_the_overlap_is_read_by_the_next_run() -> None:
    with house() as here:
        cursor = read(here.connector, "tasks")[-1].cursor
        late = to_do(here, 1, SystemModstamp=here.org.now() - timedelta(minutes=9))
        assert late in records(read(here.again(), "tasks", cursor), Task)


def test_a_row_that_commits_later_than_the_overlap_is_read_by_the_weekly_full_pull(cache: Cache) -> None:
    with house() as here:
        absorbed(here.connector, cache, "tasks")
        late = to_do(here, 1, SystemModstamp=here.org.now() - timedelta(minutes=30))
        absorbed(here.again(), cache, "tasks")
        assert late not in living(cache, "task")
        read_whole(here.again(), cache, "tasks")
        assert late in living(cache, "task")


def test_the_overlap_can_be_made_longer_where_transactions_take_long() -> None:
    with house(overlap_minutes=45) as here:
        cursor = read(here.connector, "tasks")[-1].cursor
        late = to_do(here, 1, SystemModstamp=here.org.now() - timedelta(minutes=30))
        assert late in records(read(here.again(), "tasks", cursor), Task)


def test_a_row_that_was_deleted_restored_and_deleted_again_ends_deleted(cache: Cache) -> None:
    with house() as here:
        absorbed(here.connector, cache, "tasks")
        call = here.key("call", "call-1")
        seen = []
        for step in (delete, undelete, delete):
            step(here.org, "Task", call)
            clock_ahead(here.org, 60)
            absorbed(here.again(), cache, "tasks")
            seen.append(call in living(cache, "interaction"))
        assert seen == [False, True, False]


def test_a_hard_deleted_row_leaves_no_trace_and_is_gone_after_the_weekly_full_pull(cache: Cache) -> None:
    with house() as here:
        absorbed(here.connector, cache, "tasks")
        call = here.key("call", "call-1")
        delete(here.org, "Task", call, hard=True)
        absorbed(here.again(), cache, "tasks")
        assert call in living(cache, "interaction")  # nothing tells of it
        read_whole(here.again(), cache, "tasks")
        assert living(cache, "interaction") == {here.key("call", "call-0"), here.key("call", "call-2")}


def test_a_row_that_is_no_longer_shared_with_us_is_gone_after_the_weekly_full_pull_and_back_after_the_next(
    cache: Cache,
) -> None:
    with house() as here:
        absorbed(here.connector, cache, "tasks")
        call, seen = here.key("call", "call-1"), []
        for hidden in ([call], []):
            unshare(here.org, hidden)
            absorbed(here.again(), cache, "tasks")
            seen.append(call in living(cache, "interaction"))  # no stamp moved: nothing tells of it
            read_whole(here.again(), cache, "tasks")
            seen.append(call in living(cache, "interaction"))
        assert seen[1::2] == [False, True]


def test_a_merge_deletes_the_loser_and_names_the_winner(cache: Cache) -> None:
    people = tuple(Prospect(key, "Lea Roy", f"{key}@x.example", "X", "ana", ago(days=9)) for key in ("lea", "twin"))
    with house(small_world(prospects=people)) as here:
        for stream in ("leads", "tasks"):
            absorbed(here.connector, cache, stream)
        lea, twin = here.key("prospect", "lea"), here.key("prospect", "twin")
        merge(here.org, "Lead", lea, [twin])
        pages = read(here.again(), "leads", cache.cursor("leads"))
        lost = records(pages, Lead)[twin]
        assert (lost.deleted, lost.merged_into) == (True, lea)


def test_a_token_that_lives_for_three_requests_is_renewed_as_often_as_it_takes() -> None:
    with house(small_world(calls=900)) as here:
        here.org.pages.sizes = (200,)
        here.org.auth.expire_after = 3
        pages = []
        for page in here.connector.read("tasks", None):
            pages.append(page)
            here.org.auth.expire_after = 3
        assert len(records(pages, Interaction)) == 900
        assert len(here.sent("oauth2/token")) >= 2


def test_a_bulk_result_with_newlines_quotes_nul_bytes_and_exponents_is_read_to_the_last_digit() -> None:
    names = {"a": "Lines\nand\r\nmore", "b": 'He said "no", then "yes"', "c": "Nul\x00byte", "d": "Ünïcödé; , \t x"}
    with house(small_world(calls=0), bulk_from=1) as here:
        owner = here.key("seller", "ana")
        stage = {"StageName": "Closed Won", "CloseDate": "2026-11-10", "OwnerId": owner}
        made = {
            key: insert(here.org, "Opportunity", {"Name": name, "Amount": "123456789012.25", **stage})
            for key, name in names.items()
        }
        found = records(read(here.connector, "opportunities"), Deal)
        assert here.sent("jobs/query")
        assert {found[made[key]].amount for key in names} == {123_456_789_012_250_000}  # came as 1.2345678901225E11
        assert {key: found[made[key]].name for key in names} == {**names, "c": "Nulbyte"}


def test_an_org_without_a_usable_running_user_gets_everything_but_the_dashboard_and_is_told_why() -> None:
    with house() as here:
        nobody = json.dumps({"user_id": here.org.integration, "preferred_username": "gone@acme.example"})
        here.box.faults.append(Fault("userinfo", "answer", status=200, body=nobody, times=None))
        security(here.org, {"User.Username": "hidden"})
        outcomes = list(here.connector.provision([KpiField("calls_made", "Calls made", "count", 0)]))
        refused = {each.what: each for each in outcomes if isinstance(each, NotProvisioned)}
        assert set(refused) == {"dashboard Sales_KPIs/Sales_KPI"}
        assert "user" in refused["dashboard Sales_KPIs/Sales_KPI"].reason.lower()
        assert refused["dashboard Sales_KPIs/Sales_KPI"].advice
        again = list(here.again().provision([KpiField("calls_made", "Calls made", "count", 0)]))
        assert {each.what for each in again if isinstance(each, Provisioned) and each.made} == set()


def test_a_campaign_s_totals_move_without_its_stamp_and_its_deals_tell_what_they_are() -> None:
    fair = Promotion("fair", "Fair", "ana", ago(days=30).date(), Decimal(400))
    with house(small_world(promotions=(fair,)), overlap_minutes=0) as here:
        campaign, deal = here.key("promotion", "fair"), here.key("sale", "deal")
        clock_ahead(here.org, 60)
        campaigns = read(here.connector, "campaigns")[-1].cursor
        deals = read(here.connector, "opportunities")[-1].cursor
        clock_ahead(here.org, 60)
        change(here.org, "Opportunity", deal, {"CampaignId": campaign, "Amount": 700})
        assert [row["AmountWonOpportunities"] for row in here.org.rows("Campaign")] == [700]
        assert records(read(here.again(), "campaigns", campaigns), Campaign) == {}
        found = records(read(here.again(), "opportunities", deals), Deal)[deal]
        assert (found.campaign, found.amount) == (campaign, 700_000_000)
