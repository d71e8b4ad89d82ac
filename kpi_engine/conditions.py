"""Conditions as an admin writes them, `answered and duration_ms >= 600000`, and the expressions they stand for.

A condition speaks of the columns of a population and can do nothing but compare them:

    amount >= 10000          channel = "Web"          channel in ("Web", "Trade show")          closed_on is not blank
    won and not touched      disposition contains "mail"          (a or b) and c

A blank is neither equal nor unequal to anything: a record of which the condition cannot be told does not count.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from difflib import get_close_matches
from functools import cache
from operator import eq, ge, gt, le, lt, ne
from typing import Any

import narwhals.stable.v2 as nw
from lark import Lark, Token, Transformer, UnexpectedInput, v_args
from lark.exceptions import VisitError

from kpi_engine.declaring import Expression, Text

_GRAMMAR = r"""
    ?start: either
    ?either: both ("or"i both)*
    ?both: one ("and"i one)*
    ?one: "not"i one                                          -> opposite
        | "(" either ")"
        | NAME                                                -> plain
        | NAME OPERATOR literal                               -> compared
        | NAME "in"i "(" literal ("," literal)* ")"           -> among
        | NAME "not"i "in"i "(" literal ("," literal)* ")"    -> not_among
        | NAME "contains"i TEXT                               -> contains
        | NAME "starts"i "with"i TEXT                         -> starts
        | NAME "is"i "blank"i                                 -> blank
        | NAME "is"i "not"i "blank"i                          -> not_blank
    ?literal: TEXT -> text
        | NUMBER   -> number
        | TRUTH    -> truth
    OPERATOR: ">=" | "<=" | "!=" | "=" | ">" | "<"
    TRUTH.2: /(true|false)\b/i
    NUMBER: /-?\d+(\.\d+)?/
    TEXT: /"[^"\n]*"/ | /'[^'\n]*'/
    NAME: /(?!(?:and|or|not|in|is|blank|contains|starts|with|true|false)\b)[a-z][a-z0-9_]*/i
    %import common.WS
    %ignore WS
"""


_OPERATORS: dict[str, Any] = {"=": eq, "!=": ne, ">": gt, ">=": ge, "<": lt, "<=": le}


@dataclass(frozen=True)
class NotUnderstood(Exception):
    """A condition that cannot be evaluated: where (its first character is 1) and why."""

    position: int
    why: Text

    def __str__(self) -> str:
        return f"at character {self.position}: {self.why.en}"


def condition(text: str, columns: Mapping[str, Any]) -> Expression:
    """The expression that a condition over these columns stands for. Raises `NotUnderstood`."""
    try:
        found: Expression = _Reading(columns).transform(_parser().parse(text))
    except UnexpectedInput as error:
        position = error.column if error.column > 0 else len(text) + 1
        why = Text("a condition cannot go on like this here", "una condición no puede continuar así aquí")
        raise NotUnderstood(position, why) from None
    except VisitError as error:
        if isinstance(error.orig_exc, NotUnderstood):
            raise error.orig_exc from None
        raise
    return found.fill_null(value=False)


def mentioned(text: str) -> set[str]:
    """The columns that a condition (one that was understood) speaks of."""
    return {str(token) for token in _parser().lex(text) if token.type == "NAME"}


@cache
def _parser() -> Lark:
    return Lark(_GRAMMAR, parser="lalr", propagate_positions=True)


@v_args(inline=True)
class _Reading(Transformer[Token, Expression]):
    def __init__(self, columns: Mapping[str, Any]) -> None:
        super().__init__()
        self._columns = columns

    def either(self, *several: Expression) -> Expression:
        return nw.any_horizontal(*several, ignore_nulls=False)

    def both(self, *several: Expression) -> Expression:
        return nw.all_horizontal(*several, ignore_nulls=False)

    def opposite(self, one: Expression) -> Expression:
        return ~one

    def plain(self, name: Token) -> Expression:
        kind = self._kind(name)
        if kind != nw.Boolean():
            raise _wrong(name, f"{name} is {_said(kind).en}; compare it", f"{name} es {_said(kind).es}; compárelo")
        return nw.col(str(name))

    def compared(self, name: Token, operator: Token, literal: Token) -> Expression:
        value = self._value(name, literal)
        if operator not in ("=", "!=") and not isinstance(value, int | Decimal):
            raise _wrong(operator, f"{operator} is for numbers", f"{operator} es para números")
        found: Expression = _OPERATORS[str(operator)](nw.col(str(name)), value)
        return found

    def among(self, name: Token, *literals: Token) -> Expression:
        column = nw.col(str(name))
        found = [column == self._value(name, literal) for literal in literals]
        return nw.any_horizontal(*found, ignore_nulls=False)

    def not_among(self, name: Token, *literals: Token) -> Expression:
        return ~self.among(name, *literals)

    def contains(self, name: Token, text: Token) -> Expression:
        self._value(name, text)
        return nw.col(str(name)).str.contains(str(text)[1:-1], literal=True)

    def starts(self, name: Token, text: Token) -> Expression:
        self._value(name, text)
        return nw.col(str(name)).str.starts_with(str(text)[1:-1])

    def blank(self, name: Token) -> Expression:
        self._kind(name)
        return nw.col(str(name)).is_null()

    def not_blank(self, name: Token) -> Expression:
        return ~self.blank(name)

    def text(self, token: Token) -> Token:
        return token

    number = truth = text

    def _kind(self, name: Token) -> Any:
        known = sorted(self._columns)
        if name not in self._columns:
            near = get_close_matches(str(name), known, n=1, cutoff=0.5)
            english = f" (did you mean {near[0]}?)" if near else ""
            spanish = f" (¿quería decir {near[0]}?)" if near else ""
            listed = ", ".join(known)
            raise _wrong(
                name,
                f"there is no column {name}{english}; there are {listed}",
                f"no hay ninguna columna {name}{spanish}; hay {listed}",
            )
        return self._columns[str(name)]

    def _value(self, name: Token, literal: Token) -> Any:
        """The literal, if the column can be compared with it."""
        kind = self._kind(name)
        match literal.type:
            case "TEXT" if kind == nw.String():
                return str(literal)[1:-1]
            case "TRUTH" if kind == nw.Boolean():
                return literal.lower() == "true"
            case "NUMBER" if kind.is_integer() and "." not in literal:
                return int(literal)
            case "NUMBER" if kind.is_numeric():
                return Decimal(literal)
        about = _said(kind)
        raise _wrong(
            literal,
            f"{name} is {about.en}, which cannot be compared with {literal}",
            f"{name} es {about.es} y no se puede comparar con {literal}",
        )


def _wrong(token: Token, english: str, spanish: str) -> NotUnderstood:
    return NotUnderstood(token.column or 1, Text(english, spanish))


def _said(kind: Any) -> Text:
    if kind == nw.Boolean():
        return Text("true or false", "verdadero o falso")
    if kind.is_numeric():
        return Text("a number", "un número")
    return Text("a text", "un texto")
