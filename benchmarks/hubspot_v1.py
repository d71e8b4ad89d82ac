"""HubSpot as the two peers know it: the first version's deals and engagements, and objects that this portal lacks.

The pretend HubSpot has neither. `tap-hubspot` reads deals and engagements by version 1; they are answered here with the
same records, put into version 1's shape before the race begins, so that the server has next to nothing to do for them
(without the `versions` of each property, which HubSpot sends too: less to read for the peer). Both taps ask for the
properties of objects that the pretend portal does not know; they get the 403 of a token without the scope, which both
know how to pass over.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec

from crm_sandbox.serving import Crm, Request, Response

DEAL_PAGE, ENGAGEMENT_PAGE, LIST_PAGE, BATCH = 250, 200, 100, 1000
NO_SCOPE = {"status": "error", "category": "MISSING_SCOPES", "message": "This token may not read these objects."}


class WithVersionOne:
    """A portal that also answers what the two taps ask."""

    def __init__(self, portal: Crm, token: str) -> None:
        self._portal = portal
        self._authorised = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        self._definitions = msgspec.json.encode(self._defined("deals"))
        names = {kind: [each["name"] for each in self._defined(kind)] for kind in ("deals", "calls")}
        self._deals = [msgspec.json.encode(deal(row)) for row in self._listed("deals", names["deals"])]
        calls = list(self._listed("calls", names["calls"]))
        about = self._associated("calls", "deals", [row["id"] for row in calls])
        self._engagements = [msgspec.json.encode(engagement(row, about.get(row["id"], []))) for row in calls]
        self._answers: Mapping[str, Callable[[Request], Response]] = {
            "/properties/v1/deals/properties": lambda _: _json(self._definitions),
            "/deals/v1/deal/paged": lambda request: page_of_deals(request, self._deals),
            "/engagements/v1/engagements/modified/after": lambda request: page_of_engagements(
                request, self._engagements
            ),
            "/companies/v2/properties": lambda _: Response.of_json(403, NO_SCOPE),
        }

    def answer(self, request: Request) -> Response:
        """Version 1 from here, everything else from the portal."""
        own = self._answers.get(request.path)
        if own:
            return own(request)
        response = self._portal.answer(request)
        unknown = response.status in {400, 404} and request.path.startswith("/crm/v3/properties/")
        return Response.of_json(403, NO_SCOPE) if unknown else response

    def control(self, request: Request) -> Response:
        """The portal's own."""
        return self._portal.control(request)

    def _defined(self, kind: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self._ask("GET", f"/crm/v3/properties/{kind}")["results"]
        return found

    def _listed(self, kind: str, properties: Sequence[str]) -> Iterator[dict[str, Any]]:
        asked = {"limit": str(LIST_PAGE), "properties": ",".join(properties)}
        while True:
            page = self._ask("GET", f"/crm/v3/objects/{kind}", asked)
            yield from page["results"]
            if "paging" not in page:
                return
            asked["after"] = page["paging"]["next"]["after"]

    def _associated(self, kind: str, to: str, ids: Sequence[str]) -> dict[str, list[int]]:
        found: dict[str, list[int]] = {}
        for start in range(0, len(ids), BATCH):
            body = msgspec.json.encode({"inputs": [{"id": each} for each in ids[start : start + BATCH]]})
            for one in self._ask("POST", f"/crm/v4/associations/{kind}/{to}/batch/read", body=body)["results"]:
                found[str(one["from"]["id"])] = [int(each["toObjectId"]) for each in one["to"]]
        return found

    def _ask(self, method: str, path: str, params: Mapping[str, str] | None = None, body: bytes = b"") -> Any:
        response = self._portal.answer(Request(method, path, tuple((params or {}).items()), self._authorised, body))
        return msgspec.json.decode(response.body)


def deal(row: Mapping[str, Any]) -> dict[str, Any]:
    """A deal as version 1 tells it: only properties that have a value, each with when it got it."""
    at = millis(row["updatedAt"])
    return {
        "portalId": 1,
        "dealId": int(row["id"]),
        "isDeleted": False,
        "associations": {"associatedVids": [], "associatedCompanyIds": [], "associatedDealIds": []},
        "properties": {
            name: {"value": value, "timestamp": at, "source": "API", "sourceId": None}
            for name, value in row["properties"].items()
            if value is not None
        },
    }


def engagement(row: Mapping[str, Any], deals: Sequence[int]) -> dict[str, Any]:
    """A call as version 1 tells it."""
    properties = row["properties"]
    return {
        "engagement": {
            "id": int(row["id"]),
            "portalId": 1,
            "active": True,
            "createdAt": millis(row["createdAt"]),
            "lastUpdated": millis(row["updatedAt"]),
            "ownerId": int(properties.get("hubspot_owner_id") or 0),
            "type": "CALL",
            "timestamp": millis(properties["hs_timestamp"]),
        },
        "associations": {"contactIds": [], "companyIds": [], "dealIds": list(deals)},
        "attachments": [],
        "metadata": {
            "status": properties.get("hs_call_status"),
            "durationMilliseconds": int(properties.get("hs_call_duration") or 0),
            "disposition": properties.get("hs_call_disposition"),
        },
    }


def page_of_deals(request: Request, deals: Sequence[bytes]) -> Response:
    """`limit` deals from `offset` on."""
    start = int(request.param("offset") or 0)
    end = start + min(int(request.param("limit") or LIST_PAGE), DEAL_PAGE)
    more = b"true" if end < len(deals) else b"false"
    return _json(b'{"deals":[%s],"hasMore":%s,"offset":%d}' % (b",".join(deals[start:end]), more, end))


def page_of_engagements(request: Request, engagements: Sequence[bytes]) -> Response:
    """`limit` engagements after a cursor; the first one is a moment in milliseconds, before all of ours."""
    cursor = request.param("after") or ""
    start = int(cursor.removeprefix("at-")) if cursor.startswith("at-") else 0
    end = start + min(int(request.param("limit") or LIST_PAGE), ENGAGEMENT_PAGE)
    more = b"true" if end < len(engagements) else b"false"
    return _json(b'{"results":[%s],"hasMore":%s,"after":"at-%d"}' % (b",".join(engagements[start:end]), more, end))


def millis(text: str) -> int:
    """An ISO moment in milliseconds."""
    return round(datetime.fromisoformat(text).timestamp() * 1000)


def _json(body: bytes) -> Response:
    return Response(200, body, {"Content-Type": "application/json;charset=utf-8"})
