"""Whatever stands in a row, the rest of its page is read: a bad row is a value and never an exception."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.salesforce import activities, wire
from connectors.salesforce import rows as sf
from connectors.salesforce.landing import mapped
from connectors.salesforce.settings import Mappings

SHAPES = {
    sf.UserRow: wire.rep,
    sf.LeadRow: wire.lead,
    sf.ContactRow: wire.person,
    sf.OpportunityRow: wire.deal,
    sf.ContactRoleRow: wire.contact_role,
    sf.SplitRow: lambda row: wire.split(row, frozenset({"149"})),
    sf.TaskRow: lambda row: activities.task(row, {}, Mappings()),
    sf.EventRow: lambda row: activities.meeting(row, {}, Mappings()),
    sf.EmailRow: lambda row: activities.email(row, {}, {}),
    sf.EmailPersonRow: activities.email_person,
    sf.VoiceCallRow: activities.voice_call,
    sf.CampaignRow: wire.campaign,
    sf.CampaignMemberRow: wire.campaign_response,
}

anything = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=20),
    st.sampled_from(
        ["2026-03-02", "2026-03-02T10:00:00.000+0000", "0001-01-01", "9999-12-31T23:59:59.999+0000", "005", "3", "149"]
    ),
    st.just({"nested": [1]}),
)


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.__name__)
@settings(max_examples=60, deadline=None)
@given(values=st.data())
def test_a_row_of_anything_becomes_records_or_is_named(shape: type[sf.Row], values: st.DataObject) -> None:
    names = [field.encode_name for field in msgspec.structs.fields(shape) if field.encode_name != "Id"]
    row: dict[str, Any] = values.draw(st.dictionaries(st.sampled_from(names), anything))
    good = {"Id": "00X000000000002AAA"}
    body = json.dumps({"records": [{"Id": "00X000000000001AAA", **row}, good], "done": True}).encode()
    answer = sf.answer_in(body, shape, "test")
    _, unread = mapped(answer.rows, SHAPES[shape], "test")  # type: ignore[arg-type]
    assert {read.Id for read in answer.rows} >= {good["Id"]}
    assert {one.id for one in (*answer.unread, *unread)} <= {"00X000000000001AAA"}
