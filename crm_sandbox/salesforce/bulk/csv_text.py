"""The CSV of Bulk API 2.0: everything quoted, moments with Z, large numbers with an exponent."""

import csv
import io
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any

from crm_sandbox.salesforce.errors import Refusal
from crm_sandbox.salesforce.soql.reach import Getter
from crm_sandbox.salesforce.store import Row

DELIMITERS = {"COMMA": ",", "TAB": "\t", "SEMICOLON": ";", "PIPE": "|", "CARET": "^", "BACKQUOTE": "`"}
LINE_ENDINGS = {"LF": "\n", "CRLF": "\r\n"}
CLEARED = "#N/A"


def written(
    rows: Sequence[Row], columns: Sequence[tuple[str, Getter]], delimiter: str = ",", ending: str = "\n"
) -> bytes:
    """Header and rows; without rows only the header."""
    between = f'"{delimiter}"'
    lines = [f'"{between.join(name for name, _ in columns)}"']
    readers = [get for _, get in columns]
    lines += [f'"{between.join([cell(get(row)) for get in readers])}"' for row in rows]
    return (ending.join(lines) + ending).encode()


def lines_of(names: Sequence[str], records: Sequence[Sequence[str]], delimiter: str, ending: str) -> bytes:
    """Header and rows of texts."""
    out = io.StringIO()
    writer = csv.writer(out, delimiter=delimiter, lineterminator=ending, quoting=csv.QUOTE_ALL)
    writer.writerow(names)
    writer.writerows(records)
    return out.getvalue().encode()


def cell(value: Any) -> str:
    """A value as the inside of a quoted CSV cell."""
    if value is None:
        return ""
    if isinstance(value, str):
        if value.endswith("+0000") and value[10:11] == "T":
            return f"{value[:-5]}Z"
        return value.replace('"', '""') if '"' in value else value
    if isinstance(value, bool):
        return "true" if value else "false"
    return java_double(value) if isinstance(value, Decimal) else str(value)


def java_double(value: Decimal) -> str:
    """A number as Java prints a double: 12345678.9 becomes 1.23456789E7, all digits kept."""
    size = abs(value)
    if size == 0 or Decimal("0.001") <= size < 10_000_000:
        return str(value)
    sign, digits, _ = value.normalize().as_tuple()
    mantissa = "".join(map(str, digits))
    exponent = value.adjusted()
    return f"{'-' if sign else ''}{mantissa[0]}.{mantissa[1:] or '0'}E{exponent}"


def read(content: bytes, delimiter: str) -> tuple[list[str], Iterator[list[str]]]:
    """Header and rows of an upload. Raises InvalidBatch."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as wrong:
        raise Refusal(400, "INVALIDBATCH", "InvalidBatch : The CSV is not UTF-8") from wrong
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    header = next(rows, None)
    if not header or not all(header):
        raise Refusal(400, "INVALIDBATCH", "InvalidBatch : Field name not found : the header row is missing")
    return header, rows
