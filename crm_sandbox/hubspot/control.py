"""The operator's desk: the paths under /_control/ that look into the portal and act in it as its users would.

GET  records?object=sales_kpi[&archived=true]   every row with what is not blank
     record?object=deals&id=…                   one row, archived or not
     ids[?kind=seller[&key=ana]]                which id a thing of the world got
     fingerprint                                the contents in short: by object, `definitions`, `associations`, `all`
     summary, settings, usage                   live rows by object; the switches; the day's calls
POST set            {object, id, properties}    read-only ones too; the stamps move
     insert         {object, rows: [{properties, associations: [{to_object, to_id}], created, modified}]}
     archive, restore   {object, id}
     merge          {object, winner, loser}
     associate, dissociate   {object, id, to_object, to_id}
     touch          {object[, ids, at]}         one stamp for many rows, as a bulk edit leaves it
     deactivate     {owner}                     somebody leaves the company
     settings       the switches of `Rules` by name, and `scopes` of the sandbox's token
     tokens         {token[, scopes]}           one more static token
     expire         {[token]}                   end it; without one every OAuth access token
     revoke                                     end every refresh token
     clock          {advance: seconds}
     limits/reset                               forget what was counted
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from typing import Any

from crm_sandbox.hubspot import errors
from crm_sandbox.hubspot.associations import create_links
from crm_sandbox.hubspot.auth import Gate
from crm_sandbox.hubspot.errors import answer
from crm_sandbox.hubspot.fingerprint import fingerprints
from crm_sandbox.hubspot.limits import Meter
from crm_sandbox.hubspot.store import Row, Rules, Store, Table, Values
from crm_sandbox.hubspot.values import as_text, is_number, moment_of
from crm_sandbox.serving import Request, Response


class Desk:
    """What an operator can do. Nothing here counts as an API call."""

    def __init__(self, store: Store, gate: Gate, meter: Meter) -> None:
        self._store = store
        self._gate = gate
        self._meter = meter

    def answer(self, request: Request) -> Response:
        """One request to the desk."""
        what = request.path.removeprefix("/_control/").strip("/")
        if request.method == "GET":
            return self._look(request, what)
        body = request.json() if request.body else {}
        try:
            return self._act(what, body)
        except (KeyError, TypeError) as error:
            raise errors.bad_json(f"/_control/{what} lacks {error}") from error

    def _look(self, request: Request, what: str) -> Response:
        wanted = request.param("object") or ""
        match what:
            case "records":
                archived = request.param("archived") == "true"
                return answer(200, self.records(wanted, archived=archived))
            case "record":
                return answer(200, self.record(wanted, request.param("id") or ""))
            case "ids":
                return self._ids(request.param("kind"), request.param("key"))
            case "fingerprint":
                return answer(200, fingerprints(self._store))
            case "settings":
                return answer(200, asdict(self._store.rules))
            case "usage":
                return answer(200, self._meter.usage())
            case "summary":
                return answer(200, {table.kind.plural: len(table.live) for table in self._store.tables.values()})
            case _:
                raise errors.not_found()

    def _act(self, what: str, body: Any) -> Response:
        match what:
            case "set":
                self.set(body["object"], str(body["id"]), body["properties"])
            case "insert":
                return answer(201, {"ids": self.insert(body["object"], body["rows"])})
            case "archive":
                self.archive(body["object"], str(body["id"]))
            case "restore":
                self.restore(body["object"], str(body["id"]))
            case "merge":
                self.merge(body["object"], str(body["winner"]), str(body["loser"]))
            case "associate":
                self.associate(body["object"], str(body["id"]), body["to_object"], str(body["to_id"]))
            case "dissociate":
                self.dissociate(body["object"], str(body["id"]), body["to_object"], str(body["to_id"]))
            case "touch":
                self.touch(body["object"], body.get("ids"), body.get("at"))
            case "settings":
                self.change(body)
            case "clock":
                self._store.ahead += round(float(body["advance"]) * 1000)
            case "deactivate":
                self.deactivate(str(body["owner"]))
            case "tokens":
                self._gate.grant(body["token"], body.get("scopes"))
            case "expire":
                self._gate.expire(body.get("token"))
            case "revoke":
                self._gate.refresh_tokens.clear()
            case "limits/reset":
                self._meter.reset()
            case _:
                raise errors.not_found()
        return Response(204)

    def id_of(self, kind: str, key: str) -> str:
        """The id that a thing of the world got."""
        found = self._store.ids.get((kind, key))
        if found is None:
            raise KeyError(f"the portal has no {kind} {key!r}")
        return found

    def _ids(self, kind: str | None, key: str | None) -> Response:
        if kind and key:
            found = self._store.ids.get((kind, key))
            if found is None:
                raise errors.not_found()
            return answer(200, {"id": found})
        listed = [
            {"kind": known, "key": name, "id": number}
            for (known, name), number in self._store.ids.items()
            if kind in {None, known}
        ]
        return answer(200, listed)

    def _found(self, name: str, record_id: str) -> tuple[Table, Row]:
        table = self._store.table(name)
        row = table.find(int(record_id)) if is_number(record_id) else None
        if row is None:
            raise errors.not_found()
        return table, row

    def records(self, name: str, *, archived: bool = False) -> list[dict[str, Any]]:
        """Every row of an object."""
        table = self._store.table(name)
        return [_shown(table.rows[number]) for number in (table.gone if archived else table.live)]

    def record(self, name: str, record_id: str) -> dict[str, Any]:
        """One row."""
        return _shown(self._found(name, record_id)[1])

    def set(self, name: str, record_id: str, properties: Mapping[str, Any]) -> None:
        """Other values for a record."""
        table, row = self._found(name, record_id)
        self._store.write(table, row, _known(table, properties), source="CRM_UI")

    def insert(self, name: str, rows: Sequence[Mapping[str, Any]]) -> list[str]:
        """New records."""
        table, now = self._store.table(name), self._store.now()
        made = []
        for entry in rows:
            created = _moment(entry.get("created"), now)
            modified = _moment(entry.get("modified"), max(created, now))
            values = _known(table, entry.get("properties") or {})
            row = self._store.insert(table, values, created=created, modified=modified)
            for link in entry.get("associations") or ():
                self._link(table, row, str(link["to_object"]), str(link["to_id"]))
            made.append(str(row.id))
        return made

    def _link(self, table: Table, row: Row, to_object: str, to_id: str) -> None:
        create_links(self._store, table, row, to_id, (), target=self._store.table(to_object))

    def archive(self, name: str, record_id: str) -> None:
        """Delete a record."""
        self._store.archive(*self._found(name, record_id))

    def restore(self, name: str, record_id: str) -> None:
        """Bring it back."""
        self._store.purge(self._store.table(name))
        self._store.restore(*self._found(name, record_id))

    def merge(self, name: str, winner: str, loser: str) -> None:
        """Make one record of two."""
        table, kept = self._found(name, winner)
        _, gone = self._found(name, loser)
        if kept is gone:
            raise errors.invalid("A record cannot be merged with itself")
        self._store.merge(table, kept, gone)

    def associate(self, name: str, record_id: str, to_object: str, to_id: str) -> None:
        """Link two records with the default type."""
        table, row = self._found(name, record_id)
        self._link(table, row, to_object, to_id)

    def dissociate(self, name: str, record_id: str, to_object: str, to_id: str) -> None:
        """Unlink them."""
        table, row = self._found(name, record_id)
        target = self._store.table(to_object)
        self._store.links.remove(table.kind.type_id, row.id, target.kind.type_id, int(to_id))

    def touch(self, name: str, record_ids: Sequence[str] | None, at: Any = None) -> None:
        """Give records (all of them without a list) one and the same modification stamp, as a bulk edit does."""
        table = self._store.table(name)
        now = _moment(at, self._store.now())
        for number in [int(record_id) for record_id in record_ids] if record_ids is not None else list(table.live):
            row = table.rows[number]
            row.modified = 0
            self._store.write(table, row, {}, at=now)

    def deactivate(self, owner_id: str) -> None:
        """Somebody leaves the company: the owner is archived and the user record goes."""
        owner = self._store.owners.get(owner_id)
        if owner is None:
            raise errors.not_found()
        owner.archived, owner.modified = True, self._store.now()
        users = self._store.tables["0-115"]
        row = users.find_unique("hs_internal_user_id", str(owner.user_id))
        if row is not None:
            self._store.archive(users, row)

    def change(self, switches: Mapping[str, Any]) -> None:
        """Throw switches of `Rules`, or give the sandbox's token other `scopes`."""
        known = {field.name for field in fields(Rules)}
        for name, value in switches.items():
            if name == "scopes":
                self._gate.grant("pat-sandbox", value)
            elif name == "required":
                ids = {self._store.table(wanted).kind.type_id: names for wanted, names in value.items()}
                self._store.rules.required = ids
            elif name in known:
                setattr(self._store.rules, name, value)
            else:
                raise errors.invalid(f"There is no switch '{name}': known are {sorted([*known, 'scopes'])}")

    def fingerprints(self) -> dict[str, str]:
        """What the portal holds, in short."""
        return fingerprints(self._store)


def _shown(row: Row) -> dict[str, Any]:
    properties = {name: value for name, value in row.values.items() if value is not None}
    return {"id": str(row.id), "archived": row.archived_at is not None, "properties": properties}


def _known(table: Table, properties: Mapping[str, Any]) -> Values:
    unknown = sorted(set(properties) - set(table.properties))
    if unknown:
        raise errors.invalid(f"{table.kind.plural} have no properties {unknown}")
    return {name: None if raw in (None, "") else as_text(raw) for name, raw in properties.items()}


def _moment(raw: Any, default: int) -> int:
    moment = None if raw is None else moment_of(str(raw))
    return default if moment is None else moment
