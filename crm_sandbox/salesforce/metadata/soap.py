"""The Metadata API's SOAP side: `deploy` and `checkDeployStatus`, as older clients call them."""

import base64
import binascii
from collections.abc import Callable, Mapping
from typing import Any
from xml.etree import ElementTree
from xml.sax.saxutils import escape

from crm_sandbox.salesforce.errors import Refusal
from crm_sandbox.salesforce.metadata.deploys import Metadata
from crm_sandbox.salesforce.metadata.tree import NAMESPACE
from crm_sandbox.serving import Request, Response

ENVELOPE = "http://schemas.xmlsoap.org/soap/envelope/"
META = f"{{{NAMESPACE}}}"
XML = {"Content-Type": "text/xml;charset=UTF-8"}


def answer(metadata: Metadata, request: Request, user_of: Callable[[str], str]) -> Response:
    """One SOAP call. `user_of`: a session id → whose it is and that they may deploy; raises what is against it."""
    try:
        envelope = ElementTree.fromstring(request.body)  # noqa: S314 - a test double on a loopback port
        session = envelope.findtext(f"{{{ENVELOPE}}}Header/{META}SessionHeader/{META}sessionId")
        user = user_of(session or "")
        call = envelope.find(f"{{{ENVELOPE}}}Body/*")
        name = "nothing" if call is None else call.tag.removeprefix(META)
        result = _carried_out(metadata, name, ElementTree.Element(META) if call is None else call, user)
        return _response(200, f'<{name}Response xmlns="{NAMESPACE}">{_element("result", result)}</{name}Response>')
    except ElementTree.ParseError as wrong:
        return _fault("soapenv:Client", f"The message cannot be parsed: {wrong}")
    except Refusal as refusal:
        return _fault(f"sf:{refusal.code}", f"{refusal.code}: {refusal.message}")


def _carried_out(metadata: Metadata, name: str, call: ElementTree.Element, user: str) -> Mapping[str, Any]:
    match name:
        case "deploy":
            options = {one.tag.removeprefix(META): _value(one.text) for one in call.iterfind(f"{META}DeployOptions/*")}
            try:
                content = base64.b64decode(call.findtext(f"{META}ZipFile") or "", validate=True)
            except binascii.Error as wrong:
                raise Refusal(500, "INVALID_TYPE", "ZipFile is not base64") from wrong
            deploy = metadata.begin(content, options, user)
            return {"done": False, "id": deploy.record, "state": "Queued"}
        case "checkDeployStatus":
            record = call.findtext(f"{META}asyncProcessId") or ""
            details = _value(call.findtext(f"{META}includeDetails")) is True
            return metadata.looked_at(record, details=details)
        case _:
            raise Refusal(500, "INVALID_OPERATION", f"No operation available for request {name}")


def _value(text: str | None) -> Any:
    """Clients write booleans in either case."""
    said = (text or "").strip()
    return {"true": True, "false": False}.get(said.lower(), said)


def _element(name: str, value: Any) -> str:
    """A value as an element; a list as many of them, nothing as none."""
    match value:
        case None:
            return ""
        case list():
            return "".join(_element(name, one) for one in value)
        case Mapping():
            return f"<{name}>{''.join(_element(key, one) for key, one in value.items())}</{name}>"
        case bool():
            return f"<{name}>{str(value).lower()}</{name}>"
        case _:
            return f"<{name}>{escape(str(value))}</{name}>"


def _fault(code: str, words: str) -> Response:
    fault = f"<soapenv:Fault><faultcode>{code}</faultcode><faultstring>{escape(words)}</faultstring></soapenv:Fault>"
    return _response(500, fault)


def _response(status: int, body: str) -> Response:
    spaces = f'xmlns:soapenv="{ENVELOPE}" xmlns:sf="urn:fault.partner.soap.sforce.com"'
    text = f'<?xml version="1.0" encoding="UTF-8"?><soapenv:Envelope {spaces}><soapenv:Body>{body}</soapenv:Body>'
    return Response(status, f"{text}</soapenv:Envelope>".encode(), XML)
