"""Looks at an org before anything is read or written: whose it is, what it lacks, where our numbers may be shown."""

from collections.abc import Iterator

import msgspec

from connectors.contract import Capabilities, Gap, Surface
from connectors.errors import NotAllowed
from connectors.salesforce import rows as sf
from connectors.salesforce.answers import accepted, garbled
from connectors.salesforce.names import KEY_FIELD, KPI_OBJECT, SCORE_FIELDS
from connectors.salesforce.org import Org
from connectors.salesforce.reader import Reader
from connectors.salesforce.refusals import PROVISION
from connectors.salesforce.sources import ASIDE, asked_fields, gaps, sources
from connectors.salesforce.writer import SIZES

OLDEST = 46.0
"""The first version whose collections can upsert and say which rows they made."""


class Version(msgspec.Struct, frozen=True):
    """A version of the API that the org speaks."""

    version: str


def look(org: Org, reader: Reader) -> Capabilities:
    """What was found, in about five calls; in three where an earlier look still stands."""
    if not org.visible.remembered():
        _check_version(org)
    org.visible.look_at(
        [
            *dict.fromkeys(source.sobject for source in sources(org.settings.mappings)),
            *ASIDE,
            KPI_OBJECT,
            "Organization",
        ]
    )
    about = _organisation(org)
    daily = org.limits()
    lacking = tuple(surface_gaps(org))
    if lacking:
        org.visible.doubt()  # somebody may be about to provision, or to give the permission
    else:
        org.visible.keep()
    return Capabilities(
        organisation=about.Id,  # two orgs may bear one name, and a name may change
        time_zone=about.TimeZoneSidKey,
        home_currency=_home_currency(org),
        fiscal_year_start=about.FiscalYearStartMonth,
        streams=reader.streams(),
        surfaces=frozenset(Surface) - {Surface(gap.source) for gap in lacking},
        gaps=(*gaps(org.fields, org.settings.mappings), *lacking),
        daily_calls=daily[0] if daily else None,
        daily_calls_left=daily[1] if daily else None,
        rows_a_call=SIZES[0],
    )


def _check_version(org: Org) -> None:
    answer = accepted(org.transport.send("GET", "/services/data/", signed=False), "the list of API versions")
    try:
        spoken = msgspec.json.decode(answer.content, type=list[Version])
    except msgspec.MsgspecError:
        raise garbled("the list of API versions") from None
    wanted = org.settings.api_version
    if wanted not in {entry.version for entry in spoken} or float(wanted) < OLDEST:
        newest = spoken[-1].version if spoken else "none"
        raise NotAllowed(
            "KPI-SF-012",
            f"This org does not speak version {wanted} of the Salesforce API, or it is too old for us.",
            f'Set api_version in kpisync.toml to a version from "{OLDEST}" to "{newest}".',
        )


def _organisation(org: Org) -> sf.OrganizationRow:
    asked = asked_fields(sf.OrganizationRow, org.fields("Organization"))
    found = list(org.rows(f"SELECT {', '.join(asked)} FROM Organization", sf.OrganizationRow)) if asked else []  # noqa: S608
    return found[0] if found else sf.OrganizationRow(Id="unknown")


def _home_currency(org: Org) -> str | None:
    """The corporate currency; an org with one currency does not say which."""
    if not {"IsCorporate", "IsoCode"} <= org.fields("CurrencyType").keys():
        return None
    corporate = "SELECT Id, IsoCode FROM CurrencyType WHERE IsCorporate = true"
    return next((row.IsoCode for row in org.rows(corporate, sf.CurrencyRow)), None)


def surface_gaps(org: Org) -> Iterator[Gap]:
    """The surfaces on which nothing can be written now, and why."""
    kpi = org.fields(KPI_OBJECT)
    if not kpi:
        yield Gap(Surface.KPI_RECORDS, f"The object {KPI_OBJECT} is not there or not visible.", PROVISION)
    elif KEY_FIELD not in kpi or not kpi[KEY_FIELD].createable:
        yield Gap(Surface.KPI_RECORDS, f"{KPI_OBJECT} may not be written by this user.", PROVISION)
    ours = [field for name, field in org.fields("User").items() if name.startswith("KPI_")]
    if not ours:
        yield Gap(Surface.PERSON_FIELDS, "User has no KPI fields that this user can see.", PROVISION)
    elif not any(field.updateable for field in ours):
        yield Gap(
            Surface.PERSON_FIELDS,
            "The KPI fields of User may not be written by this user.",
            "Give the integration user the permission Manage Internal Users, and the permission set.",
        )
    lead = org.fields("Lead")
    if not all(name in lead and lead[name].updateable for name in SCORE_FIELDS.values()):
        yield Gap(Surface.LEAD_SCORES, "The score fields of Lead are not there or may not be written.", PROVISION)
    elif "HasOptedOutOfEmail" not in lead:
        yield Gap(
            Surface.LEAD_SCORES,
            "Who opted out of e-mail is not visible: a score could send somebody after them.",
            "Let the integration user read the field Email Opt Out of Lead.",
        )
