"""Folders of files become worlds: which data set it is, and what becomes of every row.

The expected figures were counted in the files themselves, with awk.
"""

import os
import shutil
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path

import pytest

from crm_sandbox.loader import UnreadableFolder, load
from crm_sandbox.world import World

NOW = datetime(2026, 11, 25, 10, 30, tzinfo=UTC)
UCI_FOLDER = Path(__file__).parent.parent / "data" / "uci_bank_marketing"
OUTSIDE_FOLDER = os.environ.get("KPISYNC_DATA_DIR")

needs_maven = pytest.mark.skipif(
    not OUTSIDE_FOLDER, reason="KPISYNC_DATA_DIR is not set; it names the folder that holds maven_crm/"
)


@cache
def uci() -> World:
    return load(UCI_FOLDER, NOW)


@cache
def maven() -> World:
    return load(Path(OUTSIDE_FOLDER or "") / "maven_crm", NOW)


def test_every_row_of_the_bank_becomes_an_outbound_call_with_its_duration() -> None:
    assert len(uci().calls) == 45_211
    assert sum(call.seconds or 0 for call in uci().calls) == 11_671_811
    assert max(call.seconds or 0 for call in uci().calls) == 4918
    assert {(call.direction, call.status) for call in uci().calls} == {("out", "completed")}


def test_half_a_minute_of_talk_makes_an_answered_call() -> None:
    outcomes = Counter(call.outcome for call in uci().calls)
    assert outcomes == {"Connected": 43_264, "No answer": 3, None: 1944}
    assert sum(call.seconds or 0 for call in uci().calls if call.outcome == "Connected") == 11_638_698


def test_the_banks_calls_go_from_may_2008_to_november_2010_in_the_order_of_the_file() -> None:
    moments = [call.at for call in uci().calls]
    assert moments == sorted(moments)
    assert moments[0] == datetime(2008, 5, 5, 8, 0, 0, tzinfo=UTC)  # nine o'clock in Lisbon's summer
    assert moments[-1].date() == date(2010, 11, 17)
    assert {call.at.astimezone(UTC).hour for call in uci().calls} == set(range(8, 17))


def test_eight_agents_share_the_banks_calls_by_row_number() -> None:
    calls = Counter(call.seller for call in uci().calls)
    assert calls["uci-agent-1"] == calls["uci-agent-2"] == calls["uci-agent-3"] == 5652
    assert {calls[f"uci-agent-{number}"] for number in (0, 4, 5, 6, 7)} == {5651}
    managers = {seller.key: seller.manager for seller in uci().sellers}
    assert managers == {"uci-lead": None, **{f"uci-agent-{number}": "uci-lead" for number in range(8)}}


def test_everyone_the_bank_called_is_a_contact_and_no_lead() -> None:
    assert len(uci().prospects) == 45_211
    assert not any(person.is_lead for person in uci().prospects)
    assert uci().prospects[0].company == "management"
    assert uci().calls[0].people == ("uci-client-1",)


def test_a_subscription_is_a_deal_won_on_the_day_of_the_call_for_an_unknown_amount() -> None:
    assert len(uci().sales) == 5289
    assert {(sale.stage, sale.amount) for sale in uci().sales} == {("won", None)}
    calls = {call.key.removeprefix("uci-call-"): call for call in uci().calls}
    for sale in uci().sales:
        call = calls[sale.key.removeprefix("uci-deposit-")]
        assert (call.deals, call.people, call.seller) == ((sale.key,), sale.people, sale.owner)
        assert sale.closed == call.at.date()


@needs_maven
def test_maven_has_8800_deals_in_their_stages() -> None:
    assert len(maven().sales) == 8800
    assert Counter(sale.stage for sale in maven().sales) == {"won": 4238, "lost": 2473, "open": 2089}
    assert sum(sale.amount or 0 for sale in maven().sales if sale.stage == "won") == Decimal(10_005_534)
    assert {sale.amount for sale in maven().sales if sale.stage == "open"} == {None}
    assert {sale.amount for sale in maven().sales if sale.stage == "lost"} == {Decimal(0)}
    assert {sale.currency for sale in maven().sales} == {"USD"}


