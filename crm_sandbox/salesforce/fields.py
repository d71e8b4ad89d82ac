"""What a field and an object are: types, lengths, what may be written, and how describe tells it."""

import re
from dataclasses import dataclass, replace
from typing import Any

NUMBERS = frozenset({"int", "double", "currency", "percent"})
TEXTS = frozenset({"string", "textarea", "email", "phone", "url", "picklist", "multipicklist", "combobox"})
SOAP = {
    "id": "tns:ID",
    "reference": "tns:ID",
    "boolean": "xsd:boolean",
    "int": "xsd:int",
    "double": "xsd:double",
    "currency": "xsd:double",
    "percent": "xsd:double",
    "date": "xsd:date",
    "datetime": "xsd:dateTime",
    "time": "xsd:time",
    "address": "urn:address",
}


@dataclass(frozen=True)
class Field:
    """A field of an object.

    refers     the objects that a reference may point to; `parent` is the name of the way there (Owner, Rep__r),
               `children` the name of the way back
    required   must be given on create; such fields are visible to everyone and have no field permissions
    default    what a row shows when nothing was ever written
    """

    name: str
    type: str
    label: str = ""
    length: int = 0
    precision: int = 0
    scale: int = 0
    refers: tuple[str, ...] = ()
    parent: str | None = None
    children: str | None = None
    values: tuple[str, ...] = ()
    restricted: bool = False
    external_id: bool = False
    unique: bool = False
    case_sensitive: bool = False
    required: bool = False
    writable: bool = True
    insert_only: bool = False
    filterable: bool = True
    calculated: bool = False
    default: Any = None
    feature: str | None = None
    custom: bool = False
    number_format: str | None = None

    @property
    def permissionable(self) -> bool:
        """Whether field permissions decide who sees it."""
        return self.custom and not self.required

    def describe(self, *, updateable: bool) -> dict[str, Any]:
        """The field as `describe` lists it, for a user who may or may not write it."""
        createable = (self.writable and (updateable or self.insert_only)) if self.writable else False
        return {
            "autoNumber": self.number_format is not None,
            "byteLength": self.length * 3,
            "calculated": self.calculated,
            "caseSensitive": self.case_sensitive,
            "compoundFieldName": None,
            "createable": createable,
            "custom": self.custom,
            "defaultValue": self.default if self.type == "boolean" else None,
            "defaultedOnCreate": self.default is not None or self.number_format is not None,
            "deprecatedAndHidden": False,
            "digits": self.precision if self.type == "int" else 0,
            "externalId": self.external_id,
            "filterable": self.filterable,
            "groupable": self.filterable and self.type not in {"double", "currency", "percent", "datetime"},
            "idLookup": self.external_id or self.type == "id" or self.name in {"Name", "Email"},
            "label": self.label or spaced(self.name),
            "length": self.length,
            "name": self.name,
            "nameField": self.name == "Name",
            "nillable": not self.required and self.type not in {"boolean", "id"},
            "permissionable": self.permissionable,
            "picklistValues": [
                {"active": True, "defaultValue": False, "label": value, "validFor": None, "value": value}
                for value in self.values
            ],
            "polymorphicForeignKey": len(self.refers) > 1,
            "precision": self.precision if self.type != "int" else 0,
            "referenceTo": list(self.refers),
            "relationshipName": self.parent,
            "restrictedPicklist": self.restricted,
            "scale": self.scale,
            "soapType": SOAP.get(self.type, "xsd:string"),
            "sortable": self.filterable,
            "type": self.type,
            "unique": self.unique,
            "updateable": updateable and self.writable and not self.insert_only,
        }


@dataclass(frozen=True)
class Thing:
    """An object (sObject). `fields` by lower-case name, in the order of describe.

    setup      may not be written in one call with objects that are not
    deletable  keeps an IsDeleted mark; others vanish or cannot be deleted
    bulk       Bulk API 2.0 can read it
    """

    name: str
    prefix: str
    label: str
    plural: str
    fields: dict[str, Field]
    setup: bool = False
    creatable: bool = True
    updatable: bool = True
    deletable: bool = True
    bulk: bool = True
    feature: str | None = None
    custom: bool = False

    def field(self, name: str) -> Field | None:
        return self.fields.get(name.lower())

    def with_fields(self, *more: Field) -> "Thing":
        """The object with further fields, or other versions of those that it has."""
        return replace(self, fields={**self.fields, **{field.name.lower(): field for field in more}})

    def children(self) -> list[Field]:
        """The references that parents list as their child relationships."""
        return [field for field in self.fields.values() if field.children]


def spaced(name: str) -> str:
    """A label made of an API name: `FirstRespondedDate` reads First Responded Date."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name.removesuffix("Id") or name)


def text(name: str, length: int = 255, **more: Any) -> Field:
    return Field(name, more.pop("type", "string"), length=length, **more)


def pick(name: str, *values: str, **more: Any) -> Field:
    return Field(name, "picklist", length=255, values=values, **more)


def flag(name: str, default: bool = False, **more: Any) -> Field:
    return Field(name, "boolean", default=default, **more)


def whole(name: str, **more: Any) -> Field:
    return Field(name, "int", precision=9, **more)


def number(name: str, precision: int = 18, scale: int = 2, **more: Any) -> Field:
    return Field(name, more.pop("type", "double"), precision=precision, scale=scale, **more)


def money(name: str, **more: Any) -> Field:
    return number(name, type="currency", **more)


def percent(name: str, **more: Any) -> Field:
    return number(name, 5, 2, type="percent", **more)


def day(name: str, **more: Any) -> Field:
    return Field(name, "date", **more)


def moment(name: str, **more: Any) -> Field:
    return Field(name, "datetime", **more)


def ref(name: str, *to: str, children: str | None = None, **more: Any) -> Field:
    """A lookup; the way to the parent is named as the field without its Id."""
    return Field(name, "reference", length=18, refers=to, parent=name.removesuffix("Id"), children=children, **more)


def currency_code() -> Field:
    return pick("CurrencyIsoCode", feature="multi_currency", restricted=True)


SYSTEM = (
    moment("CreatedDate", writable=False),
    ref("CreatedById", "User", writable=False),
    moment("LastModifiedDate", writable=False),
    ref("LastModifiedById", "User", writable=False),
    moment("SystemModstamp", writable=False),
)


def thing(name: str, prefix: str, *fields: Field, plural: str = "", system: bool = True, **more: Any) -> Thing:
    """A standard object with the fields that every object has."""
    label = spaced(name)
    marks = (flag("IsDeleted", writable=False),) if more.get("deletable", True) else ()
    every = (Field("Id", "id", length=18, writable=False), *marks, *fields, *(SYSTEM if system else ()))
    return Thing(name, prefix, label, plural or f"{label}s", {field.name.lower(): field for field in every}, **more)
