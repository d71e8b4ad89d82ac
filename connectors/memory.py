"""A CRM in memory: the connector contract at its plainest, for tests and for whoever writes the next connector.

It keeps, for each stream, a log of what happened; a cursor is a place in that log. What it shows is a dictionary. There
is no network, so nothing is ever retried; what a CRM may refuse, or fail at, is asked for by name.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from threading import Lock

import msgspec

from connectors.contract import (
    Capabilities,
    Change,
    FieldValue,
    Gap,
    KpiField,
    NotProvisioned,
    Page,
    Provisioned,
    Refused,
    Surface,
    Unread,
    Written,
)
from connectors.errors import CrmError, NotAllowed
from kpi_engine.records import Company, Lead, Person, Record, Rep


class Gone(msgspec.Struct, frozen=True):
    """A record vanished without leaving one of its own."""

    kind: str
    id: str


class Relinked(msgspec.Struct, frozen=True):
    """The links of an end were read again: those that follow are all there are."""

    from_kind: str
    from_id: str
    to_kind: str


Happening = Record | Gone | Relinked | Unread


class MemoryCrm:
    """A CRM that lives as long as this object. Safe for several readers at once."""

    crm = "memory"

    def __init__(
        self,
        streams: Mapping[str, Sequence[Happening]],
        *,
        organisation: str = "Memory Ltd",
        time_zone: str | None = "UTC",
        home_currency: str | None = "EUR",
        fiscal_year_start: int | None = 1,
        page_size: int = 100,
        whole: Mapping[str, Sequence[str]] | None = None,
        daily_calls: int | None = None,
        gaps: Sequence[Gap] = (),
    ) -> None:
        """`streams` in reading order, reps first. `whole`: stream → the kinds of which it always tells everything."""
        self.streams: dict[str, list[Happening]] = {name: list(happened) for name, happened in streams.items()}
        self.shown: dict[tuple[Surface, str], dict[str, FieldValue]] = {}
        self.provisioned: set[str] = set()
        self.refusals: dict[str, str] = {}
        self.failures: dict[str, CrmError] = {}
        self.organisation = organisation
        self.page_size = page_size
        self._time_zone = time_zone
        self._home_currency = home_currency
        self._fiscal_year_start = fiscal_year_start
        self._whole = dict(whole or {})
        self._daily_calls = daily_calls
        self._gaps = tuple(gaps)
        self._calls = 0
        self._lock = Lock()

    # ------------------------------------------------------------------ what people do in this CRM

    def happen(self, stream: str, *happened: Happening) -> None:
        """Something new in a stream: a record made or changed, gone, or linked anew."""
        self.streams[stream].extend(happened)

    def replace(self, stream: str, *records: Record) -> None:
        """A small table that is always told whole has other rows now."""
        self.streams[stream][:] = records

    def edit(self, surface: Surface, key: str, **fields: FieldValue) -> None:
        """Someone overwrites what we show."""
        self.shown[surface, key].update(fields)

    def remove(self, surface: Surface, key: str) -> None:
        """Someone deletes a record of ours."""
        del self.shown[surface, key]

    def refuse(self, key: str, reason: str = "The record is locked.") -> None:
        """From now on this record cannot be written."""
        self.refusals[key] = reason

    def fail(self, where: str, error: CrmError) -> None:
        """The next page of this stream (or `push`) ends in an error, once; what came before it stays delivered."""
        self.failures[where] = error

    # ------------------------------------------------------------------ the contract

    def capabilities(self) -> Capabilities:
        self._called()
        return Capabilities(
            organisation=self.organisation,
            time_zone=self._time_zone,
            home_currency=self._home_currency,
            fiscal_year_start=self._fiscal_year_start,
            streams=tuple(self.streams),
            surfaces=frozenset(surface for surface in Surface if surface.value in self.provisioned),
            gaps=self._gaps,
            daily_calls=self._daily_calls,
            daily_calls_left=None if self._daily_calls is None else self._daily_calls - self._calls,
        )

    def company_defaults(self, company: Company) -> Company:
        missing = {gap.source: gap.reason for gap in self._gaps}
        return msgspec.structs.replace(company, missing={**missing, **company.missing})

    def read(self, stream: str, cursor: str | None) -> Iterator[Page]:
        happened = self.streams[stream]
        if stream in self._whole:
            yield self._everything(stream, happened)
            return
        start = int(cursor or 0)
        while start < len(happened):
            self._called()
            self._stumble(stream)
            end = min(start + self.page_size, len(happened))
            yield _page(stream, happened[start:end], str(end), len(happened))
            start = end

    def provision(self, kpis: Sequence[KpiField], *, dry_run: bool = False) -> Iterator[Provisioned | NotProvisioned]:
        for what in _ours(kpis):
            yield Provisioned(what, what not in self.provisioned)
            if not dry_run:
                self.provisioned.add(what)

    def unprovision(self, kpis: Sequence[KpiField], *, dry_run: bool = False) -> Iterator[Provisioned | NotProvisioned]:
        for what in _ours(kpis):
            yield Provisioned(what, what in self.provisioned)
            if not dry_run:
                self.provisioned.discard(what)

    def show(
        self, surface: Surface, keys: Sequence[str], fields: Sequence[str]
    ) -> Mapping[str, Mapping[str, FieldValue]]:
        self._called()
        known = {key for key in keys if self._exists(surface, key)}
        return {key: {field: self.shown.get((surface, key), {}).get(field) for field in fields} for key in known}

    def push(self, changes: Iterable[Change]) -> Iterator[Written | Refused]:
        for number, change in enumerate(changes):
            if number % self.page_size == 0:
                self._called()
            if number:
                self._stumble("push")
            yield self._write(change)

    def calls(self) -> int:
        return self._calls

    def close(self) -> None:
        """There is no network to let go of."""

    # ------------------------------------------------------------------ how it works

    def _write(self, change: Change) -> Written | Refused:
        if change.surface.value not in self.provisioned:
            raise NotAllowed(
                "KPI-MEM-001", f"There is no place for {change.surface.value}.", "Run `kpisync provision`."
            )
        if change.key in self.refusals:
            return Refused(change, "LOCKED", self.refusals[change.key], "Unlock the record.", retry=True)
        if change.surface is not Surface.KPI_RECORDS and not self._exists(change.surface, change.key):
            return Refused(change, "NOT_FOUND", f"There is no record {change.key}.", "Nothing to do: it was deleted.")
        if change.gone:
            self.shown.pop((change.surface, change.key), None)
        else:
            self.shown.setdefault((change.surface, change.key), {}).update(change.after)
        return Written(change, f"{change.surface.value}/{change.key}")

    def _exists(self, surface: Surface, key: str) -> bool:
        match surface:
            case Surface.KPI_RECORDS:
                return (surface, key) in self.shown
            case Surface.PERSON_FIELDS:
                return any(isinstance(record, Rep) and record.person_record == key for record in self._records())
            case Surface.LEAD_SCORES:
                return any(isinstance(record, Lead | Person) and record.id == key for record in self._records())

    def _records(self) -> Iterator[Record]:
        for happened in self.streams.values():
            yield from (one for one in happened if isinstance(one, Record))

    def _everything(self, stream: str, happened: Sequence[Happening]) -> Page:
        self._called()
        self._stumble(stream)
        page = _page(stream, happened, str(len(happened)), len(happened))
        return msgspec.structs.replace(page, whole=tuple(self._whole[stream]))

    def _stumble(self, where: str) -> None:
        with self._lock:
            failure = self.failures.pop(where, None)
        if failure is not None:
            raise failure

    def _called(self) -> None:
        with self._lock:
            self._calls += 1


def _page(stream: str, happened: Sequence[Happening], cursor: str, total: int) -> Page:
    return Page(
        stream=stream,
        rows=[one for one in happened if isinstance(one, Record)],
        cursor=cursor,
        gone=[(one.kind, one.id) for one in happened if isinstance(one, Gone)],
        relinked=[(one.from_kind, one.from_id, one.to_kind) for one in happened if isinstance(one, Relinked)],
        unread=[one for one in happened if isinstance(one, Unread)],
        total=total,
    )


def _ours(kpis: Sequence[KpiField]) -> list[str]:
    """What provisioning makes: a place for each surface, and a field for each KPI on the person."""
    return [*(surface.value for surface in Surface), *(f"person field {kpi.key}" for kpi in kpis)]