@needs_maven
def test_the_best_agent_of_maven_won_349_deals_in_17250_days() -> None:
    won = [sale for sale in maven().sales if sale.stage == "won" and sale.owner == "darcel.schlecht"]
    assert (len(won), sum(sale.amount or 0 for sale in won)) == (349, Decimal(1_153_214))
    assert sum((sale.closed - sale.created.date()).days for sale in won) == 17_250


@needs_maven
def test_maven_won_531_deals_in_june_2017() -> None:
    june = [sale for sale in maven().sales if sale.stage == "won" and sale.closed.strftime("%Y-%m") == "2017-06"]
    assert (len(june), sum(sale.amount or 0 for sale in june)) == (531, Decimal(1_338_466))


@needs_maven
def test_mavens_dirt_is_left_as_it_is() -> None:
    assert sum(sale.account is None for sale in maven().sales) == 1425
    assert sum("GTXPro" in sale.name for sale in maven().sales) == 1480
    first = maven().sales[0]
    assert (first.key, first.name, first.account) == ("1C1I7A6R", "Cancity · GTX Plus Basic", "Cancity")


@needs_maven
def test_a_deal_that_was_never_engaged_was_made_on_mavens_last_day() -> None:
    made = Counter(sale.created for sale in maven().sales if sale.stage == "open")
    assert made[datetime(2017, 12, 31, 12, tzinfo=UTC)] == 500
    assert all(
        sale.closed - sale.created.date() == timedelta(days=90) for sale in maven().sales if sale.stage == "open"
    )


@needs_maven
def test_maven_has_35_agents_under_six_managers_in_three_regions() -> None:
    agents = [seller for seller in maven().sellers if seller.manager]
    managers = [seller for seller in maven().sellers if not seller.manager]
    assert (len(agents), len(managers)) == (35, 6)
    assert Counter(seller.team for seller in managers) == {"Central": 2, "East": 2, "West": 2}
    mei = next(seller for seller in agents if seller.name == "Mei-Mei Johns")
    assert (mei.email, mei.manager, mei.team) == ("mei-mei.johns@example.com", "melvin.marxen", "Central")


@needs_maven
def test_folders_beside_each_other_become_one_company() -> None:
    world = load(Path(OUTSIDE_FOLDER or ""), NOW)
    assert (len(world.sales), len(world.calls), len(world.sellers)) == (8800 + 5289, 45_211, 41 + 9)
    assert world.name == "Maven CRM Sales Opportunities + UCI Bank Marketing"
    assert world.currency == "USD"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A small pipeline of Maven's kind."""
    (tmp_path / "sales_teams.csv").write_text("sales_agent,manager,regional_office\nAna Ruiz,Bo Li,West\n")
    (tmp_path / "sales_pipeline.csv").write_text(
        "opportunity_id,sales_agent,product,account,deal_stage,engage_date,close_date,close_value\n"
        "A1,Ana Ruiz,GTXPro,Isdom,Won,2017-01-02,2017-02-03,4514\n"
        "A2,Zoë Núñez,MG Special,,Prospecting,,,\n"
    )
    return tmp_path


