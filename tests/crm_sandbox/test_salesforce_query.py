"""SOQL in the pretend Salesforce: what matches, in which order, and what is refused with which words."""

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from salesforce_company import COMPANY, client

from crm_sandbox.world import Prospect

FUZZED = client()


def names(soql: str, resource: str = "query") -> list[str]:
    return [row["Name"] for row in client().query(soql, resource)]


@pytest.mark.parametrize(
    ("where", "found"),
    [
        ("StageName = 'closed won'", ["Acme expansion"]),
        ("StageName != 'Closed Won'", ["Bolt pilot", "O'Neil AND Sons"]),
        ("Name = 'O\\'Neil AND Sons'", ["O'Neil AND Sons"]),
        ("Name LIKE '%and%' AND IsClosed = TRUE", ["O'Neil AND Sons"]),
        ("Name LIKE 'b_lt%'", ["Bolt pilot"]),
        ("Amount = null", ["Bolt pilot", "O'Neil AND Sons"]),
        ("Amount >= 1200.5", ["Acme expansion"]),
        ("Amount < 1200.5", []),
        ("NOT Amount < 1200.5", ["Acme expansion", "Bolt pilot", "O'Neil AND Sons"]),
        ("CloseDate >= 2026-08-01 AND CloseDate <= 2026-12-31", ["Bolt pilot", "O'Neil AND Sons"]),
        ("IsWon = true OR (IsClosed = false AND CloseDate > 2026-12-01)", ["Acme expansion", "Bolt pilot"]),
        ("StageName IN ('Closed Won', 'Closed Lost')", ["Acme expansion", "O'Neil AND Sons"]),
        ("StageName NOT IN ('Closed Won', 'Closed Lost')", ["Bolt pilot"]),
        ("CreatedDate = 2026-04-30T02:00:00+02:00", ["Acme expansion"]),
        ("CreatedDate < 2026-07-01T00:00:00Z", ["Acme expansion"]),
        ("CreatedDate <= 2026-07-01T00:00:00.000Z", ["Acme expansion", "O'Neil AND Sons"]),
        ("Owner.Name = 'Bea Boss'", ["O'Neil AND Sons"]),
        ("Account.Name = 'bolt'", ["Bolt pilot"]),
        ("CloseDate = NEXT_N_DAYS:60", ["Bolt pilot"]),
        ("CloseDate = LAST_N_DAYS:120", ["O'Neil AND Sons"]),
        ("CloseDate = THIS_FISCAL_YEAR", ["Acme expansion", "Bolt pilot", "O'Neil AND Sons"]),
        ("CloseDate < THIS_QUARTER", ["Acme expansion", "O'Neil AND Sons"]),
        ("Id IN (SELECT OpportunityId FROM OpportunityContactRole)", ["Acme expansion"]),
        ("CALENDAR_MONTH(CloseDate) = 6", ["Acme expansion"]),
    ],
)
def test_conditions_select_what_salesforce_would(where: str, found: list[str]):
    assert names(f"SELECT Name FROM Opportunity WHERE {where} ORDER BY Name") == found


def test_names_are_found_in_any_case_and_answered_in_their_own():
    row = client().get("query", q="select NAME, owner.EMAIL from OPPORTUNITY where stagename = 'Closed Won'")[
        "records"
    ][0]
    assert list(row) == ["attributes", "Name", "Owner"]
    assert row["attributes"]["type"] == "Opportunity"
    assert row["attributes"]["url"].startswith("/services/data/v66.0/sobjects/Opportunity/006")
    assert row["Owner"]["attributes"]["type"] == "User"
    assert row["Owner"]["Email"] == "ana@example.com"


def test_a_parent_that_is_not_there_is_null_and_a_polymorphic_one_is_a_name():
    crm = client()
    row = crm.get(
        "query", q=f"SELECT Who.Type, Who.Name, What.Name FROM Task WHERE Id = '{crm.org.id_of('call', 'group')}'"
    )
    record = row["records"][0]
    assert record["Who"]["attributes"]["type"] == "Name"
    assert record["Who"]["Type"] == "Contact"
    assert record["What"] is None


def test_ids_match_with_fifteen_characters_too():
    crm = client()
    record = crm.org.id_of("sale", "open")
    assert crm.query(f"SELECT Name FROM Opportunity WHERE Id = '{record[:15]}'") == [{"Name": "Bolt pilot"}]


