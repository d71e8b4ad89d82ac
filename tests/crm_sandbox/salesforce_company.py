"""A small company for the tests of the pretend Salesforce, and a client that needs no network."""

import io
import json
import zipfile
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl, urlencode

from crm_sandbox.salesforce import Features, Org
from crm_sandbox.serving import Request, Response
from crm_sandbox.world import (
    Allotment,
    Call,
    Email,
    ExchangeRate,
    Meeting,
    Message,
    Promotion,
    Prospect,
    Sale,
    Seller,
    Submission,
    Todo,
    World,
)

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
TOKEN = "a-token-for-tests"
VERSION = "/services/data/v66.0"
NAMESPACE = "http://soap.sforce.com/2006/04/metadata"


def at(text: str) -> datetime:
    """A moment in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


SELLERS = (
    Seller("boss", "Bea Boss", "bea@example.com", time_zone="Europe/Madrid", created=at("2024-01-02")),
    Seller("ana", "Ana Ruiz", "ana@example.com", "boss", "West", "America/New_York", created=at("2024-01-02")),
    Seller("old", "Omar Old", "omar@example.com", active=False, created=at("2024-01-02")),
    Seller("inbound", "Inbound Queue", "queue@example.com", kind="queue"),
    Seller("bot", "Import Bot", "bot@example.com", kind="robot", created=at("2024-01-02")),
)
PROSPECTS = (
    Prospect("lia", "Lia Lead", "lia@customer.example", "Acme", "ana", at("2026-03-01T09:00"), channel="Web"),
    Prospect(
        "leo",
        "Leo Converted",
        "leo@customer.example",
        "Acme",
        "ana",
        at("2026-02-01T09:00"),
        channel="Partner Referral",
        status="qualified",
        converted=at("2026-04-30T23:30"),
        deal="won",
    ),
    Prospect("cora", "Cora Contact", "cora@customer.example", "Bolt", "boss", at("2026-01-05"), is_lead=False),
    Prospect("twin", "Lia Lead", "lia2@customer.example", "Acme", "ana", at("2026-03-02"), merged_into="lia"),
    Prospect("gone", "Gus Gone", "gus@customer.example", "Acme", "ana", at("2026-03-03"), deleted=True),
    Prospect("pool", "Pia Pool", "pia@customer.example", "Acme", "inbound", at("2026-03-04"), status="unqualified"),
)
EMAILS = (
    Email(
        "first",
        "ana",
        ("leo",),
        ("won",),
        "out",
        at("2026-04-01T10:00"),
        "Hello",
        "thread-1",
        "<1@x>",
        tracked=True,
        opens=(at("2026-04-01T11:00"), at("2026-04-02T08:00")),
    ),
    Email("reply", "ana", ("leo",), (), "in", at("2026-04-01T12:00"), "Re: Hello", "thread-1", "<2@x>"),
    Email(
        "away", "ana", ("leo",), (), "in", at("2026-04-01T12:30"), "Re: Hello", "thread-1", "<3@x>", out_of_office=True
    ),
    Email("bounced", "ana", ("lia",), (), "out", at("2026-04-03"), "Hi", "thread-2", "<4@x>", status="bounced"),
    Email("noted", "ana", ("lia",), (), "out", at("2026-04-04"), "Noted", None, "<5@x>", noted_only=True),
    Email("draft", "ana", ("lia",), (), "out", at("2026-04-05"), "Draft", None, "<6@x>", status="draft"),
)
CALLS = (
    Call(
        "talk", "ana", ("leo",), ("won",), at("2026-05-01T15:00"), outcome="Connected", seconds=125, external_id="x-1"
    ),
    Call("later", "ana", ("lia",), (), at("2026-12-01T15:00"), status="planned"),
    Call("ancient", "ana", ("lia",), (), at("2025-01-10T15:00"), outcome="Busy", seconds=5),
    Call("binned", "ana", ("lia",), (), at("2026-05-02T15:00"), deleted=True),
    Call("group", "ana", ("leo", "cora"), (), at("2026-05-03T15:00"), direction="in"),
    Call("queued", "inbound", ("lia",), (), at("2026-05-04T15:00")),
)
SALES = (
    Sale(
        "won",
        "Acme expansion",
        ((at("2026-04-30"), "boss"), (at("2026-05-10"), "ana")),
        at("2026-04-30"),
        "won",
        date(2026, 6, 15),
        closed_at=at("2026-06-15T16:00"),
        amount=Decimal("1200.50"),
        currency="USD",
        account="Acme",
        channel="Web",
        campaign="webinar",
        people=("leo", "lia"),
        splits=(("ana", Decimal(60)), ("boss", Decimal(40))),
    ),
    Sale(
        "open", "Bolt pilot", ((at("2026-10-01"), "ana"),), at("2026-10-01"), "open", date(2026, 12, 31), account="Bolt"
    ),
    Sale("lost", "O'Neil AND Sons", ((at("2026-07-01"), "boss"),), at("2026-07-01"), "lost", date(2026, 8, 1)),
)
COMPANY = World(
    "Acme Sales",
    NOW,
    time_zone="Europe/Madrid",
    currency="EUR",
    fiscal_year_start=4,
    sellers=SELLERS,
    prospects=PROSPECTS,
    emails=EMAILS,
    calls=CALLS,
    messages=(Message("text", "ana", ("leo",), (), at("2026-05-05T10:00")),),
    meetings=(
        Meeting("demo", "ana", ("leo",), ("won",), at("2026-05-06T10:00"), at("2026-05-06T10:45"), at("2026-05-01")),
    ),
    todos=(
        Todo("step", "ana", ("leo",), ("won",), at("2026-05-07"), due=date(2026, 5, 9), done=at("2026-05-08T17:00")),
    ),
    sales=SALES,
    promotions=(
        Promotion("webinar", "Webinar", "boss", date(2026, 3, 1), Decimal(500), responses=(("lia", at("2026-03-05")),)),
    ),
    allotments=(Allotment("ana", date(2026, 6, 1), date(2026, 7, 1), Decimal(1000)),),
    submissions=(
        Submission("lia", "Contact us", at("2026-03-06T23:30")),
        Submission("lia", "Contact us", at("2026-03-09")),
    ),
    rates=(
        ExchangeRate("USD", date(2026, 1, 1), Decimal("1.1")),
        ExchangeRate("USD", date(2026, 6, 1), Decimal("1.25")),
    ),
)


class Client:
    """Talks to an organisation as a signed-in client would, without a socket."""

    def __init__(self, org: Org, token: str = TOKEN) -> None:
        self.org = org
        self.headers = {"Authorization": f"Bearer {token}", "Host": "127.0.0.1"}

    def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Response:
        """One request; a path that does not start with / hangs under the API's version."""
        whole = path if path.startswith("/") else f"{VERSION}/{path}"
        where, _, query = whole.partition("?")
        pairs = (*parse_qsl(query, keep_blank_values=True), *(params or {}).items())
        content = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        request = Request(method, where, pairs, {**self.headers, **(headers or {})}, content)
        return self.org.control(request) if path.startswith("/_control/") else self.org.answer(request)

    def get(self, path: str, **params: str) -> Any:
        """The JSON of a GET that must succeed."""
        response = self.call("GET", path, params=params)
        assert response.status == 200, response.body
        return json.loads(response.body, parse_float=Decimal)

    def send(self, method: str, path: str, body: Any = None, **params: str) -> tuple[int, Any]:
        """Status and JSON of a request."""
        response = self.call(method, path, body, params=params)
        return response.status, json.loads(response.body, parse_float=Decimal) if response.body else None

    def query(self, soql: str, resource: str = "query") -> list[dict[str, Any]]:
        """All records of a query that fits on one page, without their attributes."""
        records = self.get(resource, q=soql)["records"]
        return [{name: value for name, value in one.items() if name != "attributes"} for one in records]

    def refusal(self, soql: str) -> tuple[int, str, str]:
        """Status, code and message with which a query is refused."""
        status, body = self.send("GET", "query", q=soql)
        return status, body[0]["errorCode"], body[0]["message"]

    def deploy(self, files: Mapping[str, str], **options: Any) -> dict[str, Any]:
        """Deploy a package and poll it to its end: the deployResult."""
        chosen = {"deployOptions": {"checkOnly": False, "rollbackOnError": True, "singlePackage": True, **options}}
        body, content_type = upload(json.dumps(chosen), zipped(files))
        response = self.call("POST", "metadata/deployRequest", body, headers={"Content-Type": content_type})
        assert response.status == 201, response.body
        where = f"metadata/deployRequest/{json.loads(response.body)['id']}"
        while not (result := self.get(where, includeDetails="true")["deployResult"])["done"]:
            pass
        return dict(result)

    def provision(self) -> None:
        """Deploy the KPI package and give the client's user its permission set."""
        assert self.deploy(PACKAGE)["success"]
        permission_set = self.query("SELECT Id FROM PermissionSet WHERE Name = 'Kpi_Writer'")[0]["Id"]
        body = {"AssigneeId": self.org.integration, "PermissionSetId": permission_set}
        assert self.send("POST", "sobjects/PermissionSetAssignment", body)[0] == 201


