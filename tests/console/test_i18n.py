"""Everything that the command line says, it says in Spanish too."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from string import Formatter
from typing import Any

import pytest
from command_line import kpisync

import console
from connectors.contract import Surface
from console.cli import program
from console.commands.numbers import Grain, Level, Split
from console.errors import ENTRIES
from console.i18n import Speaker, language_of
from console.spanish import SPANISH
from console.words import WORDS
from kpi_engine.catalog import CATALOG, Direction, Unit
from kpi_engine.populations.bands import BANDS
from kpi_engine.records import KINDS
from sync.why import Cause

CONSOLE = Path(console.__file__).parent
SAYING = {"say": 0, "tell": 0, "_ask": 2}
"""Functions that say a sentence, and where in their arguments it stands."""

PASSES_ON = {"sentence", "what", "panel", "command.help", "command.epilog", "option.help"}
"""What the functions that say things are handed by others; those others are looked at too."""


def spoken(name: str, node: ast.expr, tree: ast.AST) -> Iterator[str]:
    """The sentences that an argument may be: itself, or what the file gives to that name."""
    match node:
        case ast.Constant(value=str() as sentence):
            yield sentence
        case ast.IfExp(body=one, orelse=other):
            yield from spoken(name, one, tree)
            yield from spoken(name, other, tree)
        case ast.Subscript(value=table):
            yield from spoken(name, table, tree)
        case ast.Name(id=variable):
            given = list(_given(variable, tree))
            assert given or variable in PASSES_ON, f"{name}: what is said by {variable!r}?"
            yield from given
        case ast.Attribute():
            assert ast.unparse(node) in PASSES_ON, f"{name}: what is said by {ast.unparse(node)!r}?"
        case _:
            pytest.fail(f"{name}: {ast.unparse(node)} is no sentence that can be looked up")


def _given(variable: str, tree: ast.AST) -> Iterator[str]:
    """The texts in what a name is assigned, or what it stands for in a loop."""
    for node in ast.walk(tree):
        match node:
            case ast.For(target=ast.Name(id=named), iter=ast.Name(id=constant)) if named == variable:
                yield from _given(constant, tree)
            case ast.For(target=ast.Name(id=named), iter=source) if named == variable:
                yield from _texts(source)
            case ast.Assign(targets=[ast.Name(id=named)], value=source) if named == variable:
                yield from _texts(source)


def _texts(source: ast.expr) -> Iterator[str]:
    match source:
        case ast.Dict(values=parts) | ast.Tuple(elts=parts) | ast.List(elts=parts):
            yield from (part.value for part in parts if isinstance(part, ast.Constant) and isinstance(part.value, str))


def sentences_in_the_source() -> set[str]:
    found: set[str] = set()
    for file in CONSOLE.rglob("*.py"):
        tree = ast.parse(file.read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            if isinstance(node, ast.Call):
                name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
                if name in SAYING:
                    found.update(spoken(file.name, node.args[SAYING[name]], tree))
    return found


def sentences_of_the_help() -> set[str]:
    found: set[str] = set()

    class Listener(Speaker):
        def __call__(self, sentence: str, /, **values: object) -> str:
            found.add(sentence)
            return sentence

    program(Listener())
    return found


def placeholders(sentence: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(sentence) if name}


def test_every_sentence_has_a_spanish_twin_and_none_is_left_over() -> None:
    said = sentences_in_the_source() | sentences_of_the_help()
    assert len(said) > 150
    assert said - set(SPANISH) == set()
    assert set(SPANISH) - said == set()


@pytest.mark.parametrize("sentence", sorted(SPANISH))
def test_a_twin_has_the_same_placeholders_commands_and_options(sentence: str) -> None:
    twin = SPANISH[sentence]
    assert placeholders(twin) == placeholders(sentence)
    for verbatim in (r"`kpisync [^`]+`", r"--[a-z][a-z-]+"):
        assert sorted(re.findall(verbatim, twin)) == sorted(re.findall(verbatim, sentence))


def keys_that_are_shown() -> set[str]:
    """The keys of ours that reach a table or a sentence."""
    enums: tuple[Any, ...] = (Grain, Level, Split, Unit, Direction, Surface, Cause)
    found = {member.value for enum in enums for member in enum}
    found |= {*KINDS, *BANDS, "target", "numerator", "denominator", "no_data", "not_available", "all", "unassigned"}
    found |= {"small_sample", "provisional", "deals_without_amount"}
    found |= {mark for kpi in CATALOG for _, mark in kpi.clouded_by}
    found |= {"running", "done", "refused", "stopped", "failed", "died", "written", "sent", "ok", "note", "wrong"}
    found |= {"run", "dry run", "plan", "push", "pull", "retry", "write", "full", "compute"}
    found |= {"read", "deleted", "unread", "computed", "calls", "planned", "unsent"}
    return found | {"engine", "cache", "sign-in", "time zone", "API calls today", "API version"}


def test_every_key_that_is_shown_has_a_word_in_both_languages() -> None:
    assert keys_that_are_shown() == set(WORDS)


def test_every_error_code_is_explained_in_both_languages() -> None:
    for entry in ENTRIES:
        for text in (entry.title, entry.why, entry.fix):
            assert text.en
            assert text.es
            assert text.en != text.es


def test_spanish_is_spoken_where_it_is_asked_for() -> None:
    spanish, english = Speaker("es"), Speaker("en")
    assert spanish("{name} rests.", name="acme") == "acme descansa."
    assert english("{name} rests.", name="acme") == "acme rests."
    assert (spanish.word("deal"), english.word("no_data"), spanish.word("Web")) == ("negocio", "no data", "Web")


@pytest.mark.parametrize(
    ("environment", "language"),
    [
        ({}, "en"),
        ({"LANG": "es_ES.UTF-8"}, "es"),
        ({"LANG": "es_MX.UTF-8", "KPISYNC_LANG": "en"}, "en"),
        ({"LC_ALL": "de_DE.UTF-8", "LANG": "es_ES.UTF-8"}, "en"),
        ({"KPISYNC_LANG": "es"}, "es"),
    ],
)
def test_the_language_is_that_of_the_environment(environment: dict[str, str], language: str) -> None:
    assert language_of(environment) == language


def test_an_error_is_told_with_the_spanish_meaning_of_its_code(tmp_path: Path) -> None:
    said = kpisync(tmp_path, "status", "--lang", "es")
    assert said.code == 2
    assert "There is no kpisync.toml" in said.err
    assert "KPI-CFG-001: Hay un error en la configuración o en la orden. Corrija el lugar" in said.err


def test_an_english_error_is_told_once(tmp_path: Path) -> None:
    said = kpisync(tmp_path, "status", "--lang", "en")
    assert said.err.count("KPI-CFG-001") == 1


def test_the_help_is_spanish_where_it_is_asked_for(tmp_path: Path) -> None:
    said = kpisync(tmp_path, "explain", "--help", "--lang", "es")
    assert said.code == 0
    assert "Un número" in said.out
    assert "The KPI's key" not in said.out
