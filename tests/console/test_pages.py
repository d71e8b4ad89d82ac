"""The documentation lists what there is: generated pages are those of the source, the others name real things."""

import ast
import json
import re
from collections import defaultdict
from pathlib import Path

import pytest
from pydantic import BaseModel

from config import settings
from connectors.hubspot import OPTIONAL_SCOPES, SCOPES
from console.cli import COMMANDS, GROUPS
from console.errors import BY_CODE, ENTRIES
from console.pages import PAGES
from console.redirect import PORT, address
from kpi_engine.catalog import CATALOG

REPOSITORY = Path(__file__).parents[2]
DOCS = REPOSITORY / "docs"
CODE = re.compile(r"KPI-[A-Z]+-\d{3}")
SOURCES = [
    file for folder in ("connectors", "sync", "config", "console") for file in (REPOSITORY / folder).rglob("*.py")
]
PROMISED = """
demo sandbox init connect disconnect doctor provision unprovision pull compute plan push run rollback kpis values
explain leads
target-set target-list target-import serve status schedule-list schedule-next schedule-pause schedule-resume
runs-list runs-show runs-retry
"""
"""The commands that scripts rely on."""


@pytest.mark.parametrize("name", PAGES)
def test_a_generated_page_is_what_the_source_makes_of_it(name: str) -> None:
    assert (DOCS / name).read_text(encoding="utf-8") == PAGES[name](), "run `python -m console.pages`"


