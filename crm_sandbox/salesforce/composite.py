"""Several requests in one call: composite (with references), batch, and graphs that succeed or fail whole."""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import parse_qsl

import msgspec

from crm_sandbox.salesforce.errors import Refusal
from crm_sandbox.salesforce.pages import encode, json_response
from crm_sandbox.salesforce.records import fields_of
from crm_sandbox.salesforce.store import Store
from crm_sandbox.serving import Request, Response

Answer = Callable[[Request], Response]

MOST_REQUESTS = 25
MOST_QUERIES = 5
MOST_GRAPHS = 75
MOST_NODES = 500
HALTED = Refusal(
    400,
    "PROCESSING_HALTED",
    "The transaction was rolled back since another operation in the same transaction failed.",
)


class Composite:
    """Answers under /composite; every subrequest goes to `answer`, as a request of its own would."""

    def __init__(self, store: Store, answer: Answer) -> None:
        self.store = store
        self.answer_one = answer

    def composite(self, request: Request) -> Response:
        """POST /composite."""
        sent = fields_of(request)
        steps = _steps(sent.get("compositeRequest"), MOST_REQUESTS)
        if sum(bool(re.search(r"/query|/composite/sobjects", str(step.get("url")))) for step in steps) > MOST_QUERIES:
            raise Refusal(400, "INVALID_INPUT", f"at most {MOST_QUERIES} subrequests may query or write collections")
        answers, _ = self._all(steps, bool(sent.get("allOrNone")))
        return json_response(200, {"compositeResponse": answers})

    def graph(self, request: Request) -> Response:
        """POST /composite/graph."""
        graphs = fields_of(request).get("graphs")
        if (
            not isinstance(graphs, list)
            or len(graphs) > MOST_GRAPHS
            or not all(isinstance(one, dict) for one in graphs)
        ):
            raise Refusal(400, "INVALID_INPUT", f"graphs: an array of at most {MOST_GRAPHS} graphs is required")
        if sum(len(_steps(graph.get("compositeRequest"), MOST_NODES)) for graph in graphs) > MOST_NODES:
            raise Refusal(400, "INVALID_INPUT", f"at most {MOST_NODES} nodes in one call")
        results = []
        for graph in graphs:
            answers, good = self._all(_steps(graph.get("compositeRequest"), MOST_NODES), True)
            response = {"compositeResponse": answers}
            results.append({"graphId": graph.get("graphId"), "graphResponse": response, "isSuccessful": good})
        return json_response(200, {"graphs": results})

    def batch(self, request: Request) -> Response:
        """POST /composite/batch: independent subrequests."""
        sent = fields_of(request)
        results: list[dict[str, Any]] = []
        failed = False
        for step in _steps(sent.get("batchRequests"), MOST_REQUESTS):
            if failed and sent.get("haltOnError"):
                halted = Refusal(412, "BATCH_PROCESSING_HALTED", "Batch processing halted per request")
                results.append({"statusCode": 412, "result": [halted.as_rest()]})
                continue
            response = self._sub(str(step.get("method")), str(step.get("url")), step.get("richInput"))
            failed = failed or response.status >= 400
            results.append({"statusCode": response.status, "result": _raw(response)})
        return json_response(200, {"hasErrors": failed, "results": results})

    def _all(self, steps: Sequence[Mapping[str, Any]], whole: bool) -> tuple[list[dict[str, Any]], bool]:
        before = self.store.savepoint() if whole else None
        known: dict[str, Any] = {}
        answers: list[dict[str, Any]] = []
        for step in steps:
            response = self._step(step, known)
            answers.append(_answered(step, response))
            if response.status >= 400 and whole:
                break
            known[str(step.get("referenceId"))] = json.loads(response.body) if response.body else None
        good = all(one["httpStatusCode"] < 400 for one in answers)
        if before is not None and not good:
            self.store.roll_back(before)
            halted = Response(400, encode([HALTED.as_rest()]))
            answers = [_answered(step, halted) for step in steps[: len(answers) - 1]] + answers[-1:]
            answers += [_answered(step, halted) for step in steps[len(answers) :]]
        return answers, good

    def _step(self, step: Mapping[str, Any], known: Mapping[str, Any]) -> Response:
        try:
            url = str(_filled(step.get("url"), known))
            return self._sub(str(step.get("method")), url, _filled(step.get("body"), known))
        except Refusal as refusal:
            return json_response(refusal.status, [refusal.as_rest()])

    def _sub(self, method: str, url: str, body: Any) -> Response:
        path, _, query = url.partition("?")
        path = path if path.startswith("/services/data/") else f"/services/data/{path.lstrip('/')}"
        content = encode(body) if body is not None else b""
        request = Request(method.upper(), path, tuple(parse_qsl(query, keep_blank_values=True)), {}, content)
        try:
            return self.answer_one(request)
        except Refusal as refusal:
            return json_response(refusal.status, [refusal.as_rest()])


def _steps(sent: Any, most: int) -> list[Mapping[str, Any]]:
    if not isinstance(sent, list) or not all(isinstance(one, dict) for one in sent):
        raise Refusal(400, "INVALID_INPUT", "an array of subrequests is required")
    if len(sent) > most:
        raise Refusal(400, "INVALID_INPUT", f"at most {most} subrequests in one call")
    return sent


def _answered(step: Mapping[str, Any], response: Response) -> dict[str, Any]:
    return {
        "body": _raw(response),
        "httpHeaders": {name: value for name, value in response.headers.items() if name == "Location"},
        "httpStatusCode": response.status,
        "referenceId": step.get("referenceId"),
    }


def _raw(response: Response) -> msgspec.Raw | None:
    return msgspec.Raw(response.body) if response.body else None


def _filled(value: Any, known: Mapping[str, Any]) -> Any:
    """The value with every `@{reference.path}` replaced by what that subrequest answered."""
    if isinstance(value, dict):
        return {name: _filled(one, known) for name, one in value.items()}
    if isinstance(value, list):
        return [_filled(one, known) for one in value]
    if not isinstance(value, str):
        return value
    return re.sub(r"@\{([^}]+)\}", lambda found: str(_looked_up(found[1], known)), value)


def _looked_up(path: str, known: Mapping[str, Any]) -> Any:
    reference, *steps = re.findall(r"[^.\[\]]+", path) or [""]
    if reference not in known:
        raise _no_value(path)
    value = known[reference]
    for step in steps:
        try:
            value = value[int(step)] if isinstance(value, list) else value[step]
        except (KeyError, IndexError, ValueError, TypeError) as missing:
            raise _no_value(path) from missing
    return value


def _no_value(path: str) -> Refusal:
    return Refusal(400, "PROCESSING_HALTED", f"Invalid reference specified. No value for {path} found")
