"""SOQL text → what it says: a parser as strict as Salesforce's, and its complaint about the first wrong token."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from lark import Lark, Token, Transformer
from lark.exceptions import UnexpectedInput, VisitError

from crm_sandbox.salesforce.errors import Refusal

GRAMMAR = r"""
?start: select
select: SELECT items FROM source scope? where? with? group? order? limit? offset? for?
items: item ("," item)*
?item: operand alias? -> column
     | "(" select ")" -> children
     | TYPEOF PATH when+ otherwise? END -> by_type
when: WHEN PATH THEN paths
otherwise: ELSE paths
paths: PATH ("," PATH)*
alias: PATH
source: PATH PATH?
scope: USING SCOPE PATH
where: WHERE either
with: WITH PATH
group: GROUP BY operand ("," operand)* (HAVING either)?
order: ORDER BY ordered ("," ordered)*
ordered: operand (ASC | DESC)? (NULLS (FIRST | LAST))?
limit: LIMIT WHOLE
offset: OFFSET WHOLE
for: FOR PATH
?operand: PATH -> path
        | PATH "(" [operand ("," operand)*] ")" -> function
?either: unit
       | unit (AND unit)+ -> every
       | unit (OR unit)+ -> some
?unit: NOT unit -> negated
     | "(" either ")"
     | operand COMPARES literal -> compared
     | operand LIKE literal -> like
     | operand IN choice -> within
     | operand NOT IN choice -> without
     | operand INCLUDES choice -> includes
     | operand EXCLUDES choice -> excludes
?choice: "(" literal ("," literal)* ")" -> literals
       | "(" select ")"
literal: STRING | MOMENT | DAY | RELATIVE | NUMBER | PATH

