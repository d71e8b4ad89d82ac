"""Reading a CSV file so that every complaint can name its file, line and column."""

import csv
import gzip
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from io import TextIOWrapper
from pathlib import Path
from typing import NoReturn, TextIO


class UnreadableFolder(ValueError):
    """A folder or file that cannot become a world; the message says where and what would help."""


@dataclass(frozen=True)
class Place:
    """Where something stands, for complaints about it."""

    file: str
    line: int

    def wrong(self, column: str | None, complaint: str) -> NoReturn:
        where = f", column {column}" if column else ""
        raise UnreadableFolder(f"{self.file}, line {self.line}{where}: {complaint}.")


@dataclass(frozen=True)
class Row(Place):
    """One line of a sheet by column name. Names and values are stripped of the blanks around them."""

    cells: Mapping[str, str]

    def text(self, column: str) -> str:
        value = self.maybe(column)
        return self.wrong(column, "the cell is empty") if value is None else value

    def maybe(self, column: str) -> str | None:
        """The text, None where the cell is empty."""
        return self.cells[column] or None

    def day(self, column: str) -> date | None:
        text = self.maybe(column)
        try:
            return date.fromisoformat(text) if text else None
        except ValueError:
            self.wrong(column, f"{text!r} is no date; write it as 2026-12-31")

    def amount(self, column: str) -> Decimal | None:
        text = self.maybe(column)
        try:
            return Decimal(text) if text else None
        except InvalidOperation:
            self.wrong(column, f"{text!r} is no number; write it as 1234.50")

    def whole(self, column: str) -> int:
        text = self.text(column)
        try:
            return int(text)
        except ValueError:
            self.wrong(column, f"{text!r} is no whole number")


def rows(path: Path, needed: Sequence[str]) -> Iterator[Row]:
    """The lines of a CSV file, gzipped or not, with commas or semicolons between the columns."""
    with _opened(path) as text:
        lines = _numbered(path.name, text)
        _, header = next(lines, (1, []))
        columns = [name.strip() for name in header]
        missing = [name for name in needed if name not in columns]
        if missing:
            found = ", ".join(columns) or "none"
            raise UnreadableFolder(f"{path.name}, line 1: column {missing[0]} is missing. Columns found: {found}.")
        for line, cells in lines:
            if len(cells) != len(columns):
                raise UnreadableFolder(f"{path.name}, line {line}: {len(cells)} cells under {len(columns)} columns.")
            yield Row(path.name, line, dict(zip(columns, map(str.strip, cells), strict=True)))


def _numbered(file: str, text: TextIO) -> Iterator[tuple[int, list[str]]]:
    """The cells of each line that is not empty, with the number of the line on which they begin."""
    line = 1
    try:
        header = text.readline()
        text.seek(0)
        reader = csv.reader(text, delimiter=";" if header.count(";") > header.count(",") else ",", strict=True)
        for cells in reader:
            if cells:
                yield line, cells
            line = reader.line_num + 1
    except csv.Error as error:
        raise UnreadableFolder(f"{file}, line {line}: this is not CSV ({error}).") from error
    except UnicodeDecodeError as error:
        raise UnreadableFolder(f"{file}: the file is not UTF-8 ({error.reason}). Save it as UTF-8.") from error
    except (EOFError, gzip.BadGzipFile) as error:
        raise UnreadableFolder(f"{file}: the file is damaged ({error}). Download it again.") from error


def _opened(path: Path) -> TextIO:
    if path.suffix == ".gz":
        return TextIOWrapper(gzip.open(path), encoding="utf-8-sig", newline="")
    return path.open(encoding="utf-8-sig", newline="")
