"""Read by every Python that has this folder on its path: sends the peers' calls to the pretend CRM.

The peers have their vendor's address written into their code and no setting for it. What `KPISYNC_BENCH_CRM` names is
put in its place, where their HTTP library hands a request over; nothing else of theirs is touched.
"""

import os
from typing import Any

VENDORS = ("https://login.salesforce.com", "https://api.hubapi.com")

there = os.environ.get("KPISYNC_BENCH_CRM")
if there:
    from requests.adapters import HTTPAdapter

    send = HTTPAdapter.send

    def send_there(self: Any, request: Any, *rest: Any, **more: Any) -> Any:
        vendor = next((each for each in VENDORS if request.url.startswith(f"{each}/")), None)
        if vendor:
            request.url = there + request.url[len(vendor) :]
        return send(self, request, *rest, **more)

    HTTPAdapter.send = send_there  # type: ignore[method-assign]