def test_every_command_that_scripts_rely_on_is_on_the_page_of_commands() -> None:
    headings = re.findall(r"^## kpisync (.+)$", (DOCS / "commands.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert {command.replace("-", " ") for command in PROMISED.split()} <= set(headings)
    assert {name for name, *_ in (*COMMANDS, *GROUPS)} <= set(headings)


def codes_in_the_source() -> dict[str, set[str]]:
    """Each error code with the sentences that it is raised with, outside of the pages about errors."""
    found: dict[str, set[str]] = defaultdict(set)
    for file in SOURCES:
        if file.parent.name == "errors":
            continue
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and CODE.fullmatch(node.value):
                found[node.value].add(file.relative_to(REPOSITORY).parts[0])
    return found


def test_every_error_code_has_a_section_and_no_section_is_about_an_unknown_one() -> None:
    assert set(codes_in_the_source()) == set(BY_CODE)
    for page in ("errors.md", "errors.es.md"):
        headings = re.findall(r"^### (.+)$", (DOCS / page).read_text(encoding="utf-8"), re.MULTILINE)
        assert sorted(headings) == sorted(BY_CODE)


def test_a_code_means_one_thing_and_no_two_mean_the_same() -> None:
    assert len({entry.code for entry in ENTRIES}) == len(ENTRIES)
    for language in ("en", "es"):
        areas = [(entry.code.split("-")[1], entry.title.said(language)) for entry in ENTRIES]
        assert len(set(areas)) == len(areas)


def test_a_code_of_a_connector_is_raised_by_that_connector_alone() -> None:
    """So that the middle of a code says where to look: SF and HS are the connectors', the rest is ours."""
    for code, folders in codes_in_the_source().items():
        area = code.split("-")[1]
        if area in {"SF", "HS"}:
            assert folders == {"connectors"}, code
        if area in {"GUARD", "CACHE", "LOCK"}:
            assert folders == {"sync"}, code


def keys_of(section: type[BaseModel]) -> list[str]:
    return [field.alias or name for name, field in section.model_fields.items()]


SECTIONS = [
    settings.CompanySection,
    settings.SalesforceSection,
    settings.HubSpotSection,
    settings.CacheSection,
    settings.KpisSection,
    settings.TargetSection,
    settings.ScheduleSection,
    settings.SurfacesSection,
    settings.GuardsSection,
]


@pytest.mark.parametrize("section", SECTIONS)
def test_every_setting_is_in_the_example_and_on_the_page_of_settings(section: type[BaseModel]) -> None:
    example = (REPOSITORY / "config" / "example.toml").read_text(encoding="utf-8")
    page = (DOCS / "settings.md").read_text(encoding="utf-8")
    for key in keys_of(section):
        assert re.search(rf"^(# )?({key} = |\[\[\w+\.{key}\]\])", example, re.MULTILINE), key
        assert f"| `{key}` |" in page, key


@pytest.mark.parametrize("section", SECTIONS)
def test_every_setting_says_what_it_means(section: type[BaseModel]) -> None:
    assert [name for name, field in section.model_fields.items() if not field.description] == []


def test_the_example_is_valid() -> None:
    read = settings.parse((REPOSITORY / "config" / "example.toml").read_text(encoding="utf-8"))
    assert set(read.connections) == {"acme", "acme-hs"}


PROSE = sorted({REPOSITORY / "README.md", REPOSITORY / "SECURITY.md", *DOCS.glob("*.md")})


@pytest.mark.parametrize("file", PROSE, ids=lambda file: file.name)
def test_every_command_named_in_a_text_exists(file: Path) -> None:
    known = {name for name, *_ in (*COMMANDS, *GROUPS)}
    text = file.read_text(encoding="utf-8")
    named = re.findall(r"`kpisync (?:--\S+ (?:\{folder\} )?)?([a-z]+)", text)
    for fenced in re.findall(r"^```.*?\n(.*?)^```", text, re.MULTILINE | re.DOTALL):
        named += re.findall(r"^(?:\$ )?kpisync ([a-z]+)", fenced, re.MULTILINE)
    assert set(named) <= known


@pytest.mark.parametrize("file", PROSE, ids=lambda file: file.name)
def test_every_link_leads_somewhere(file: Path) -> None:
    for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", file.read_text(encoding="utf-8")):
        assert target.startswith("https://") or (file.parent / target).exists(), target


@pytest.mark.parametrize("name", ["hubspot.md", "hubspot.es.md"])
def test_the_first_steps_name_every_scope_and_no_other(name: str) -> None:
    """In the table for a key, and in the description of an app as required or optional."""
    text = (DOCS / name).read_text(encoding="utf-8")
    named = {scope for scope in re.findall(r"`([a-z-]+(?:\.[a-z_]+)*)` ?[|,]", text) if scope != "auth"}
    assert named == {*SCOPES, *OPTIONAL_SCOPES} - {"oauth"}
    app = json.loads("{" + text.split("```json")[1].split("```")[0] + "}")["auth"]
    assert (app["requiredScopes"], app["optionalScopes"]) == (list(SCOPES), list(OPTIONAL_SCOPES))
    assert app["redirectUrls"] == [address(PORT)]


@pytest.mark.parametrize("crm", ["salesforce", "hubspot"])
def test_the_first_steps_are_the_same_in_both_languages(crm: str) -> None:
    english, spanish = ((DOCS / f"{crm}{ending}").read_text(encoding="utf-8") for ending in (".md", ".es.md"))
    for text in (r"^kpisync .*?(?= #|$)", r"^#+ \d", r"--[a-z-]+", r"`[A-Z_]{5,}`"):
        found = [re.findall(text, page, re.MULTILINE) for page in (english, spanish)]
        assert [word.strip() for word in found[0]] == [word.strip() for word in found[1]]
    assert address(PORT) in english


def test_the_page_of_kpis_has_them_all_in_both_languages() -> None:
    for page in ("kpis.md", "kpis.es.md"):
        text = (DOCS / page).read_text(encoding="utf-8")
        assert [kpi.key for kpi in CATALOG if f"`{kpi.key}`" not in text] == []


def test_the_picture_of_the_demo_loads_nothing_from_elsewhere() -> None:
    picture = (DOCS / "demo.svg").read_text(encoding="utf-8")
    assert "The second run wrote nothing" in picture.replace("\xa0", " ")
    assert re.findall(r"<(?:image|use|script|link|foreignObject)\b", picture) == []
    assert "@font-face" not in picture
    assert set(re.findall(r"url\((.)", picture)) == {"#"}