def test_a_pipeline_of_the_same_shape_loads_with_agents_that_no_team_names(folder: Path) -> None:
    world = load(folder, NOW)
    assert [(seller.key, seller.manager) for seller in world.sellers] == [
        ("bo.li", None),
        ("ana.ruiz", "bo.li"),
        ("zoe.nunez", None),
    ]
    won, open_deal = world.sales
    assert (won.created, won.closed_at) == (
        datetime(2017, 1, 2, 12, tzinfo=UTC),
        datetime(2017, 2, 3, 12, tzinfo=UTC),
    )
    assert (open_deal.name, open_deal.owner) == ("MG Special", "zoe.nunez")
    assert open_deal.created == datetime(2017, 2, 3, 12, tzinfo=UTC)
    assert (open_deal.closed, open_deal.closed_at) == (date(2017, 5, 4), None)


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("2017-02-03", "03/02/2017", "line 2, column close_date: '03/02/2017' is no date"),
        ("4514", "4,5", "line 2: 9 cells under 8 columns"),
        ("4514", "much", "line 2, column close_value: 'much' is no number"),
        ("Prospecting", "Dreaming", "line 3, column deal_stage: 'Dreaming' is no stage; known are Won, Lost"),
        ("2017-02-03", "", "line 2, column close_date: the cell is empty though the deal is closed"),
        ("Ana Ruiz,GTX", ",GTX", "line 2, column sales_agent: the cell is empty"),
        ("close_value", "value", "line 1: column close_value is missing. Columns found: opportunity_id"),
        ("4514", '"4514', "line 2: this is not CSV"),
    ],
)
def test_a_slip_in_a_pipeline_is_named_with_its_line_and_column(
    folder: Path, old: str, new: str, complaint: str
) -> None:
    path = folder / "sales_pipeline.csv"
    path.write_text(path.read_text().replace(old, new))
    with pytest.raises(UnreadableFolder, match=r"^sales_pipeline\.csv, ") as raised:
        load(folder, NOW)
    assert complaint in str(raised.value)


def test_a_pipeline_without_its_teams_says_which_file_is_missing(folder: Path) -> None:
    (folder / "sales_teams.csv").unlink()
    with pytest.raises(UnreadableFolder, match=r"sales_pipeline\.csv needs sales_teams\.csv beside it"):
        load(folder, NOW)


BANK = '"job";" day ";"month";"duration";"y"\n"student";5;"dec";29;"no"\n"retired";2;"jan";31;"yes"\n'


def test_the_banks_file_may_have_semicolons_quotes_and_padded_names(tmp_path: Path) -> None:
    (tmp_path / "bank-full.csv").write_text(BANK)
    first, second = load(tmp_path, NOW).calls
    assert (first.at, first.outcome, first.seconds) == (datetime(2008, 12, 5, 9, tzinfo=UTC), None, 29)
    assert (second.at, second.outcome, second.deals) == (
        datetime(2009, 1, 2, 9, tzinfo=UTC),
        "Connected",
        ("uci-deposit-2",),
    )


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ('"dec"', '"maj"', "line 2, column month: 'maj' is no month; known are jan, feb"),
        (";2;", ";32;", "line 3, column day: '32' is no day of jan 2009"),
        (";31;", ";long;", "line 3, column duration: 'long' is no whole number"),
        ('"yes"', '"maybe"', "line 3, column y: 'maybe' is neither yes nor no"),
        ("student", "", "line 2, column job: the cell is empty"),
    ],
)
def test_a_slip_in_the_banks_file_is_named(tmp_path: Path, old: str, new: str, complaint: str) -> None:
    (tmp_path / "bank-full.csv").write_text(BANK.replace(old, new))
    with pytest.raises(UnreadableFolder) as raised:
        load(tmp_path, NOW)
    assert str(raised.value).startswith(f"bank-full.csv, {complaint}")


def test_a_damaged_gzip_file_says_so(tmp_path: Path) -> None:
    whole = (UCI_FOLDER / "bank-full.csv.gz").read_bytes()
    (tmp_path / "bank-full.csv.gz").write_bytes(whole[:1000])
    with pytest.raises(UnreadableFolder, match=r"bank-full\.csv\.gz: the file is damaged"):
        load(tmp_path, NOW)


def test_a_folder_of_something_else_is_told_what_is_recognised(tmp_path: Path) -> None:
    (tmp_path / "holiday.jpg").write_bytes(b"")
    with pytest.raises(UnreadableFolder, match=r"is known\. Recognised are: sales_pipeline\.csv .*bank-full.*sellers"):
        load(tmp_path, NOW)


def test_a_folder_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFolder, match="is not a folder"):
        load(tmp_path / "nowhere", NOW)


def test_the_same_data_set_in_two_folders_is_not_added_up(tmp_path: Path, folder: Path) -> None:
    shutil.copytree(folder, tmp_path / "again", ignore=shutil.ignore_patterns("again"))
    with pytest.raises(UnreadableFolder, match=r"hold sellers with the key 'bo\.li'"):
        load(tmp_path, NOW)
