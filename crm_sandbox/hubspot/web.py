"""What people did on the website: forms that they sent, pages that they looked at."""

from typing import Any

from crm_sandbox.hubspot import errors
from crm_sandbox.hubspot.call import Call, encode_cursor, next_page
from crm_sandbox.hubspot.errors import answer
from crm_sandbox.hubspot.marketing import Marketing, Viewed
from crm_sandbox.hubspot.store import Store
from crm_sandbox.hubspot.values import is_number, iso, moment_of
from crm_sandbox.serving import Response

MOST_SUBMISSIONS = 50
VIEWED = "e_visited_page"


def answer_forms(marketing: Marketing, call: Call) -> Response:
    """/marketing/v3/forms[/{guid}]."""
    call.demand("forms")
    forms = [{"id": guid, "name": name, "formType": "hubspot"} for guid, name in sorted(marketing.forms.items())]
    match call.method, *call.rest:
        case ("GET",):
            limit, after = call.limit(20, 100), call.after() + 1
            body: dict[str, Any] = {"results": forms[after : after + limit]}
            if after + limit < len(forms):
                body["paging"] = next_page(encode_cursor(after + limit - 1))
            return answer(200, body)
        case "GET", guid if guid in marketing.forms:
            return answer(200, next(form for form in forms if form["id"] == guid))
        case _:
            raise errors.not_found()


def answer_submissions(marketing: Marketing, call: Call) -> Response:
    """GET /form-integrations/v1/submissions/forms/{guid}: newest first; only the e-mail says whose."""
    call.demand("forms")
    guid = call.rest[0] if call.rest else ""
    if guid not in marketing.forms or call.method != "GET":
        raise errors.not_found()
    limit, after = call.limit(20, MOST_SUBMISSIONS), call.after() + 1
    filled = sorted(
        (entry for entry in marketing.filled if entry.form == guid), key=lambda entry: (-entry.at, entry.number)
    )
    results = [
        {
            "conversionId": f"0f3c1b52-0000-4000-8000-{entry.number:012x}",
            "submittedAt": entry.at,
            "values": [{"name": "email", "value": entry.email, "objectTypeId": "0-1"}],
            "pageUrl": f"https://www.example.com/{guid}",
        }
        for entry in filled[after : after + limit]
    ]
    body: dict[str, Any] = {"results": results}
    if after + limit < len(filled):
        body["paging"] = next_page(encode_cursor(after + limit - 1))
    return answer(200, body)


def answer_events(store: Store, marketing: Marketing, call: Call) -> Response:
    """/events/event-occurrences/{version}: page views, on Enterprise only."""
    call.demand("oauth", "crm.objects.contacts.read")
    if store.rules.tier != "enterprise":
        raise errors.not_in_this_tier("event analytics", "Enterprise")
    if call.method != "GET":
        raise errors.not_found()
    if call.rest == ("event-types",):
        return answer(200, {"eventTypes": [VIEWED, "e_submitted_form"]})
    if call.rest:
        raise errors.not_found()
    wanted, kind = call.request.param("objectId"), call.request.param("eventType")
    if wanted is None and kind is None:
        raise errors.invalid("objectId or eventType is required")
    viewed = [] if kind not in {None, VIEWED} else _views(store, marketing, call, wanted)
    limit, after = call.limit(100, 1_000), call.after() + 1
    body: dict[str, Any] = {"results": [_occurrence(store, entry) for entry in viewed[after : after + limit]]}
    if after + limit < len(viewed):
        body["paging"] = next_page(encode_cursor(after + limit - 1))
    return answer(200, body)


def _views(store: Store, marketing: Marketing, call: Call, wanted: str | None) -> list[Viewed]:
    since = moment_of(call.request.param("occurredAfter") or "") or 0
    until = moment_of(call.request.param("occurredBefore") or "")
    contacts = store.tables["0-1"]
    row = contacts.find(int(wanted)) if wanted and is_number(wanted) else None
    found = [
        entry
        for entry in marketing.viewed
        if since <= entry.at
        and (until is None or entry.at < until)
        and (wanted is None or (row is not None and contacts.find(entry.contact) is row))
    ]
    rising = not (call.request.param("sort") or "").startswith("-")
    return sorted(found, key=lambda entry: (entry.at if rising else -entry.at, entry.number))


def _occurrence(store: Store, entry: Viewed) -> dict[str, Any]:
    """An event moves along when its contact is merged into another one."""
    contact = store.tables["0-1"].find(entry.contact)
    return {
        "id": f"5b1d2c30-0000-4000-8000-{entry.number:012x}",
        "eventType": VIEWED,
        "objectType": "CONTACT",
        "objectId": str(entry.contact if contact is None else contact.id),
        "occurredAt": iso(entry.at),
        "properties": {"hs_url": entry.url, "hs_title": entry.url.rstrip("/").rsplit("/", 1)[-1]},
    }
