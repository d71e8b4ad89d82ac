"""The whole story against a pretend CRM: provision, pull, compute, plan, write back, and nothing the second time."""

import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from config.vault import variable
from connectors.contract import NotProvisioned, Provisioned
from console.commands.everyday import at_work
from console.commands.sandbox import CrmName, credentials, load_world, pretend
from console.commands.setup import kpi_fields, tell_not_provisioned
from console.exit_codes import Exit
from console.formats import shown, shown_share
from console.i18n import Language
from console.reading import Reader, Wanted, today_of
from console.session import Session
from console.workspace import Workspace
from crm_sandbox.serving import Sandbox
from kpi_engine.catalog import BY_KEY, HEADLINE
from kpi_engine.explain import LeftOut, explain
from kpi_engine.records import Millis
from sync.run import Report, run

CONNECTION = "demo"
TARGETS = {"calls_made": 60, "revenue": 40_000, "average_deal_value": 9_000, "email_reply_rate": 0.3}
"""What the demo company wants of a rep in a month."""

COLOURS = {"met": "green", "on_pace": "green", "behind": "yellow", "at_risk": "red"}
"""How far a value is on the way to its target."""

EXPLAINED = "calls_made"
RECORDS_SHOWN = 4
RULES_SHOWN = 4


def demo_command(
    context: typer.Context,
    crm: Annotated[CrmName, typer.Option("--crm", help="Which CRM to pretend to be.")] = CrmName.SALESFORCE,
    keep: Annotated[bool, typer.Option("--keep", help="Keep the workspace to look around in it.")] = False,
) -> None:
    """The whole round trip against a pretend CRM; needs no account."""
    session: Session = context.obj
    with _workspace(keep) as folder, Sandbox(pretend(crm, load_world(None), limits=False)) as sandbox:
        _write_settings(folder, crm, sandbox.url)
        demo = Demo(replace(session, folder=folder), Workspace(folder), sandbox)
        document = demo.play()
        if keep:
            session.tell(
                "The workspace is kept in {folder}; `kpisync --workspace {folder} values` reads it.", folder=folder
            )
    if session.as_json:
        session.document(document)
    if document["second_run"]["writes"]:
        raise typer.Exit(Exit.FAILED)


@contextmanager
def _workspace(keep: bool) -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="kpisync-demo-"))
    try:
        yield folder
    finally:
        if not keep:
            shutil.rmtree(folder, ignore_errors=True)


def _write_settings(folder: Path, crm: CrmName, url: str) -> None:
    """A workspace that is connected to the pretend CRM."""
    address = "login_url" if crm is CrmName.SALESFORCE else "base_url"
    lines = [f"[connections.{CONNECTION}]", f'crm = "{crm.value}"', f'{address} = "{url}"']
    for name, value in credentials(crm).items():
        if name == "client_id":
            lines.append(f'client_id = "{value}"')
        else:
            os.environ[variable(CONNECTION, name.upper())] = value
    for kpi, wanted in TARGETS.items():
        lines += ["", "[[targets]]", f'kpi = "{kpi}"', 'grain = "month"', f"value = {wanted}", "from = 2024-01-01"]
    (folder / "kpisync.toml").write_text("\n".join(lines) + "\n", encoding="utf-8")


