"""simple-salesforce alone: objects and fields of a Salesforce into plain tables, page by page.

    python bare_salesforce.py URL ASKED DATABASE

Needs nothing but simple-salesforce, so that it runs in an environment that holds nothing else. ASKED is a JSON file:
object → [its fields, whether deleted rows too].
"""

import json
import sqlite3
import sys
from collections.abc import Mapping
from itertools import islice
from pathlib import Path
from typing import Any
from urllib.request import urlopen

ROWS_AT_ONCE = 2000
APP = "grant_type=client_credentials&client_id=sandbox&client_secret=sandbox-secret"
"""The pretend Salesforce's own app, as the form that signs it in."""


def copy_all(url: str, asked: Mapping[str, tuple[list[str], bool]], database: Path) -> int:
    """Every asked object into a table of its own; how many records there were."""
    from simple_salesforce.api import Salesforce

    client = Salesforce(instance_url=url, session_id=_token(url), session=_plain_http(), version="66.0")
    with sqlite3.connect(database) as tables:
        return sum(_copy(client, tables, name, *how) for name, how in asked.items())


def _copy(client: Any, tables: sqlite3.Connection, name: str, fields: list[str], with_deleted: bool) -> int:
    columns = ", ".join(f'"{field}"' for field in fields)
    tables.execute(f"CREATE TABLE {name} ({columns}, PRIMARY KEY (Id))")
    insert = f"INSERT INTO {name} VALUES ({', '.join('?' * len(fields))})"
    paths = [field.split(".") for field in fields]
    found = client.query_all_iter(f"SELECT {', '.join(fields)} FROM {name}", include_deleted=with_deleted)
    count = 0
    while rows := [tuple(_at(record, path) for path in paths) for record in islice(found, ROWS_AT_ONCE)]:
        tables.executemany(insert, rows)
        tables.commit()
        count += len(rows)
    return count


def _at(record: Any, path: list[str]) -> Any:
    for name in path:
        record = record and record[name]
    return record


def _token(url: str) -> str:
    with urlopen(f"{url}/services/oauth2/token", APP.encode()) as answer:
        return str(json.load(answer)["access_token"])


def _plain_http() -> Any:
    """A session for the vendor's client, which knows https only."""
    import requests
    from requests.adapters import HTTPAdapter

    class Plain(HTTPAdapter):
        def send(self, request: requests.PreparedRequest, *rest: Any, **more: Any) -> requests.Response:
            request.url = str(request.url).replace("https://", "http://", 1)
            return super().send(request, *rest, **more)

    session = requests.Session()
    session.mount("https://127.0.0.1", Plain())
    return session


if __name__ == "__main__":
    copy_all(sys.argv[1], json.loads(Path(sys.argv[2]).read_text()), Path(sys.argv[3]))
