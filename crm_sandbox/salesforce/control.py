"""The paths under /_control/ for whoever runs the sandbox: look into it, and do what users and bad luck do.

GET    records?object=X[&deleted=true]       every field of every row
POST   records          {"object", "fields", "stamps"?}   a new row; `stamps` makes it one that commits late
PATCH  records/X/ID     fields               a user changes it
DELETE records/X/ID[?hard=true]              a user deletes it, or nothing of it remains
POST   undelete         {"object", "id"}
POST   merge            {"object", "master", "duplicates"}
GET    ids[?kind=seller]                     [{"kind", "key", "id"}]
POST   features         {"email_messages": false, …}
POST   fls              {"Lead.Rating": "hidden" | "read_only" | "visible"}
POST   tokens           {"expire": true} | {"expire_after": requests} | {"revoke": token} | {"accept": token}
POST   refresh_tokens   → {"refresh_token"}
POST   consent          {"denies": true, "code_seconds": 900}   what whoever is asked says, how long a code lives
POST   pages            {"sizes": [2000, 200]} | {"expire": true}
POST   usage            {"used", "most", "app": [name, allowance]}
POST   locks            {"names": [id or external key], "times": 1}
POST   rules            {"names", "code", "message"?, "fields"?}   an admin's rule that refuses these records
POST   sharing          {"hidden": [id]}   exactly these records are kept from queries
POST   bulk             {"polls": 3, "fail_next": message}   looks that see a job unfinished; a query job that fails
POST   clock            {"advance_seconds"}
GET    fingerprint      {"fingerprint", "objects": {name: digest}}
"""

import hashlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from crm_sandbox.salesforce.actions import (
    change,
    clock_ahead,
    delete,
    forbid,
    insert,
    lock,
    merge,
    security,
    undelete,
    unshare,
)
from crm_sandbox.salesforce.errors import Refusal
from crm_sandbox.salesforce.pages import json_response
from crm_sandbox.salesforce.records import body_of
from crm_sandbox.serving import Request, Response

if TYPE_CHECKING:
    from crm_sandbox.salesforce.org import Org

DONE = Response(204)


def answer(org: "Org", request: Request) -> Response:
    """One control request; what is wrong with it comes back in Salesforce's own error shape."""
    path = request.path.strip("/").split("/")[1:]
    try:
        if request.method == "GET":
            return _look(org, path, request)
        if request.method == "DELETE":
            return _remove(org, path, request)
        return _act(org, path, body_of(request) if request.body else {})
    except Refusal as refusal:
        return json_response(refusal.status, [refusal.as_rest()])
    except KeyError as missing:
        return json_response(400, [{"errorCode": "MISSING", "message": f"there is no {missing}"}])


def _look(org: "Org", path: list[str], request: Request) -> Response:
    match path:
        case ["records"]:
            deleted = (request.param("deleted") or "").lower() == "true"
            return json_response(200, org.rows(request.param("object", "") or "", deleted=deleted))
        case ["ids"]:
            kind = request.param("kind")
            known = [
                {"kind": one, "key": key, "id": record}
                for (one, key), record in org.register.ids.items()
                if kind in {None, one}
            ]
            return json_response(200, known)
        case ["fingerprint"]:
            return json_response(200, fingerprint(org))
    return Response(404)


def _remove(org: "Org", path: list[str], request: Request) -> Response:
    match path:
        case ["records", name, record]:
            delete(org, name, record, hard=request.param("hard") == "true")
            return DONE
    return Response(404)


def _act(org: "Org", path: list[str], body: Mapping[str, Any]) -> Response:
    match path:
        case ["records"]:
            record = insert(org, body["object"], body["fields"], body.get("stamps"))
            return json_response(201, {"id": record})
        case ["records", name, record]:
            change(org, name, record, body)
        case ["undelete"]:
            undelete(org, body["object"], body["id"])
        case ["merge"]:
            merge(org, body["object"], body["master"], body["duplicates"])
        case ["features"]:
            org.schema.switch(**body)
        case ["fls"]:
            security(org, body)
        case ["tokens"]:
            _tokens(org, body)
        case ["refresh_tokens"]:
            secret = org.auth.new_refresh_token(next(iter(org.auth.apps)), org.integration)
            return json_response(201, {"refresh_token": secret})
        case ["consent"]:
            org.auth.denies = body.get("denies", org.auth.denies)
            org.auth.code_seconds = body.get("code_seconds", org.auth.code_seconds)
        case ["pages"]:
            _pages(org, body)
        case ["usage"]:
            org.usage.used = body.get("used", org.usage.used)
            org.usage.most = body.get("most", org.usage.most)
            org.usage.app = tuple(body["app"]) if "app" in body else org.usage.app
        case ["locks"]:
            lock(org, body["names"], body.get("times", 1))
        case ["rules"]:
            forbid(org, body["names"], body["code"], body.get("message", ""), body.get("fields", ()))
        case ["sharing"]:
            unshare(org, body["hidden"])
        case ["bulk"]:
            org.bulk_queries.polls = org.bulk_ingests.polls = body.get("polls", org.bulk_queries.polls)
            org.bulk_queries.fail_next = body.get("fail_next")
        case ["clock"]:
            clock_ahead(org, float(body["advance_seconds"]))
        case _:
            return Response(404)
    return DONE


def _tokens(org: "Org", body: Mapping[str, Any]) -> None:
    if body.get("expire"):
        org.auth.expire_all()
    if "expire_after" in body:
        org.auth.expire_after = int(body["expire_after"])
    if "revoke" in body:
        org.auth.revoke(body["revoke"])
    if "accept" in body:
        org.auth.accept(body["accept"], org.integration)


def _pages(org: "Org", body: Mapping[str, Any]) -> None:
    if "sizes" in body:
        org.pages.sizes = tuple(body["sizes"])
    if body.get("expire"):
        org.pages.forget()


def fingerprint(org: "Org") -> dict[str, Any]:
    """One digest over everything in the organisation, and one for each object; stamps do not count."""
    objects = org.store.fingerprints()
    whole = hashlib.sha256("".join(f"{name}={digest};" for name, digest in objects.items()).encode()).hexdigest()
    return {"fingerprint": whole, "objects": objects}
