"""Metadata files as trees that remember their lines, checked against the schema."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from itertools import groupby
from xml.parsers import expat

from crm_sandbox.salesforce.metadata.shapes import SHAPES, VALUES

NAMESPACE = "http://soap.sforce.com/2006/04/metadata"


class Problem(Exception):
    """What is wrong with a component, and where in its file."""

    def __init__(self, text: str, line: int = 1, column: int = 1) -> None:
        super().__init__(text)
        self.text = text
        self.line = line
        self.column = column


@dataclass
class Node:
    """One element: its tag without namespace, its text, its children, its place."""

    tag: str
    line: int
    column: int
    text: str = ""
    children: list["Node"] = field(default_factory=list)

    def all(self, tag: str) -> list["Node"]:
        return [child for child in self.children if child.tag == tag]

    def get(self, tag: str) -> str | None:
        """The text of the first child with that tag."""
        return next((child.text.strip() for child in self.children if child.tag == tag), None)

    def flag(self, tag: str) -> bool:
        return (self.get(tag) or "").lower() == "true"

    def problem(self, text: str) -> Problem:
        return Problem(text, self.line, self.column)

    def canonical(self) -> str:
        """The content without places, to see whether a component changed."""
        inner = "".join(sorted(child.canonical() for child in self.children))
        return f"<{self.tag}>{self.text.strip() if not self.children else ''}{inner}</{self.tag}>"

    def walk(self) -> Iterator["Node"]:
        yield self
        for child in self.children:
            yield from child.walk()


def read(content: bytes) -> Node:
    """The file's root element. Raises the parser's complaint."""
    parser = expat.ParserCreate(namespace_separator=" ")
    root: list[Node] = []
    path: list[Node] = []

    def start(name: str, attributes: dict[str, str]) -> None:
        space, _, tag = name.rpartition(" ")
        node = Node(tag, parser.CurrentLineNumber, parser.CurrentColumnNumber + 1)
        if space != NAMESPACE:
            raise node.problem(f"Invalid namespace '{space}' of element {tag}; it must be {NAMESPACE}")
        (path[-1].children if path else root).append(node)
        path.append(node)

    def text(piece: str) -> None:
        path[-1].text += piece

    def end(_: str) -> None:
        path.pop()

    parser.StartElementHandler, parser.CharacterDataHandler, parser.EndElementHandler = start, text, end
    try:
        parser.Parse(content, True)
    except expat.ExpatError as wrong:
        raise Problem(f"Error parsing file: {expat.ErrorString(wrong.code)}", wrong.lineno, wrong.offset + 1) from wrong
    return root[0]


def check(node: Node, shape: str) -> None:
    """Raises a Problem where the element does not fit the schema's type of that name."""
    elements = _elements(shape)
    for child in node.children:
        if child.tag not in elements:
            message = f"Element {{{NAMESPACE}}}{child.tag} invalid at this location in type {shape}"
            raise child.problem(message)
    runs = [tag for tag, _ in groupby(child.tag for child in node.children)]
    for child in node.children:
        repeated = elements[child.tag].repeated
        if runs.count(child.tag) > 1 or (not repeated and len(node.all(child.tag)) > 1):
            raise child.problem(f"Element {child.tag} is duplicated at this location in type {shape}")
        _check_value(child, elements[child.tag].type)
    for name, element in elements.items():
        if element.required and not node.all(name):
            raise node.problem(f"Required field is missing: {name}")


@dataclass(frozen=True)
class Element:
    type: str | None
    required: bool
    repeated: bool


@cache
def _elements(shape: str) -> dict[str, Element]:
    """`label! fields:CustomField*` → what may be in an element of that shape."""
    elements = {}
    for token in SHAPES[shape].split():
        name, _, kind = token.rstrip("!*").partition(":")
        elements[name] = Element(kind or None, "!" in token, "*" in token)
    return elements


def _check_value(node: Node, kind: str | None) -> None:
    value = node.text.strip()
    if kind is None:
        return
    if kind in SHAPES:
        check(node, kind)
    elif kind in VALUES and value not in VALUES[kind].split():
        raise node.problem(f"'{value}' is not a valid value for the enum '{kind}'")
    elif kind == "boolean" and value not in {"true", "false", "1", "0"}:
        raise node.problem(f"'{value}' is not a valid value for the type xsd:boolean")
    elif kind == "int" and not value.lstrip("-").isdigit():
        raise node.problem(f"'{value}' is not a valid value for the type xsd:int")
