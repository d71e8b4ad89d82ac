"""REST deployments: the zip comes in, runs at once, and tells how it went over the next few polls."""

import json
from dataclasses import dataclass
from typing import Any

from crm_sandbox.salesforce.errors import Refusal, not_found, unreadable
from crm_sandbox.salesforce.ids import canonical, record_id
from crm_sandbox.salesforce.metadata.deployment import Deployed, Deployment, Outcome
from crm_sandbox.salesforce.metadata.package import multipart, open_package
from crm_sandbox.salesforce.metadata.permission_sets import PermissionSets
from crm_sandbox.salesforce.metadata.reports import Reports
from crm_sandbox.salesforce.metadata.tree import Problem
from crm_sandbox.salesforce.pages import json_response
from crm_sandbox.salesforce.store import Store
from crm_sandbox.serving import Request, Response


@dataclass
class Deploy:
    """A deployment and how many more polls see it unfinished."""

    record: str
    options: dict[str, Any]
    outcome: Outcome
    started: str
    pending: int


class Metadata:
    """Answers under /metadata. `rights` are the user permissions that permission sets give, by their record id."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.deployed = Deployed()
        self.rights: dict[str, frozenset[str]] = {}
        self.polls = 2
        self._deploys: dict[str, Deploy] = {}

    def start(self, request: Request, user: str, version: str) -> Response:
        """POST /metadata/deployRequest."""
        parts = multipart(request.body, request.headers.get("Content-Type", ""))
        described = parts.get("json") or parts.get("entity_content")
        content = parts.get("file")
        if described is None or content is None:
            raise Refusal(400, "INVALID_MULTIPART_REQUEST", "Parts 'json' and 'file' are required")
        try:
            options = dict(json.loads(described)["deployOptions"])
        except (ValueError, KeyError, TypeError) as wrong:
            raise unreadable("deployOptions: an object is required") from wrong
        record = self.begin(content, options, user).record
        body = {"id": record, "deployOptions": options, "deployResult": None, "validatedDeployRequestId": None}
        return json_response(201, body)

    def begin(self, content: bytes, options: dict[str, Any], user: str) -> Deploy:
        """Carry a zip out; how it went is told later."""
        outcome = self._run(content, options, user)
        record = record_id("0Af", len(self._deploys) + 1)
        self._deploys[record] = Deploy(record, options, outcome, self.store.now(), self.polls)
        return self._deploys[record]

    def status(self, record: str, request: Request, version: str) -> Response:
        """GET /metadata/deployRequest/{id}: Pending, then InProgress, then how it ended."""
        deploy = self._deploy(record)
        result = self.looked_at(record, details=(request.param("includeDetails") or "").lower() == "true")
        url = f"/services/data/v{version}/metadata/deployRequest/{deploy.record}"
        body = {"id": deploy.record, "url": url, "deployResult": result, "deployOptions": deploy.options}
        return json_response(200, body)

    def looked_at(self, record: str, *, details: bool) -> dict[str, Any]:
        """The deployResult of one look; each look brings it nearer to its end."""
        deploy = self._deploy(record)
        unfinished = deploy.pending > 0
        status = ("Pending" if deploy.pending == self.polls else "InProgress") if unfinished else _final(deploy.outcome)
        deploy.pending = max(0, deploy.pending - 1)
        return self._result(deploy, status, details=details and not unfinished)

    def _deploy(self, record: str) -> Deploy:
        deploy = self._deploys.get(canonical(record) or "")
        if deploy is None:
            raise not_found()
        return deploy

    def _run(self, content: bytes, options: dict[str, Any], user: str) -> Outcome:
        """Carry the deployment out, all of it or, on failure or for a check, nothing."""
        if not options.get("rollbackOnError", True):
            raise Refusal(400, "INVALID_OPERATION", "rollbackOnError must be true in this organization")
        try:
            package = open_package(content, single=bool(options.get("singlePackage", True)))
        except Problem as problem:
            return Outcome(failures=[_package_failure(problem)])
        schema = self.store.schema
        before, kept = schema.snapshot(), self.deployed.copy()
        sets, reports = PermissionSets(self.store, user, self.rights), Reports(self.store, user)
        outcome = Deployment(package, schema, self.deployed, sets, reports).run()
        if outcome.failures or options.get("checkOnly"):
            schema.restore(before)
            self.deployed = kept
        else:
            for effect in outcome.effects:
                effect()
            schema.revision += 1
        return outcome

    def _result(self, deploy: Deploy, status: str, *, details: bool) -> dict[str, Any]:
        done = status in {"Succeeded", "Failed"}
        outcome = deploy.outcome
        total = len(outcome.successes) + len(outcome.failures)
        result: dict[str, Any] = {
            "id": deploy.record,
            "status": status,
            "done": done,
            "success": status == "Succeeded",
            "checkOnly": bool(deploy.options.get("checkOnly")),
            "ignoreWarnings": bool(deploy.options.get("ignoreWarnings")),
            "rollbackOnError": True,
            "createdDate": deploy.started,
            "startDate": deploy.started,
            "completedDate": deploy.started if done else None,
            "numberComponentsTotal": total,
            "numberComponentsDeployed": len(outcome.successes) if done else 0,
            "numberComponentErrors": len(outcome.failures) if done else 0,
            "numberTestsTotal": 0,
            "numberTestsCompleted": 0,
            "numberTestErrors": 0,
            "runTestsEnabled": False,
        }
        if details:
            tests = {"numTestsRun": 0, "numFailures": 0, "totalTime": 0, "successes": [], "failures": []}
            result["details"] = {
                "componentSuccesses": outcome.successes,
                "componentFailures": outcome.failures,
                "allComponentMessages": [],
                "runTestResult": tests,
            }
        return result


def _final(outcome: Outcome) -> str:
    return "Failed" if outcome.failures else "Succeeded"


def _package_failure(problem: Problem) -> dict[str, Any]:
    return {
        "fileName": "package.xml",
        "fullName": "package.xml",
        "componentType": "",
        "problem": problem.text,
        "problemType": "Error",
        "lineNumber": problem.line,
        "columnNumber": problem.column,
        "success": False,
        "created": False,
        "changed": False,
        "deleted": False,
    }
