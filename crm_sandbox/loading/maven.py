"""The "CRM Sales Opportunities" data set of Maven Analytics: 8,800 deals of a computer-hardware seller.

`sales_pipeline.csv` and `sales_teams.csv` are read; `products.csv` and `accounts.csv` may lie beside them and are not
needed: product and account stand in the deal's name as the file has them, the misspelt `GTXPro` too.

What the files do not say is settled like this:

* agents and managers are sellers in UTC, the regional office is the team, addresses are made from names;
* a deal was made at noon UTC of its engage date (so that the day is the same in nearly every time zone), and closed at
  noon of its close date; one never engaged (stage Prospecting) was made on the last day that the file mentions;
* `close_value` is the amount in US dollars, of a lost deal 0; an open deal has none;
* an open deal is expected to close 90 days after it was made.
"""

from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

from crm_sandbox.addresses import seller_address
from crm_sandbox.loading.sheet import Row, UnreadableFolder, rows
from crm_sandbox.world import Sale, Seller, World

PIPELINE, TEAMS = "sales_pipeline.csv", "sales_teams.csv"
OPEN_DEALS_EXPECTED_AFTER = timedelta(days=90)

_STAGES = {"Won": "won", "Lost": "lost", "Engaging": "open", "Prospecting": "open"}
_PIPELINE_COLUMNS = (
    "opportunity_id",
    "sales_agent",
    "product",
    "account",
    "deal_stage",
    "engage_date",
    "close_date",
    "close_value",
)


def is_here(folder: Path) -> bool:
    return (folder / PIPELINE).is_file()


def load(folder: Path, now: datetime) -> World:
    if not (folder / TEAMS).is_file():
        raise UnreadableFolder(f"{PIPELINE} needs {TEAMS} beside it: it says who manages whom.")
    deals = tuple(rows(folder / PIPELINE, _PIPELINE_COLUMNS))
    last_day = max(
        (day for deal in deals for day in (deal.day("engage_date"), deal.day("close_date")) if day), default=None
    )
    teams = tuple(rows(folder / TEAMS, ("sales_agent", "manager", "regional_office")))
    return World(
        "Maven CRM Sales Opportunities",
        now,
        currency="USD",
        sellers=_sellers(teams, deals),
        sales=tuple(_sale(deal, last_day or now.date()) for deal in deals),
    )


def _sellers(teams: tuple[Row, ...], deals: tuple[Row, ...]) -> tuple[Seller, ...]:
    """Managers, their agents, and agents that no team names."""
    managers = {row.text("manager"): row.text("regional_office") for row in teams}
    agents = {row.text("sales_agent"): (row.text("manager"), row.text("regional_office")) for row in teams}
    strangers = dict.fromkeys(deal.text("sales_agent") for deal in deals)
    return (
        *(_seller(name, None, team) for name, team in managers.items() if name not in agents),
        *(_seller(name, manager, team) for name, (manager, team) in agents.items()),
        *(_seller(name, None, None) for name in strangers if name not in agents and name not in managers),
    )


def _seller(name: str, manager: str | None, team: str | None) -> Seller:
    return Seller(_key(name), name, seller_address(name), _key(manager) if manager else None, team)


def _sale(deal: Row, last_day: date) -> Sale:
    made = deal.day("engage_date") or last_day
    stage = _STAGES.get(deal.text("deal_stage")) or deal.wrong(
        "deal_stage", f"{deal.text('deal_stage')!r} is no stage; known are {', '.join(_STAGES)}"
    )
    over = deal.day("close_date")
    if over is None and stage != "open":
        deal.wrong("close_date", "the cell is empty though the deal is closed")
    account = deal.maybe("account")
    return Sale(
        deal.text("opportunity_id"),
        " · ".join(filter(None, (account, deal.maybe("product")))),
        ((_noon(made), _key(deal.text("sales_agent"))),),
        _noon(made),
        stage,
        over or made + OPEN_DEALS_EXPECTED_AFTER,
        _noon(over) if over else None,
        deal.amount("close_value"),
        "USD",
        account,
    )


def _key(name: str) -> str:
    return seller_address(name).partition("@")[0]


def _noon(day: date) -> datetime:
    return datetime.combine(day, time(12), UTC)
