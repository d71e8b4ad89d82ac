"""The company's own KPIs, from the blocks of `kpisync.toml` and from the Python file that it names."""

import runpy
import traceback
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StrictBool, ValidationError
from pydantic_core import ErrorDetails

from config.errors import OwnKpiError
from kpi_engine.declaring import Direction, Kpi, Text, Unit
from kpi_engine.own import Composed, Unfit, composed, try_out

FILE_NAME = "kpisync.toml"
MADE_KNOWN_BY = "KPIS"


class Wording(BaseModel):
    """A text in English, and perhaps in Spanish."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    en: str
    """English."""
    es: str | None = None
    """Spanish. Default: the English one."""


class PartOfOwn(BaseModel):
    """A numerator or denominator: a part by its name, or `part`, `of`, `sum` and `where`."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    part: str | None = None
    """A part that there is, such as `calls_made`; docs/custom-kpis.md lists them."""
    of: str | None = None
    """Instead of a part: a population, such as `calls`, whose records are counted."""
    sum: str | None = None
    """With `of`: the column that is added up, such as `duration_ms`."""
    where: str | None = None
    """Which of the records count."""


class CustomKpi(BaseModel):
    """A KPI of the company's own, composed of parts that there are."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    key: Annotated[str, Field(pattern=r"^[a-z][a-z0-9]*(_[a-z0-9]+)*$", max_length=36)]
    """Its name in the command line, in exports and in the CRM's fields: small letters, digits and `_`."""
    label: str | Wording
    """What people read: a text, or `{ en = "…", es = "…" }`."""
    sentence: str | Wording
    """What it says, in a sentence; a text, or `{ en = "…", es = "…" }`."""
    unit: Unit
    """What the value is measured in."""
    numerator: str | PartOfOwn
    """What is counted or added up: a part's name, or `{ part | of, sum, where }`."""
    denominator: str | PartOfOwn | None = None
    """What it is divided by, said in the same way. Default: nothing."""
    filter: str | None = None
    """Which records count, above and below: `amount >= 10000 and channel = "Web"`."""
    direction: Direction = Direction.MORE
    """Which way is better."""
    share_of_cases: StrictBool = False
    """Whether numerator and denominator count cases, of which the first is a part of the second: the value then carries
    its 95 % interval and is marked where the sample is small."""


def own_kpis(document: dict[str, Any], workspace: Path | None) -> tuple[Kpi, ...]:
    """What a parsed `kpisync.toml` declares, tried out. Raises `OwnKpiError`.

    `workspace` is where a relative `[kpis] file` is looked for; without one no file is read."""
    section = document.get("kpis")
    if not isinstance(section, dict):
        return ()
    blocks, file = section.get("custom", []), section.get("file")
    if not isinstance(blocks, list) or not (file is None or isinstance(file, str)):
        return ()  # the settings themselves say what is wrong
    found = [_of_block(number, block) for number, block in enumerate(blocks)]
    _tried(f"{FILE_NAME}: kpis.custom.", found)
    if file is None or workspace is None:
        return tuple(found)
    of_file = _of_file(workspace / file)
    _tried(f"{workspace / file}: ", [*found, *of_file])
    return (*found, *of_file)


def _tried(place: str, kpis: list[Kpi]) -> None:
    try:
        try_out(kpis)
    except Unfit as error:
        raise OwnKpiError(f"{place}{error.place}", error.why) from None


def _of_block(number: int, block: Any) -> Kpi:
    key = block.get("key", number) if isinstance(block, dict) else number
    place = f"{FILE_NAME}: kpis.custom.{key}"
    try:
        said = CustomKpi.model_validate(block)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"] if part not in ("str", "PartOfOwn", "Wording"))
        raise OwnKpiError(f"{place}.{where}" if where else place, _why(first)) from None
    try:
        return composed(
            said.key,
            _text(said.label),
            _text(said.sentence),
            said.unit,
            _composed(said.numerator),
            None if said.denominator is None else _composed(said.denominator),
            said.filter,
            said.direction,
            share_of_cases=said.share_of_cases,
        )
    except Unfit as error:
        raise OwnKpiError(f"{place}.{error.place}", error.why) from None


def _why(problem: ErrorDetails) -> Text:
    if problem["type"] != "extra_forbidden":
        return Text(problem["msg"], problem["msg"])
    model = PartOfOwn if "PartOfOwn" in problem["loc"] else Wording if "Wording" in problem["loc"] else CustomKpi
    known = ", ".join(model.model_fields)
    return Text(f"nobody knows this setting; known there: {known}", f"nadie conoce este ajuste; ahí existen: {known}")


def _text(said: str | Wording) -> Text:
    if isinstance(said, str):
        return Text(said, said)
    return Text(said.en, said.es or said.en)


def _composed(said: str | PartOfOwn) -> Composed:
    return Composed(part=said) if isinstance(said, str) else Composed(**said.model_dump())


def _of_file(file: Path) -> list[Kpi]:
    """What a Python file calls `KPIS`. The file is the admin's own program and is run as such."""
    try:
        names = runpy.run_path(str(file))
    except FileNotFoundError:
        raise OwnKpiError(str(file), Text("there is no such file", "no existe ese archivo")) from None
    except Exception as error:  # whatever an admin's program may raise
        lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(file)]
        line = error.lineno if isinstance(error, SyntaxError) else (lines[-1] if lines else None)
        told = f"{type(error).__name__}: {error}"
        raise OwnKpiError(f"{file}, line {line}" if line else str(file), Text(told, told)) from None
    kpis = names.get(MADE_KNOWN_BY)
    if not isinstance(kpis, list | tuple) or not all(isinstance(kpi, Kpi) for kpi in kpis):
        why = Text("it needs `KPIS = (Kpi(…), …)`, a tuple of Kpi", "necesita `KPIS = (Kpi(…), …)`, una tupla de Kpi")
        raise OwnKpiError(str(file), why)
    return list(kpis)
