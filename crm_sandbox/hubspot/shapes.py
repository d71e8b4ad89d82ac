"""The shapes of request bodies. A body of another shape is refused before anything looks at its contents."""

from typing import NotRequired, TypedDict

Id = str | int
Scalar = str | int | float | bool | None


class End(TypedDict):
    """One end of a link."""

    id: Id


class LinkType(TypedDict):
    """An association type, named by number."""

    associationTypeId: int
    associationCategory: NotRequired[str]


class NewLink(TypedDict):
    """A link that is made together with its record."""

    to: End
    types: NotRequired[list[LinkType] | None]


class WriteRow(TypedDict, total=False):
    """A record to be written."""

    id: Id
    idProperty: str | None
    properties: dict[str, Scalar] | None
    objectWriteTraceId: Id | None
    associations: list[NewLink] | None


class WriteBatch(TypedDict):
    """Records to be written."""

    inputs: list[WriteRow]


class ReadBatch(TypedDict):
    """Records to be read."""

    inputs: list[End]
    properties: NotRequired[list[str] | None]
    propertiesWithHistory: NotRequired[list[str] | None]
    idProperty: NotRequired[str | None]


class Merge(TypedDict):
    """Two records that become one."""

    primaryObjectId: Id
    objectIdToMerge: Id


class Filter(TypedDict, total=False):
    """One condition of a search."""

    propertyName: str
    operator: str
    value: Scalar
    highValue: Scalar
    values: list[Scalar] | None


class FilterGroup(TypedDict, total=False):
    """Conditions that must all hold."""

    filters: list[Filter]


class Sort(TypedDict):
    """The order of a search."""

    propertyName: str
    direction: NotRequired[str]


class Search(TypedDict, total=False):
    """A search."""

    filterGroups: list[FilterGroup] | None
    filters: list[Filter] | None
    sorts: list[str | Sort] | None
    properties: list[str] | None
    query: str | None
    limit: int | None
    after: Id | None


class LinkedRow(TypedDict):
    """A record whose links are read; `after` goes on within them."""

    id: Id
    after: NotRequired[str | None]


class LinkedBatch(TypedDict):
    """Records whose links are read."""

    inputs: list[LinkedRow]


Link = TypedDict("Link", {"from": End, "to": End, "types": NotRequired[list[LinkType] | None]})


class LinkBatch(TypedDict):
    inputs: list[Link]


Unlink = TypedDict("Unlink", {"from": End, "to": list[End]})


class UnlinkBatch(TypedDict):
    inputs: list[Unlink]


class Option(TypedDict):
    """A choice of an enumeration."""

    value: str
    label: str


class PropertyBody(TypedDict, total=False):
    """A property's definition."""

    name: str
    label: str
    type: str
    fieldType: str
    groupName: str | None
    description: str | None
    options: list[Option] | None
    displayOrder: int | None
    hasUniqueValue: bool | None
    hidden: bool | None
    formField: bool | None
    externalOptions: bool | None
    referencedObjectType: str | None
    numberDisplayHint: str | None
    showCurrencySymbol: bool | None
    currencyPropertyName: str | None
    textDisplayHint: str | None


class PropertyBatch(TypedDict):
    """Definitions to be made."""

    inputs: list[PropertyBody]


class Named(TypedDict):
    """A definition that is meant by name."""

    name: str


class NameBatch(TypedDict):
    """Definitions that are meant by name."""

    inputs: list[Named]


class GroupBody(TypedDict, total=False):
    """A property group."""

    name: str
    label: str
    displayOrder: int | None


class Labels(TypedDict):
    """What one and many of a custom object are called."""

    singular: str
    plural: str


class SchemaBody(TypedDict, total=False):
    """A custom object."""

    name: str
    labels: Labels
    description: str | None
    primaryDisplayProperty: str
    secondaryDisplayProperties: list[str] | None
    requiredProperties: list[str] | None
    allowsSensitiveProperties: bool | None
    searchableProperties: list[str] | None
    properties: list[PropertyBody] | None
    associatedObjects: list[str] | None


class AssociationBody(TypedDict):
    """What a custom object may be linked to."""

    toObjectTypeId: str


class Share(TypedDict):
    """An owner's part of a deal."""

    ownerId: Id
    percentage: float | str


class SharedDeal(TypedDict):
    """How a deal is divided."""

    id: Id
    splits: list[Share]


class SharedDeals(TypedDict):
    """How deals are divided."""

    inputs: list[SharedDeal]


class DealBatch(TypedDict):
    """Deals whose division is asked for."""

    inputs: list[End]