SELECT.2: /select\b/i
FROM.2: /from\b/i
WHERE.2: /where\b/i
USING.2: /using\b/i
SCOPE.2: /scope\b/i
WITH.2: /with\b/i
GROUP.2: /group\b/i
HAVING.2: /having\b/i
ORDER.2: /order\b/i
BY.2: /by\b/i
ASC.2: /asc\b/i
DESC.2: /desc\b/i
NULLS.2: /nulls\b/i
FIRST.2: /first\b/i
LAST.2: /last\b/i
LIMIT.2: /limit\b/i
OFFSET.2: /offset\b/i
FOR.2: /for\b/i
AND.2: /and\b/i
OR.2: /or\b/i
NOT.2: /not\b/i
IN.2: /in\b/i
LIKE.2: /like\b/i
INCLUDES.2: /includes\b/i
EXCLUDES.2: /excludes\b/i
TYPEOF.2: /typeof\b/i
WHEN.2: /when\b/i
THEN.2: /then\b/i
ELSE.2: /else\b/i
END.2: /end\b/i
COMPARES: "!=" | "<>" | "<=" | ">=" | "=" | "<" | ">"
STRING: /'(\\.|[^'\\])*'/s
MOMENT.3: /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:?\d\d)/i
DAY.2: /\d{4}-\d\d-\d\d\b/
RELATIVE.3: /[a-z_]+:\d+/i
WHOLE: /\d+\b(?![.\d])/
NUMBER: /[+-]?\d+(\.\d+)?/
PATH: /[a-z_]\w*(\.[a-z_]\w*)*/i
%ignore /\s+/
"""

LONGEST = 100_000


@dataclass(frozen=True)
class Path:
    """A field, perhaps by way of parents; `at` is its place in the text."""

    names: tuple[str, ...]
    at: int

    def __str__(self) -> str:
        return ".".join(self.names)


@dataclass(frozen=True)
class Function:
    """COUNT(), SUM(Amount), CALENDAR_MONTH(CloseDate) …"""

    name: str
    arguments: tuple["Operand", ...]
    at: int


Operand = Path | Function


@dataclass(frozen=True)
class Literal:
    """kind: string | moment | day | relative | number | name (TRUE, FALSE, NULL, TODAY …)."""

    kind: str
    text: str
    at: int


@dataclass(frozen=True)
class Column:
    operand: Operand
    alias: str | None = None


@dataclass(frozen=True)
class Children:
    """A parent-to-child subquery in the select list."""

    select: "Select"


@dataclass(frozen=True)
class ByType:
    """TYPEOF: other fields for each type of a polymorphic parent."""

    parent: Path
    cases: tuple[tuple[str, tuple[Path, ...]], ...]
    otherwise: tuple[Path, ...]


@dataclass(frozen=True)
class Test:
    """One comparison. operator: = != < <= > >= like in not-in includes excludes."""

    operand: Operand
    operator: str
    value: "Literal | tuple[Literal, ...] | Select"


@dataclass(frozen=True)
class Every:
    parts: tuple["Condition", ...]


@dataclass(frozen=True)
class Some:
    parts: tuple["Condition", ...]


@dataclass(frozen=True)
class Negated:
    part: "Condition"


Condition = Test | Every | Some | Negated


@dataclass(frozen=True)
class Ordered:
    operand: Operand
    descending: bool
    nulls_last: bool


@dataclass(frozen=True)
class Select:
    """A whole query."""

    text: str
    items: tuple[Column | Children | ByType, ...]
    source: str
    source_at: int
    alias: str | None = None
    where: Condition | None = None
    group: tuple[Operand, ...] = ()
    having: Condition | None = None
    order: tuple[Ordered, ...] = ()
    limit: int | None = None
    offset: int = 0


def parse(text: str) -> Select:
    """What the query says. Raises MALFORMED_QUERY with the place of the first token that does not belong."""
    if len(text) > LONGEST:
        raise Refusal(400, "MALFORMED_QUERY", f"SOQL statements cannot be longer than {LONGEST} characters.")
    try:
        select: Select = _Reader(text).transform(_parser().parse(text))
    except UnexpectedInput as failure:
        raise complaint("MALFORMED_QUERY", text, *_unexpected(failure, text)) from failure
    except VisitError as failure:
        if isinstance(failure.orig_exc, Refusal):
            raise failure.orig_exc from failure
        raise
    return select


def complaint(code: str, text: str, at: int, message: str) -> Refusal:
    """The error with the query and a caret under the place, rows and columns counted from 1."""
    row = text.count("\n", 0, at) + 1
    column = at - (text.rfind("\n", 0, at) + 1) + 1
    line = text.split("\n")[row - 1]
    caret = " " * (column - 1) + "^"
    return Refusal(400, code, f"\n{line}\n{caret}\nERROR at Row:{row}:Column:{column}\n{message}")


@lru_cache(maxsize=1)
def _parser() -> Lark:
    return Lark(GRAMMAR, parser="lalr", lexer="contextual")


def _unexpected(failure: UnexpectedInput, text: str) -> tuple[int, str]:
    at = failure.pos_in_stream
    if at is None or at < 0 or at >= len(text):
        return len(text), "unexpected token: '<EOF>'"
    word = text[at:].split(maxsplit=1)[0] if text[at:].strip() else text[at]
    return at, f"unexpected token: '{word}'"


class _Reader(Transformer[Token, Any]):
    """The parse tree's nodes → the classes above."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text

    def path(self, parts: Sequence[Token]) -> Path:
        return _path(parts[0])

    def function(self, parts: Sequence[Any]) -> Function:
        name, *arguments = parts
        return Function(str(name).upper(), tuple(one for one in arguments if one is not None), _at(name))

    def alias(self, parts: Sequence[Token]) -> str:
        return str(parts[0])

    def column(self, parts: Sequence[Any]) -> Column:
        return Column(*parts)

    def children(self, parts: Sequence[Select]) -> Children:
        return Children(parts[0])

    def paths(self, parts: Sequence[Token]) -> tuple[Path, ...]:
        return tuple(_path(part) for part in parts)

    def when(self, parts: Sequence[Any]) -> tuple[str, tuple[Path, ...]]:
        return str(parts[1]), parts[3]

    def otherwise(self, parts: Sequence[Any]) -> tuple[Path, ...]:
        fields: tuple[Path, ...] = parts[1]
        return fields

    def by_type(self, parts: Sequence[Any]) -> ByType:
        _, parent, *rest = [part for part in parts if not (isinstance(part, Token) and part.type == "END")]
        cases = tuple(part for part in rest if isinstance(part[0], str))
        other = next((part for part in rest if not isinstance(part[0], str)), ())
        return ByType(_path(parent), cases, other)

    def literal(self, parts: Sequence[Token]) -> Literal:
        token = parts[0]
        kind = "name" if token.type == "PATH" else token.type.lower()
        return Literal(kind, _unquoted(token) if kind == "string" else str(token), _at(token))

    def literals(self, parts: Sequence[Literal]) -> tuple[Literal, ...]:
        return tuple(parts)

    def compared(self, parts: Sequence[Any]) -> Test:
        operand, operator, value = parts
        return Test(operand, {"<>": "!="}.get(str(operator), str(operator)), value)

    def like(self, parts: Sequence[Any]) -> Test:
        return Test(parts[0], "like", parts[2])

    def within(self, parts: Sequence[Any]) -> Test:
        return Test(parts[0], "in", parts[-1])

    def without(self, parts: Sequence[Any]) -> Test:
        return Test(parts[0], "not-in", parts[-1])

    def includes(self, parts: Sequence[Any]) -> Test:
        return Test(parts[0], "includes", parts[-1])

    def excludes(self, parts: Sequence[Any]) -> Test:
        return Test(parts[0], "excludes", parts[-1])

    def negated(self, parts: Sequence[Any]) -> Negated:
        return Negated(parts[-1])

    def every(self, parts: Sequence[Any]) -> Every:
        return Every(tuple(part for part in parts if not isinstance(part, Token)))

    def some(self, parts: Sequence[Any]) -> Some:
        return Some(tuple(part for part in parts if not isinstance(part, Token)))

    def ordered(self, parts: Sequence[Any]) -> Ordered:
        words = {part.type for part in parts[1:]}
        return Ordered(parts[0], "DESC" in words, "LAST" in words)

    def select(self, parts: Sequence[Any]) -> Select:
        clauses = {part.data: part.children for part in parts if hasattr(part, "data")}
        source, *alias = clauses["source"]
        group, having = _grouping(clauses.get("group", []))
        return Select(
            self.text,
            tuple(clauses["items"]),
            str(source),
            _at(source),
            str(alias[0]) if alias else None,
            clauses["where"][1] if "where" in clauses else None,
            group,
            having,
            tuple(part for part in clauses.get("order", []) if isinstance(part, Ordered)),
            int(clauses["limit"][1]) if "limit" in clauses else None,
            int(clauses["offset"][1]) if "offset" in clauses else 0,
        )


def _grouping(parts: Sequence[Any]) -> tuple[tuple[Operand, ...], Condition | None]:
    operands = tuple(part for part in parts if isinstance(part, Path | Function))
    having = next((part for part in parts if isinstance(part, Test | Every | Some | Negated)), None)
    return operands, having


def _path(token: Token) -> Path:
    return Path(tuple(str(token).split(".")), _at(token))


def _at(token: Token) -> int:
    return token.start_pos or 0


def _unquoted(token: Token) -> str:
    """The string's text; a backslash before a quote, a backslash or a letter of its own kind means that character."""
    escapes = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f"}
    out, inner = [], iter(str(token)[1:-1])
    for letter in inner:
        if letter != "\\":
            out.append(letter)
            continue
        escaped = next(inner)
        # LIKE needs to tell an escaped wildcard from a wildcard
        out.append(f"\\{escaped}" if escaped in "%_" else escapes.get(escaped, escaped))
    return "".join(out)
