"""What Salesforce shows now in the fields that are ours."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote

import msgspec

from connectors.contract import FieldValue, Surface
from connectors.salesforce.answers import accepted, garbled
from connectors.salesforce.names import KEY_FIELD, KPI_OBJECT
from connectors.salesforce.org import Org
from connectors.salesforce.vendor import format_soql
from connectors.salesforce.writer import api_names

RECORD_ID = re.compile(r"[A-Za-z0-9]{15}(?:[A-Z0-5]{3})?")

IDS_A_CALL = 2000
"""What a collections read by POST takes."""

QUERY_BYTES = 8_000
"""A URL with its headers may be 16 kB long; keys take the better half."""

FEW_KEYS = 2_500
"""From here on reading every KPI record of this connection takes fewer calls than asking by key."""

Shown = dict[str, Mapping[str, FieldValue]]


def shown(org: Org, surface: Surface, keys: Sequence[str], fields: Sequence[str]) -> Shown:
    """What is there now, by key; a key that is not there is missing from the answer."""
    if surface is Surface.KPI_RECORDS:
        return _kpi_records(org, keys, fields)
    if surface is Surface.PERSON_FIELDS:
        return _by_id(org, "User", surface, keys, fields)
    contacts = [key for key in keys if key.startswith("003")]
    leads = [key for key in keys if not key.startswith("003")]
    return _by_id(org, "Lead", surface, leads, fields) | _by_id(org, "Contact", surface, contacts, fields)


def _kpi_records(org: Org, keys: Sequence[str], fields: Sequence[str]) -> Shown:
    visible = org.fields(KPI_OBJECT)
    names = {ours: name for ours, name in api_names(Surface.KPI_RECORDS, fields).items() if name in visible}
    if not keys or KEY_FIELD not in visible:
        return {}
    wanted = set(keys)
    select = f"SELECT Id, {', '.join([KEY_FIELD, *names.values()])} FROM {KPI_OBJECT}"  # noqa: S608
    found: Shown = {}
    for where in _conditions(keys):
        for record in _records(org, select + where):
            key = record.get(KEY_FIELD)
            if key in wanted:
                found[key] = {ours: record.get(name) for ours, name in names.items()}
    return found


def _conditions(keys: Sequence[str]) -> Iterator[str]:
    prefixes = {key.split(":", 1)[0] for key in keys}
    if len(keys) > FEW_KEYS and len(prefixes) == 1:
        beginning = format_soql("{prefix:like}", prefix=prefixes.pop())
        yield f" WHERE {KEY_FIELD} LIKE '{beginning}:%'"
        return
    part: list[str] = []
    size = 0
    for key in keys:
        cost = len(quote(key, safe="")) + 9  # its quotes and comma, encoded
        if part and size + cost > QUERY_BYTES:
            yield _among(part)
            part, size = [], 0
        part.append(key)
        size += cost
    yield _among(part)


def _among(keys: Sequence[str]) -> str:
    return format_soql(" WHERE {field:literal} IN {keys}", field=KEY_FIELD, keys=list(keys))


class _Records(msgspec.Struct):
    records: list[dict[str, Any]]
    done: bool = True
    nextRecordsUrl: str | None = None


def _records(org: Org, soql: str) -> Iterator[dict[str, Any]]:
    what = "the KPI records shown now"
    response = org.call("GET", "/query", what, params={"q": soql})
    while True:
        try:
            page = msgspec.json.decode(response.content, type=_Records)
        except msgspec.MsgspecError:
            raise garbled(what) from None
        yield from page.records
        if page.done or page.nextRecordsUrl is None:
            return
        response = accepted(org.transport.send("GET", page.nextRecordsUrl), what)


def _by_id(org: Org, sobject: str, surface: Surface, keys: Sequence[str], fields: Sequence[str]) -> Shown:
    # One malformed id makes Salesforce refuse all the others with it; such a record is not there.
    keys = [key for key in keys if RECORD_ID.fullmatch(key)]
    if not keys:
        return {}
    visible = org.fields(sobject)
    names = {ours: name for ours, name in api_names(surface, fields).items() if name in visible}
    found: Shown = {}
    for start in range(0, len(keys), IDS_A_CALL):
        body = {"ids": list(keys[start : start + IDS_A_CALL]), "fields": ["Id", *names.values()]}
        what = f"the fields of {sobject} shown now"
        response = org.call("POST", f"/composite/sobjects/{sobject}", what, json=body, safe=True)
        try:
            records = msgspec.json.decode(response.content, type=list[dict[str, Any] | None])
        except msgspec.MsgspecError:
            raise garbled(what) from None
        # A record that is not there is a null in its place.
        for record in records:
            if record is not None:
                found[record["Id"]] = {ours: record.get(name) for ours, name in names.items()}
    return found