def client(features: Features | None = None, world: World = COMPANY, **options: Any) -> Client:
    """A client of a fresh organisation whose clock stands still."""
    return Client(Org(world, clock=lambda: NOW, features=features, access_token=TOKEN, **options))


def form(**fields: str) -> bytes:
    return urlencode(fields).encode()


def zipped(files: Mapping[str, str]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for path, text in files.items():
            archive.writestr(path, text)
    return out.getvalue()


def upload(options: str, content: bytes) -> tuple[bytes, str]:
    """A multipart body and its content type."""
    parts = (
        b'Content-Disposition: form-data; name="json"\r\nContent-Type: application/json\r\n\r\n' + options.encode(),
        b'Content-Disposition: form-data; name="file"; filename="deploy.zip"\r\n'
        b"Content-Type: application/zip\r\n\r\n" + content,
    )
    joined = b"".join(b"--edge\r\n" + part + b"\r\n" for part in parts)
    return joined + b"--edge--\r\n", "multipart/form-data; boundary=edge"


def manifest(**members: tuple[str, ...]) -> str:
    types = "".join(
        f"<types>{''.join(f'<members>{name}</members>' for name in names)}<name>{kind}</name></types>"
        for kind, names in members.items()
    )
    return f'<Package xmlns="{NAMESPACE}">{types}<version>66.0</version></Package>'


MEMBERS = {
    "CustomObject": ("Kpi__c",),
    "CustomField": ("User.KPI_Calls__c", "Lead.KPI_Score__c"),
    "CustomTab": ("Kpi__c",),
    "PermissionSet": ("Kpi_Writer",),
    "ReportType": ("Kpis",),
    "Report": ("Kpis", "Kpis/By_Rep"),
    "Dashboard": ("Kpis", "Kpis/Board"),
}
PACKAGE = {
    "package.xml": manifest(**MEMBERS),
    "objects/Kpi__c.object": f"""<CustomObject xmlns="{NAMESPACE}">
  <deploymentStatus>Deployed</deploymentStatus>
  <enableReports>true</enableReports>
  <fields><fullName>Key__c</fullName><caseSensitive>true</caseSensitive><externalId>true</externalId>
    <label>Key</label><length>40</length><type>Text</type><unique>true</unique></fields>
  <fields><fullName>Rep__c</fullName><label>Rep</label><referenceTo>User</referenceTo>
    <relationshipName>Kpis</relationshipName><type>Lookup</type></fields>
  <fields><fullName>Value__c</fullName><label>Value</label><precision>10</precision><scale>2</scale>
    <type>Number</type></fields>
  <fields><fullName>Grain__c</fullName><label>Grain</label><type>Picklist</type>
    <valueSet><restricted>true</restricted><valueSetDefinition><sorted>false</sorted>
      <value><fullName>day</fullName><default>false</default></value>
      <value><fullName>month</fullName><default>false</default></value>
    </valueSetDefinition></valueSet></fields>
  <fields><fullName>Starts__c</fullName><label>Starts</label><type>Date</type></fields>
  <label>Kpi</label>
  <nameField><displayFormat>KPI-{{0000}}</displayFormat><label>Number</label><type>AutoNumber</type></nameField>
  <pluralLabel>Kpis</pluralLabel>
  <sharingModel>ReadWrite</sharingModel>
</CustomObject>""",
    "objects/User.object": f"""<CustomObject xmlns="{NAMESPACE}">
  <fields><fullName>KPI_Calls__c</fullName><label>Calls</label><precision>10</precision><scale>0</scale>
    <type>Number</type></fields>
</CustomObject>""",
    "objects/Lead.object": f"""<CustomObject xmlns="{NAMESPACE}">
  <fields><fullName>KPI_Score__c</fullName><label>Score</label><precision>5</precision><scale>2</scale>
    <type>Number</type></fields>
</CustomObject>""",
    "tabs/Kpi__c.tab": f"""<CustomTab xmlns="{NAMESPACE}">
  <customObject>true</customObject><motif>Custom57: Chart</motif></CustomTab>""",
    "permissionsets/Kpi_Writer.permissionset": f"""<PermissionSet xmlns="{NAMESPACE}">
  {
        "".join(
            f"<fieldPermissions><editable>true</editable><field>{name}</field><readable>true</readable></fieldPermissions>"
            for name in (
                *(f"Kpi__c.{one}__c" for one in ("Key", "Rep", "Value", "Grain", "Starts")),
                "User.KPI_Calls__c",
                "Lead.KPI_Score__c",
            )
        )
    }
  <label>Kpi Writer</label>
  <objectPermissions><allowCreate>true</allowCreate><allowDelete>true</allowDelete><allowEdit>true</allowEdit>
    <allowRead>true</allowRead><modifyAllRecords>true</modifyAllRecords><object>Kpi__c</object>
    <viewAllRecords>true</viewAllRecords></objectPermissions>
  <tabSettings><tab>Kpi__c</tab><visibility>Visible</visibility></tabSettings>
</PermissionSet>""",
    "reportTypes/Kpis.reportType": f"""<ReportType xmlns="{NAMESPACE}">
  <baseObject>Kpi__c</baseObject><category>other</category><deployed>true</deployed><label>Kpis</label>
  <sections>
    <columns><checkedByDefault>true</checkedByDefault><field>Rep__c</field><table>Kpi__c</table></columns>
    <columns><checkedByDefault>true</checkedByDefault><field>Value__c</field><table>Kpi__c</table></columns>
    <masterLabel>Kpi</masterLabel>
  </sections>
</ReportType>""",
    "reports/Kpis-meta.xml": f'<ReportFolder xmlns="{NAMESPACE}"><name>Kpis</name></ReportFolder>',
    "reports/Kpis/By_Rep.report": f"""<Report xmlns="{NAMESPACE}">
  <columns><aggregateTypes>Sum</aggregateTypes><field>Kpi__c$Value__c</field></columns>
  <format>Summary</format>
  <groupingsDown><dateGranularity>Day</dateGranularity><field>Kpi__c$Rep__c</field><sortOrder>Asc</sortOrder></groupingsDown>
  <name>By Rep</name>
  <reportType>Kpis__c</reportType>
</Report>""",
    "dashboards/Kpis-meta.xml": f'<DashboardFolder xmlns="{NAMESPACE}"><name>Kpis</name></DashboardFolder>',
    "dashboards/Kpis/Board.dashboard": f"""<Dashboard xmlns="{NAMESPACE}">
  <backgroundEndColor>#FFFFFF</backgroundEndColor><backgroundFadeDirection>Diagonal</backgroundFadeDirection>
  <backgroundStartColor>#FFFFFF</backgroundStartColor>
  <dashboardGridLayout>
    <dashboardGridComponents><colSpan>12</colSpan><columnIndex>0</columnIndex>
      <dashboardComponent><componentType>Bar</componentType><report>Kpis/By_Rep</report></dashboardComponent>
      <rowIndex>0</rowIndex><rowSpan>8</rowSpan></dashboardGridComponents>
    <numberOfColumns>12</numberOfColumns><rowHeight>36</rowHeight>
  </dashboardGridLayout>
  <dashboardType>SpecifiedUser</dashboardType>
  <isGridLayout>true</isGridLayout>
  <runningUser>bea@example.com</runningUser>
  <textColor>#000000</textColor><title>Board</title><titleColor>#000000</titleColor><titleSize>12</titleSize>
</Dashboard>""",
}
