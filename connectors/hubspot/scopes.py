"""Which streams the token may read: HubSpot tells its scopes, or else one record of each kind is asked for."""

from collections.abc import Callable

from connectors.errors import CrmError
from connectors.hubspot.answers import Absent, MissingScope, Problem, Rejected
from connectors.hubspot.portal import Portal
from connectors.hubspot.streams import Stream


class Scopes:
    """What one token may see. Each question is asked once."""

    def __init__(self, portal: Portal, granted: Callable[[], frozenset[str] | None]) -> None:
        self._portal = portal
        self._ask = granted
        self._asked = False
        self._granted: frozenset[str] | None = None
        self._probed: dict[str, CrmError | None] = {}
        self._doubted: set[str] = set()

    def renew(self) -> None:
        """Ask again: someone may have given the token another scope. What was open is believed to be so still."""
        self._asked = False
        self._probed = {name: found for name, found in self._probed.items() if found is None}

    def granted(self) -> tuple[str, ...] | None:
        """The token's scopes in order, None where HubSpot does not tell."""
        granted = self._known()
        return None if granted is None else tuple(sorted(granted))

    def refusal(self, stream: Stream) -> CrmError | None:
        """Why a stream cannot be read; None where it can, or where only reading will tell."""
        granted = self._known()
        if granted is None:
            return self._probe(stream)
        lacking = tuple(scope for scope in stream.scopes if scope not in granted and scope != "oauth")
        if lacking:
            return MissingScope(Problem(status=403, scopes=lacking), stream.kind)
        return self._probe(stream) if stream.edition or stream.name in self._doubted else None

    def doubt(self, stream: Stream) -> None:
        """It was refused although it seemed open: from now on only asking tells."""
        self._doubted.add(stream.name)
        self._probed.pop(stream.name, None)

    def _known(self) -> frozenset[str] | None:
        if not self._asked:
            self._granted = self._ask()
            self._asked = True
        return self._granted

    def _probe(self, stream: Stream) -> CrmError | None:
        if stream.name not in self._probed:
            self._probed[stream.name] = self._try(stream)
        return self._probed[stream.name]

    def _try(self, stream: Stream) -> CrmError | None:
        path, params = self._question(stream)
        if path is None:
            return None
        try:
            self._portal.get(path, stream.kind, params)
        except (MissingScope, Rejected) as refusal:
            return refusal
        except Absent as absent:  # a portal with one currency has no exchange rates, and lacks nothing
            return None if stream.name == "currencies" else absent
        return None

    def _question(self, stream: Stream) -> tuple[str | None, dict[str, str]]:
        paths, one = self._portal.paths, {"limit": "1"}
        match stream.name:
            case "owners":
                return paths.owners, one
            case "currencies":
                return paths.exchange_rates, {}
            case "campaigns":
                return paths.campaigns, one
            case "forms":
                return paths.forms, one
            case "page_views":
                return paths.event_occurrences, {**one, "objectType": "contact", "eventType": "e_visited_page"}
            case "deal_splits":
                return None, {}
            case _:
                return paths.records(stream.kind), one