def test_several_keys_sort_and_nulls_go_where_they_are_told():
    crm = client()
    first = crm.query("SELECT Name FROM Opportunity ORDER BY Amount DESC, Name DESC")
    assert [row["Name"] for row in first] == ["O'Neil AND Sons", "Bolt pilot", "Acme expansion"]
    last = crm.query("SELECT Name FROM Opportunity ORDER BY Amount NULLS LAST, Name")
    assert [row["Name"] for row in last] == ["Acme expansion", "Bolt pilot", "O'Neil AND Sons"]
    assert crm.query("SELECT Name FROM Opportunity ORDER BY Name LIMIT 1 OFFSET 1") == [{"Name": "Bolt pilot"}]


def test_count_has_a_total_and_no_records():
    assert client().get("query", q="SELECT COUNT() FROM Opportunity") == {"totalSize": 3, "done": True, "records": []}


def test_groups_have_named_and_unnamed_expressions():
    rows = client().query(
        "SELECT IsClosed, COUNT(Id) deals, SUM(Amount), MAX(CloseDate) FROM Opportunity "
        "GROUP BY IsClosed ORDER BY COUNT(Id)"
    )
    assert rows == [
        {"IsClosed": False, "deals": 1, "expr0": None, "expr1": "2026-12-31"},
        {"IsClosed": True, "deals": 2, "expr0": Decimal("1200.5"), "expr1": "2026-08-01"},
    ]
    kept = client().query("SELECT IsClosed FROM Opportunity GROUP BY IsClosed HAVING COUNT(Id) > 1")
    assert kept == [{"IsClosed": True}]


def test_children_come_nested_or_null():
    rows = client().get(
        "query",
        q="SELECT Name, (SELECT Contact.Name FROM OpportunityContactRoles) FROM Opportunity ORDER BY Name LIMIT 2",
    )["records"]
    roles = rows[0]["OpportunityContactRoles"]
    assert (roles["totalSize"], roles["records"][0]["Contact"]["Name"]) == (1, "Leo Converted")
    assert rows[1]["OpportunityContactRoles"] is None


def test_typeof_shows_other_fields_for_other_types():
    crm = client()
    record = crm.get(
        "query",
        q="SELECT TYPEOF Who WHEN Contact THEN Email WHEN Lead THEN Company END FROM Task "
        f"WHERE Id IN ('{crm.org.id_of('call', 'talk')}', '{crm.org.id_of('call', 'later')}') ORDER BY IsClosed",
    )["records"]
    assert record[0]["Who"]["Company"] == "Acme"
    assert record[1]["Who"]["Email"] == "leo@customer.example"


def test_fields_standard_is_every_standard_field_and_fields_all_needs_a_limit():
    crm = client()
    assert "FiscalYearStartMonth" in crm.query("SELECT FIELDS(STANDARD) FROM Organization")[0]
    assert crm.refusal("SELECT FIELDS(ALL) FROM Lead")[1] == "MALFORMED_QUERY"
    assert "Company" in crm.query("SELECT FIELDS(ALL) FROM Lead LIMIT 200")[0]


def test_an_unknown_field_is_named_with_a_caret_under_it_and_only_the_first_one():
    status, code, message = client().refusal("SELECT Id, Foo__c, Bar__c FROM Account")
    assert (status, code) == (400, "INVALID_FIELD")
    assert message.startswith(
        "\nSELECT Id, Foo__c, Bar__c FROM Account\n           ^\nERROR at Row:1:Column:12\n"
        "No such column 'Foo__c' on entity 'Account'. "
    )
    assert "Bar__c' on" not in message