class Demo:
    """The story, told while it happens."""

    def __init__(self, session: Session, workspace: Workspace, sandbox: Sandbox) -> None:
        self.session, self.workspace, self.sandbox = session, workspace, sandbox
        self._as_of: Millis | None = None

    def play(self) -> dict[str, Any]:
        """Everything; what is told is also what comes back."""
        self.session.tell("A pretend CRM listens on {url}: {company}", url=self.sandbox.url, company=self._company())
        provisioned = self._provision()
        first, second = (
            self._run(self.session.say("First run")),
            self._run(self.session.say("Second run, with nothing new")),
        )
        with self.workspace.cache(CONNECTION) as cache:
            reader, tables = Reader.of(CONNECTION, cache), cache.tables()
        cards = self._scorecards(reader)
        explanation = self._explain(reader, tables, cards)
        self._verdict(second)
        return {
            "url": self.sandbox.url,
            "provisioned": provisioned,
            "first_run": first,
            "second_run": second,
            "scorecards": cards,
            "explained": explanation,
        }

    def _company(self) -> str:
        return str(getattr(getattr(self.sandbox.crm, "world", None), "name", "the demo company"))

    def _provision(self) -> int:
        with self.workspace.job(CONNECTION) as job:
            things = list(job.connector.provision(kpi_fields(job.options.track)))
        tell_not_provisioned(self.session, [thing for thing in things if isinstance(thing, NotProvisioned)])
        made = sum(isinstance(thing, Provisioned) and thing.made for thing in things)
        self.session.tell("Provisioned: {n} objects, fields and pages of ours in the CRM.", n=made)
        return made

    def _run(self, name: str) -> dict[str, int]:
        """One round trip, and what the pretend CRM's own log says of it.

        Both are of the same moment: a meeting may end between them, and would be news.
        """
        before = len(self.sandbox.log)
        with at_work(self.workspace, CONNECTION) as desk, self.session.progress() as progress:
            as_of = self._as_of = self._as_of or desk.now
            report = run(desk.job, desk.cache, desk.ledger, now=desk.now, as_of=as_of, progress=progress)
        requests = self.sandbox.log[before:]
        told = {**_counts(report), "requests": len(requests), "writes": sum(entry.writes for entry in requests)}
        self.session.tell(
            "{name}: {read} records read, {computed} values computed, {planned} records planned, {written} written, "
            "{refused} refused.\n  The CRM's own log: {requests} requests, {writes} of them write.",
            name=name,
            **told,
        )
        return told

    def _scorecards(self, reader: Reader) -> list[dict[str, Any]]:
        """Each rep's headline KPIs in the current month."""
        language = self.session.say.language
        title = self.session.say("This month, as the CRM shows it now")
        table = Table(title=f"\n{title}", title_justify="left", title_style="bold", box=SIMPLE_HEAD, pad_edge=False)
        table.add_column(self.session.say("rep"), no_wrap=True)
        for kpi in HEADLINE:
            table.add_column(_on_two_lines(kpi.label.said(language)), justify="right")
        cards = _cards(reader)
        for card in cards:
            cells = [_cell(card["kpis"].get(kpi.key), kpi.key, language) for kpi in HEADLINE]
            table.add_row(card["name"], *cells)
        if not self.session.as_json:
            self.session.table(table)
        return cards

    def _explain(self, reader: Reader, tables: Any, cards: Sequence[dict[str, Any]]) -> dict[str, Any]:
        """One number of one rep, opened."""
        kpi = BY_KEY[EXPLAINED]
        busiest = max(cards, key=lambda card: card["kpis"][EXPLAINED]["value"] or 0)
        told = explain(
            tables, reader.known.company, reader.known.as_of, kpi.key, busiest["rep"], "month", busiest["month"]
        )
        if not self.session.as_json:
            language = self.session.say.language
            label, value = kpi.label.said(language), shown(told.value, kpi, language)
            self.session.out.print()
            self.session.table(f"{label} · {busiest['name']}: {value}. {told.sentence.said(language)}")
            for one in told.counted[:RECORDS_SHOWN]:
                self.session.table(f"  + {one.day} {self.session.say.word(one.kind)} {one.id}")
            self.session.table(self.session.say("  … {n} records counted in all.", n=len(told.counted)))
            self._tell_left_out(told.left_out)
        return {"rep": busiest["rep"], "kpi": kpi.key, "value": told.value, "counted": len(told.counted)}

    def _tell_left_out(self, left_out: Sequence[LeftOut]) -> None:
        """How many records each rule left out, the most frequent rules first."""
        by_rule: dict[str, list[LeftOut]] = {}
        for one in left_out:
            by_rule.setdefault(one.why.said(self.session.say.language), []).append(one)
        for rule, ones in sorted(by_rule.items(), key=lambda entry: -len(entry[1]))[:RULES_SHOWN]:
            told = self.session.say("  – {n} left out: {rule}, such as {id}", n=len(ones), rule=rule, id=ones[0].id)
            self.session.table(told)

    def _verdict(self, second: dict[str, int]) -> None:
        if second["writes"]:
            self.session.tell("The second run wrote {n} times; that is a mistake of ours.", n=second["writes"])
        else:
            self.session.tell("The second run wrote nothing: the CRM shows what was computed.")
        self.session.tell(
            "Look around: `kpisync demo --keep`, then `kpisync values` and `kpisync explain` in its workspace."
        )


def _counts(report: Report) -> dict[str, int]:
    return {
        "read": sum(report.pulled.rows.values()),
        "computed": report.computed,
        "planned": report.planned,
        "written": report.written,
        "refused": len(report.refused),
    }


def _cards(reader: Reader) -> list[dict[str, Any]]:
    """The current month's headline values by rep, in the order of names."""
    day = today_of(reader)
    found: dict[str, dict[str, Any]] = {}
    for kpi in HEADLINE:
        for row in reader.rows(Wanted(kpi=kpi.key, grain="month", period=day, dimension="")):
            person = reader.reps.get(row["rep"])
            if person is not None and person.active:
                card = found.setdefault(row["rep"], {"rep": row["rep"], "name": person.name, "month": day, "kpis": {}})
                card["kpis"][kpi.key] = {
                    name: row[name] for name in ("value", "target", "attainment", "state", "reason")
                }
    return sorted(found.values(), key=lambda card: card["name"])


def _on_two_lines(label: str) -> str:
    """A heading broken at the blank that is nearest to its middle."""
    blanks = [place for place, letter in enumerate(label) if letter == " "]
    if not blanks:
        return label
    middle = min(blanks, key=lambda place: abs(2 * place - len(label)))
    return f"{label[:middle]}\n{label[middle + 1 :]}"


def _cell(value: dict[str, Any] | None, kpi: str, language: Language) -> Text:
    """A value, and how much of its target it is, in the colour of its state."""
    if value is None:
        return Text()
    told = Text(shown(value["value"], BY_KEY[kpi], language))
    if value["attainment"] is not None:
        told.append(f" {shown_share(value['attainment'], language):>7}", style=COLOURS.get(value["state"], ""))
    return told
