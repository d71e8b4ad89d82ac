"""Who works here: owners, settings users, teams; and what the account says of itself."""

from typing import Any

from crm_sandbox.hubspot import errors
from crm_sandbox.hubspot.call import Call, encode_cursor, next_page
from crm_sandbox.hubspot.errors import answer
from crm_sandbox.hubspot.limits import Meter
from crm_sandbox.hubspot.money import Rates
from crm_sandbox.hubspot.store import Owner, Store
from crm_sandbox.hubspot.values import iso
from crm_sandbox.serving import Response

MOST_OWNERS = 500


def answer_owners(store: Store, call: Call) -> Response:
    """/crm/owners/{version}[/{id}]."""
    call.demand("crm.objects.owners.read")
    archived = call.flag("archived")
    owners = [owner for owner in store.owners.values() if owner.archived == archived]
    match call.method, *call.rest:
        case ("GET",):
            return _list_owners(store, call, owners)
        case "GET", wanted:
            by_user = call.request.param("idProperty") == "userId"
            for owner in owners:
                if wanted == (str(owner.user_id) if by_user else owner.id):
                    return answer(200, _owner(store, owner))
            raise errors.not_found()
        case _:
            raise errors.not_found()


def _list_owners(store: Store, call: Call, owners: list[Owner]) -> Response:
    email = call.request.param("email")
    limit, after = call.limit(100, MOST_OWNERS), call.after()
    listed = [owner for owner in owners if int(owner.id) > after and email in {None, owner.email}]
    body: dict[str, Any] = {"results": [_owner(store, owner) for owner in listed[:limit]]}
    if len(listed) > limit:
        body["paging"] = next_page(encode_cursor(int(listed[limit - 1].id)))
    return answer(200, body)


def _owner(store: Store, owner: Owner) -> dict[str, Any]:
    """An archived owner's user is gone; only `userIdIncludingInactive` still names it."""
    shown: dict[str, Any] = {
        "id": owner.id,
        "email": owner.email,
        "type": owner.kind,
        "firstName": owner.first_name,
        "lastName": owner.last_name,
        "createdAt": iso(owner.created),
        "updatedAt": iso(owner.modified),
        "archived": owner.archived,
    }
    if owner.user_id is not None:
        shown["userIdIncludingInactive"] = owner.user_id
        if not owner.archived:
            shown["userId"] = owner.user_id
    if owner.teams:
        shown["teams"] = [
            {"id": team_id, "name": store.teams[team_id].name, "primary": place == 0}
            for place, team_id in enumerate(owner.teams)
        ]
    return shown


def answer_users(store: Store, call: Call) -> Response:
    """/settings/users/{version}[/teams] and /settings/teams/{version}[/{id}/members]."""
    match call.method, *call.rest:
        case "GET", "users":
            call.demand("settings.users.read")
            return answer(200, {"results": [_user(owner) for owner in store.owners.values() if _has_user(owner)]})
        case "GET", "users", "teams":
            call.demand("settings.users.teams.read")
            teams: list[dict[str, Any]] = [
                {
                    "id": team.id,
                    "name": team.name,
                    "userIds": [str(user) for user in team.user_ids],
                    "secondaryUserIds": [],
                }
                for team in store.teams.values()
            ]
            return answer(200, {"results": teams})
        case "GET", "teams":
            call.demand("settings.users.teams.read")
            teams = [{"id": team.id, "name": team.name, "parentTeamId": None} for team in store.teams.values()]
            return answer(200, {"results": teams})
        case "GET", "teams", team_id, "members" if team_id in store.teams:
            call.demand("settings.users.teams.read")
            members = [{"userId": str(user), "type": "DEFAULT"} for user in store.teams[team_id].user_ids]
            return answer(200, {"results": members})
        case _:
            raise errors.not_found()


def _has_user(owner: Owner) -> bool:
    return owner.user_id is not None and not owner.archived


def _user(owner: Owner) -> dict[str, Any]:
    return {
        "id": str(owner.user_id),
        "email": owner.email,
        "firstName": owner.first_name,
        "lastName": owner.last_name,
        "primaryTeamId": next(iter(owner.teams), None),
        "superAdmin": False,
    }


def answer_account(store: Store, rates: Rates, meter: Meter, call: Call) -> Response:
    """/account-info/{version}/…"""
    match call.method, *call.rest:
        case "GET", "details":
            call.demand("oauth")
            return answer(200, _details(store, rates))
        case "GET", "api-usage", "daily", "private-apps":
            return answer(200, {"results": [meter.usage()]})
        case _:
            raise errors.not_found()


def _details(store: Store, rates: Rates) -> dict[str, Any]:
    offset = rates.utc_offset(store.now())
    sign = "-" if offset < 0 else "+"
    return {
        "portalId": store.portal_id,
        "accountType": "DEVELOPER_TEST",
        "timeZone": store.time_zone,
        "companyCurrency": store.currency,
        "additionalCurrencies": rates.foreign,
        "utcOffset": f"{sign}{abs(offset) // 3600:02d}:{abs(offset) % 3600 // 60:02d}",
        "utcOffsetMilliseconds": offset * 1000,
        "uiDomain": "app.hubspot.com",
        "dataHostingLocation": "na1",
    }


def answer_currencies(store: Store, rates: Rates, call: Call) -> Response:
    """/settings/currencies/{version}/…"""
    call.demand("settings.currencies.read")
    match call.method, *call.rest:
        case "GET", "company-currency":
            return answer(200, {"id": store.currency, "createdAt": iso(0), "updatedAt": iso(0)})
        case "GET", "exchange-rates", "current":
            return answer(200, {"results": rates.current(store.now())})
        case "GET", "exchange-rates":
            return answer(200, {"results": rates.all()})
        case _:
            raise errors.not_found()


def answer_pipelines(store: Store, call: Call) -> Response:
    """/crm/pipelines/{version}/{object}[/{pipeline}[/stages]]: reading only."""
    if not call.rest or call.method != "GET":
        raise errors.not_found()
    table = store.table(call.rest[0])
    plural = table.kind.plural
    call.demand_any(table.kind.read[0], f"crm.schemas.{plural}.read")
    pipelines = store.pipelines.get(table.kind.type_id, [])
    match call.rest[1:]:
        case ():
            return answer(200, {"results": pipelines})
        case (wanted, *rest):
            pipeline = next((known for known in pipelines if known["id"] == wanted), None)
            if pipeline is None or rest not in ([], ["stages"]):
                raise errors.not_found()
            return answer(200, {"results": pipeline["stages"]} if rest else pipeline)
    raise errors.not_found()


def answer_dispositions(store: Store, call: Call) -> Response:
    """GET /calling/v1/dispositions: call outcomes by GUID."""
    call.demand("crm.objects.contacts.read")
    options = store.tables["0-48"].properties["hs_call_disposition"].options
    return answer(200, [{"id": value, "label": label, "deleted": False} for value, label in options])


def answer_enablement(store: Store, call: Call) -> Response:
    """GET /crm/object-library/{version}/enablement/{object}."""
    if call.method != "GET" or call.rest[:1] != ("enablement",) or len(call.rest) != 2:
        raise errors.not_found()
    return answer(200, {"enablement": call.rest[1].lower() in store.names})
