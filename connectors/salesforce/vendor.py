"""simple-salesforce on our transport: its knowledge of Salesforce, without its missing timeouts and retries.

It builds the addresses of describes, limits and deletion logs and quotes SOQL; a session of ours carries its
requests. Left to itself it sets no timeout, forgets headers on a replay and turns plain loopback http into https.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, cast
from urllib.parse import urlsplit

import msgspec
import requests
from requests.structures import CaseInsensitiveDict
from simple_salesforce.api import Salesforce
from simple_salesforce.exceptions import SalesforceResourceNotFound
from simple_salesforce.format import format_soql

from connectors.salesforce.answers import accepted, garbled
from connectors.transport import Transport

__all__ = ["Field", "Vendor", "format_soql"]

BATCH = 25
"""Sub-requests that one composite batch takes."""


class Field(msgspec.Struct, frozen=True, gc=False):
    """What we need to know of a field. `scale` is the number of its decimal places."""

    name: str
    type: str = "string"
    createable: bool = False
    updateable: bool = False
    externalId: bool = False
    scale: int = 0
    precision: int = 0
    length: int = 0


class _Described(msgspec.Struct):
    fields: list[Field]
    createable: bool = True
    updateable: bool = True


class _BatchResult(msgspec.Struct):
    statusCode: int
    result: msgspec.Raw


class _Batch(msgspec.Struct):
    results: list[_BatchResult]


class RidingSession(requests.Session):
    """Hands every request of the vendor's client to our transport, which has its own token and host."""

    def __init__(self, transport: Transport) -> None:
        super().__init__()
        self._transport = transport

    def request(self, method: str | bytes, url: str | bytes, *_: Any, **asked: Any) -> requests.Response:
        """Send by the transport; errors are ours, but a missing thing is left to the client to name."""
        verb = method if isinstance(method, str) else method.decode()
        parts = urlsplit(url if isinstance(url, str) else url.decode())
        path = parts.path + (f"?{parts.query}" if parts.query else "")
        headers = {k: v for k, v in (asked.pop("headers", None) or {}).items() if k.lower() != "authorization"}
        content = {k: v for k, v in asked.items() if k in {"params", "json", "data"} and v is not None}
        answer = self._transport.send(verb, path, headers=headers, **content)
        if answer.status_code != 404:
            accepted(answer, f"{verb} {parts.path}")
        response = requests.Response()
        response.status_code = answer.status_code
        response.headers = CaseInsensitiveDict(answer.headers)
        response.url = path
        response._content = answer.content
        return response


class Vendor:
    """The calls for which the vendor's client is good."""

    def __init__(self, transport: Transport, version: str) -> None:
        self._transport = transport
        self._version = version

    def _client(self) -> Salesforce:
        # Not thread-safe, cheap to make: a new one for each call. Token and host are the transport's.
        return Salesforce(
            session_id="-", instance="salesforce.invalid", version=self._version, session=RidingSession(self._transport)
        )

    def fields(self, names: Sequence[str]) -> dict[str, dict[str, Field]]:
        """The visible fields of each object; an object that is not there or not visible is missing from the answer."""
        found: dict[str, dict[str, Field]] = {}
        for start in range(0, len(names), BATCH):
            found |= self._fields_of_batch(names[start : start + BATCH])
        return found

    def _fields_of_batch(self, names: Sequence[str]) -> dict[str, dict[str, Field]]:
        if len(names) == 1:
            alone = self._fields_of(names[0])
            return {} if alone is None else {names[0]: alone}
        told = self.batch(
            [f"v{self._version}/sobjects/{name}/describe" for name in names], "the descriptions of objects"
        )
        try:
            return {
                name: _by_name(msgspec.json.decode(one, type=_Described))
                for name, one in zip(names, told, strict=True)
                if one is not None
            }
        except msgspec.MsgspecError:
            raise garbled("the descriptions of objects") from None

    def batch(self, addresses: Sequence[str], what: str) -> list[msgspec.Raw | None]:
        """The bodies behind up to twenty-five addresses in one call, None for one that was refused.

        The vendor's client would make megabytes of objects of them, of which we need very little.
        """
        asked = [{"method": "GET", "url": address} for address in addresses]
        path = f"/services/data/v{self._version}/composite/batch"
        response = accepted(self._transport.send("POST", path, json={"batchRequests": asked}, safe=True), what)
        try:
            results = msgspec.json.decode(response.content, type=_Batch).results
        except msgspec.MsgspecError:
            raise garbled(what) from None
        if len(results) != len(addresses):
            raise garbled(what)
        return [one.result if one.statusCode == 200 else None for one in results]

    def _fields_of(self, name: str) -> dict[str, Field] | None:
        try:
            return _by_name(msgspec.convert(getattr(self._client(), name).describe(), type=_Described))
        except SalesforceResourceNotFound:
            return None

    def limits(self) -> Mapping[str, Any]:
        """The org's allowances and what is left of them."""
        return cast(Mapping[str, Any], self._client().limits())

    def deleted(self, name: str, since: datetime, until: datetime) -> Mapping[str, Any]:
        """The log of deletions, fifteen days back at the most."""
        return cast(Mapping[str, Any], getattr(self._client(), name).deleted(since, until))


def _by_name(found: _Described) -> dict[str, Field]:
    # Where the object itself may not be written (users, without Manage Internal Users), none of its fields may.
    return {
        field.name: msgspec.structs.replace(
            field,
            createable=field.createable and found.createable,
            updateable=field.updateable and found.updateable,
        )
        for field in found.fields
    }