@pytest.mark.parametrize(
    ("soql", "code", "words"),
    [
        ("SELECT Id FROM Nothing", "INVALID_TYPE", "sObject type 'Nothing' is not supported."),
        ("SELECT Id FROM", "MALFORMED_QUERY", "unexpected token"),
        ("SELECT Id Lead", "MALFORMED_QUERY", "unexpected token"),
        ("SELECT Id FROM Lead WHERE Name = 'a", "MALFORMED_QUERY", "unexpected token"),
        (
            "SELECT Id FROM Lead WHERE Name = 'a' AND Name = 'b' OR Name = 'c'",
            "MALFORMED_QUERY",
            "unexpected token: 'OR'",
        ),
        ("SELECT Id FROM Lead WHERE CreatedDate > '2026-01-01T00:00:00Z'", "INVALID_FIELD", "must be of type dateTime"),
        ("SELECT Id FROM Lead WHERE CreatedDate > 2026-01-01", "INVALID_FIELD", "must be of type dateTime"),
        ("SELECT Id FROM Opportunity WHERE CloseDate > 2026-01-01T00:00:00Z", "INVALID_FIELD", "must be of type date"),
        ("SELECT Id FROM Lead WHERE CreatedDate > 2026-01-01T00:00:00 01:00", "MALFORMED_QUERY", "unexpected token"),
        ("SELECT Id FROM Lead WHERE Name = 5", "INVALID_FIELD", "must be of type string"),
        ("SELECT Id FROM Lead WHERE IsConverted = 'true'", "INVALID_FIELD", "must be of type boolean"),
        ("SELECT Id FROM Lead WHERE Id = 'x'", "INVALID_QUERY_FILTER_OPERATOR", "invalid ID field: x"),
        ("SELECT Id FROM Lead WHERE Nobody.Name = 'x'", "INVALID_FIELD", "Didn't understand relationship 'Nobody'"),
        ("SELECT Id, Id FROM Lead", "MALFORMED_QUERY", "duplicate field selected: Id"),
        ("SELECT Id FROM Task WHERE Description = 'x'", "INVALID_FIELD", "can not be filtered"),
        ("SELECT Id FROM Lead OFFSET 2001", "NUMBER_OUTSIDE_VALID_RANGE", "Maximum SOQL offset"),
        ("SELECT Name, COUNT(Id) FROM Lead", "MALFORMED_QUERY", "must be grouped or aggregated"),
        ("SELECT Id FROM Lead WHERE Name = TOMORROWISH", "MALFORMED_QUERY", "unexpected token: 'TOMORROWISH'"),
        ("SELECT Id FROM Lead WHERE CreatedDate = LAST_N_MOONS:3", "MALFORMED_QUERY", "unexpected token"),
    ],
)
def test_wrong_queries_are_refused_with_code_and_words(soql: str, code: str, words: str):
    status, found, message = client().refusal(soql)
    assert (status, found) == (400, code)
    assert words in message


def test_relative_dates_follow_the_running_users_today():
    # noon in UTC on 20 November 2026, a Friday; the integration user's zone is GMT
    crm = client()
    lead = replace(COMPANY.prospects[0], key="new", email="new@x.example", created=COMPANY.now)
    crm = client(world=replace(COMPANY, prospects=(*COMPANY.prospects, lead)))
    assert [row["Email"] for row in crm.query("SELECT Email FROM Lead WHERE CreatedDate = TODAY")] == ["new@x.example"]
    assert len(crm.query("SELECT Id FROM Lead WHERE CreatedDate = THIS_WEEK")) == 1
    assert crm.query("SELECT Id FROM Lead WHERE CreatedDate = YESTERDAY") == []


def test_quotes_backslashes_percent_signs_and_any_script_can_be_asked_for():
    odd = Prospect("odd", "Zoë 100% \\ 'Ω' 名前", "z@x.example", "Acme", "ana", COMPANY.prospects[0].created)
    crm = client(world=replace(COMPANY, prospects=(*COMPANY.prospects, odd)))
    asked = "SELECT Email FROM Lead WHERE Name = 'zoë 100% \\\\ \\'ω\\' 名前'"
    assert crm.query(asked) == [{"Email": "z@x.example"}]
    assert crm.query("SELECT Email FROM Lead WHERE Name LIKE '%100\\%%'") == [{"Email": "z@x.example"}]


WORDS = (
    "SELECT Id , Owner . Name , COUNT ( Id ) n FROM Task t WHERE ( Subject LIKE 'a%' OR NOT WhoId != null ) AND "
    "CreatedDate >= 2026-01-01T00:00:00Z AND ActivityDate = LAST_N_DAYS:30 AND WhoId IN ( SELECT Id FROM Lead ) "
    "GROUP BY Status HAVING COUNT ( Id ) > 1 ORDER BY Id DESC NULLS LAST LIMIT 5 OFFSET 2"
)


@given(st.lists(st.sampled_from(WORDS.split()), min_size=1, max_size=14), st.integers(0, 3))
@settings(max_examples=300, deadline=None)
def test_any_text_is_answered_or_refused_but_never_breaks(words: list[str], kind: int):
    head = (["SELECT", "Id"], ["SELECT", "Id", "FROM", "Task", "WHERE"], ["SELECT", "Status", "FROM", "Task"], [])[kind]
    status, body = FUZZED.send("GET", "query", q=" ".join([*head, *words]).replace(" . ", "."))
    assert status in {200, 400}
    assert status == 200 or body[0]["errorCode"]
