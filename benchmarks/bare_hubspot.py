"""hubspot-api-client alone: deals and calls of a HubSpot into plain tables, page by page.

    python bare_hubspot.py URL TOKEN ASKED DATABASE

Needs nothing but hubspot-api-client, so that it runs in an environment that holds nothing else. ASKED is a JSON file:
object → the names of its properties. The client's own address is replaced, by its own setting for it.
"""

import json
import sqlite3
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

PAGE = 100


def copy_all(url: str, token: str, asked: Mapping[str, list[str]], database: Path) -> None:
    """Every asked object into a table of its own."""
    from hubspot.client import Client as HubSpot

    client = HubSpot(access_token=token)
    api = client.crm.objects.basic_api
    api.api_client.configuration.host = url
    with sqlite3.connect(database) as tables:
        for name, properties in asked.items():
            _copy(api, tables, name, properties)


def _copy(api: Any, tables: sqlite3.Connection, name: str, properties: list[str]) -> None:
    columns = ", ".join(f'"{each}"' for each in ("id", "updated_at", *properties))
    tables.execute(f"CREATE TABLE {name} ({columns}, PRIMARY KEY (id))")
    insert = f"INSERT INTO {name} VALUES ({', '.join('?' * (len(properties) + 2))})"
    for page in _pages(api, name, properties):
        rows = [
            (row.id, row.updated_at.isoformat(), *(row.properties.get(each) for each in properties)) for row in page
        ]
        tables.executemany(insert, rows)
        tables.commit()


def _pages(api: Any, name: str, properties: list[str]) -> Iterator[list[Any]]:
    after = None
    while True:
        answer = api.get_page(name, limit=PAGE, after=after, properties=properties)
        yield answer.results
        if not answer.paging:
            return
        after = answer.paging.next.after


if __name__ == "__main__":
    copy_all(sys.argv[1], sys.argv[2], json.loads(Path(sys.argv[3]).read_text()), Path(sys.argv[4]))
