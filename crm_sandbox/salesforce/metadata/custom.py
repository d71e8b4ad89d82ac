"""Custom fields and objects: metadata XML → what the schema holds, with the rules that a deployment checks."""

import re
from collections.abc import Callable
from dataclasses import replace

from crm_sandbox.salesforce.fields import Field, Thing, day, flag, moment, number, pick, ref, text, thing
from crm_sandbox.salesforce.metadata.tree import Node
from crm_sandbox.salesforce.schema import Schema

NAME = re.compile(r"[A-Za-z](?:_?[A-Za-z0-9])*__c")
INDEXABLE = frozenset({"Text", "Number", "Email", "AutoNumber"})
LONGEST_LABEL = 40
LONGEST_NAME = 43


def custom_object(node: Node, name: str, prefix: str, schema: Schema) -> Thing:
    """The object without its fields of its own. Raises a Problem."""
    if not NAME.fullmatch(name):
        raise node.problem(f"The object name {name} must be alphanumeric, start with a letter and end with __c")
    for needed in ("label", "pluralLabel", "nameField", "sharingModel", "deploymentStatus"):
        if node.get(needed) is None:
            raise node.problem(f"Must specify a {needed} for CustomObject {name}")
    described = node.all("nameField")[0]
    if described.get("type") == "AutoNumber" and "{0" not in (described.get("displayFormat") or ""):
        raise described.problem("Must specify a displayFormat with {0} for an AutoNumber name field")
    if described.get("type") not in {"AutoNumber", "Text"}:
        raise described.problem("The name field must be of type Text or AutoNumber")
    pattern = described.get("displayFormat")
    named = (
        text("Name", 80, number_format=pattern, writable=False)
        if pattern
        else text("Name", 80, label=described.get("label") or "")
    )
    owner = Field("OwnerId", "reference", length=18, refers=("Group", "User"), parent="Owner")
    currency = pick("CurrencyIsoCode", feature="multi_currency")
    made = thing(name, prefix, owner, named, currency, plural=node.get("pluralLabel") or name)
    return replace(made, label=node.get("label") or name, custom=True)


def custom_field(node: Node, owner: str, schema: Schema) -> Field:
    """A field of `owner`. Raises a Problem."""
    name = node.get("fullName") or ""
    kind = node.get("type") or ""
    if not NAME.fullmatch(name):
        raise node.problem(f"The field name {name} must be alphanumeric, start with a letter and end with __c")
    if len(name) > LONGEST_NAME:
        raise node.problem(f"The field name {name} is longer than {LONGEST_NAME} characters")
    label = node.get("label")
    if not label:
        raise node.problem(f"Must specify a label for CustomField {owner}.{name}")
    if len(label) > LONGEST_LABEL:
        raise node.problem(f"The label {label} is longer than {LONGEST_LABEL} characters")
    build = BUILDERS.get(kind)
    if build is None:
        raise node.problem(f"Field type {kind or '(none)'} is not supported here")
    if (node.flag("externalId") or node.flag("unique")) and kind not in INDEXABLE:
        raise node.problem(f"A field of type {kind} cannot be an external id or unique")
    built = build(node, name)
    for target in built.refers:
        if schema.thing(target) is None:
            raise node.problem(f"referenceTo value of '{target}' does not resolve to a valid sObject type")
    return replace(
        built,
        label=label,
        custom=True,
        external_id=node.flag("externalId"),
        unique=node.flag("unique"),
        case_sensitive=node.flag("caseSensitive"),
        required=node.flag("required") or kind == "MasterDetail",
        calculated=node.get("formula") is not None,
        writable=built.writable and node.get("formula") is None,
    )


def _length(node: Node, most: int) -> int:
    given = node.get("length")
    if given is None:
        raise node.problem("Must specify 'length' for a CustomField of this type")
    if not 1 <= int(given) <= most:
        raise node.problem(f"Value too large or too small. Length must be between 1 and {most}")
    return int(given)


def _digits(node: Node) -> tuple[int, int]:
    precision, scale = node.get("precision"), node.get("scale")
    if precision is None or scale is None:
        raise node.problem("Must specify 'precision' and 'scale' for a CustomField of this type")
    if not 1 <= int(precision) <= 18 or not 0 <= int(scale) <= int(precision):
        raise node.problem("Precision must be between 1 and 18 and scale not greater than precision")
    return int(precision), int(scale)


def _text(node: Node, name: str) -> Field:
    return text(name, _length(node, 255) if node.get("formula") is None else 1300)


def _numeric(kind: str) -> Callable[[Node, str], Field]:
    def build(node: Node, name: str) -> Field:
        return number(name, *_digits(node), type=kind)

    return build


def _checkbox(node: Node, name: str) -> Field:
    if node.get("defaultValue") is None and node.get("formula") is None:
        raise node.problem("Must specify 'defaultValue' for a CustomField of type Checkbox")
    return flag(name, node.flag("defaultValue"))


def _lookup(node: Node, name: str) -> Field:
    target = node.get("referenceTo")
    if target is None:
        raise node.problem("Must specify 'referenceTo' for a relationship field")
    back = node.get("relationshipName")
    stem = name.removesuffix("__c")
    return replace(ref(name, target), parent=f"{stem}__r", children=f"{back}__r" if back else None)


def _picklist(kind: str) -> Callable[[Node, str], Field]:
    def build(node: Node, name: str) -> Field:
        sets = node.all("valueSet")
        if not sets:
            raise node.problem("Must specify a 'valueSet' for a CustomField of type Picklist")
        values = [
            value.get("fullName") or ""
            for definition in sets[0].all("valueSetDefinition")
            for value in definition.all("value")
        ]
        if len({value.lower() for value in values}) < len(values):
            raise sets[0].problem("Duplicate picklist value")
        return replace(pick(name, *values, restricted=sets[0].flag("restricted")), type=kind)

    return build


def _long_text(node: Node, name: str) -> Field:
    if node.get("visibleLines") is None:
        raise node.problem("Must specify 'visibleLines' for a CustomField of type LongTextArea")
    return text(name, _length(node, 131_072), type="textarea", filterable=False)


def _auto_number(node: Node, name: str) -> Field:
    return text(name, 30, number_format=node.get("displayFormat") or "{0}", writable=False)


BUILDERS: dict[str, Callable[[Node, str], Field]] = {
    "Text": _text,
    "TextArea": lambda node, name: text(name, 255, type="textarea"),
    "LongTextArea": _long_text,
    "Email": lambda node, name: text(name, 80, type="email"),
    "Phone": lambda node, name: text(name, 40, type="phone"),
    "Url": lambda node, name: text(name, 255, type="url"),
    "Number": _numeric("double"),
    "Currency": _numeric("currency"),
    "Percent": _numeric("percent"),
    "Checkbox": _checkbox,
    "Date": lambda node, name: day(name),
    "DateTime": lambda node, name: moment(name),
    "Lookup": _lookup,
    "MasterDetail": _lookup,
    "Picklist": _picklist("picklist"),
    "MultiselectPicklist": _picklist("multipicklist"),
    "AutoNumber": _auto_number,
}
