"""Every word in which a number is explained is known in English and in Spanish."""

import ast
from collections.abc import Iterator
from pathlib import Path

import kpi_engine
from kpi_engine.catalog import CATALOG
from kpi_engine.wording import PARTS, RULES, part_text, rule_text, unmet_rule

ENGINE = Path(kpi_engine.__file__).parent
SAID_OF_A_RECORD = ("it ", "its ", "nobody ", "another message ", "the CRM does not say ")


def rules_in_the_source() -> Iterator[str]:
    """The sentences about a record in the engine's files; docstrings are no rules."""
    for file in set(ENGINE.rglob("*.py")) - {ENGINE / "wording.py"}:
        tree = ast.parse(file.read_text(encoding="utf-8"))
        docs = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
        for node in ast.walk(tree):
            text = node.value if isinstance(node, ast.Constant) and id(node) not in docs else None
            if isinstance(text, str) and text.startswith(SAID_OF_A_RECORD):
                yield text


def test_every_rule_that_leaves_a_record_out_has_a_spanish_twin() -> None:
    written = set(rules_in_the_source()) - {"it is the same as "}
    assert written == set(RULES)
    assert len(written) > 30


def test_every_part_of_a_formula_has_a_spanish_twin() -> None:
    assert {part.name for kpi in CATALOG for part in kpi.parts} == set(PARTS)


def test_a_record_that_is_another_again_is_named_in_both_languages() -> None:
    why = rule_text("it is the same as call-7, which counts")
    assert why.en == "it is the same as call-7, which counts"
    assert why.es == "es el mismo que call-7, que es el que cuenta"


def test_a_part_is_spoken_without_its_underscores() -> None:
    assert (part_text("deals_won").en, part_text("deals_won").es) == ("deals won", "negocios ganados")


def test_a_condition_of_the_company_is_told_in_both_languages() -> None:
    why = rule_text(unmet_rule("(amount >= 1000)"))
    assert (why.en, why.es) == ("it does not meet (amount >= 1000)", "no cumple (amount >= 1000)")
