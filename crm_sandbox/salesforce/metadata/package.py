"""The zip of a deployment: its files, and what its package.xml and destructive changes name."""

import io
import re
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field

from crm_sandbox.salesforce.errors import Refusal
from crm_sandbox.salesforce.metadata.tree import Node, read

FOLDERS = {
    "CustomObject": ("objects", "object"),
    "CustomTab": ("tabs", "tab"),
    "PermissionSet": ("permissionsets", "permissionset"),
    "ReportType": ("reportTypes", "reportType"),
    "Report": ("reports", "report"),
    "Dashboard": ("dashboards", "dashboard"),
}
"""The metadata types that the sandbox deploys: their folder and file ending. CustomField lives inside objects."""

DESTRUCTIVE = ("destructiveChangesPre.xml", "destructiveChanges.xml", "destructiveChangesPost.xml")


@dataclass(frozen=True)
class Package:
    """files by path; wanted and unwanted: (metadata type, full name) in order."""

    files: Mapping[str, bytes]
    wanted: tuple[tuple[str, str], ...] = ()
    unwanted: tuple[tuple[str, str], ...] = ()
    trees: dict[str, Node] = field(default_factory=dict)

    def tree(self, path: str) -> Node:
        """The parsed file. Raises a Problem."""
        if path not in self.trees:
            self.trees[path] = read(self.files[path])
        return self.trees[path]


def open_package(content: bytes, *, single: bool) -> Package:
    """The package in a zip, at its root or in its one folder. Raises a Problem for an unreadable package.xml."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            files = {info.filename: archive.read(info) for info in archive.infolist() if not info.is_dir()}
    except zipfile.BadZipFile as wrong:
        raise Refusal(400, "INVALID_ZIP", "The uploaded file is not a valid zip file") from wrong
    if not single:
        files = {path.partition("/")[2]: body for path, body in files.items()}
    if "package.xml" not in files:
        raise Refusal(400, "INVALID_ZIP", "No package.xml found")
    wanted = _members(read(files["package.xml"]))
    unwanted = tuple(one for name in DESTRUCTIVE if name in files for one in _members(read(files[name])))
    return Package(files, wanted, unwanted)


def path_of(kind: str, name: str, files: Mapping[str, bytes]) -> str | None:
    """Where a component's file is, if it is there. Folders of reports and dashboards have a descriptor."""
    folder, ending = FOLDERS[kind]
    if kind in {"Report", "Dashboard"} and "/" not in name:
        candidates = [f"{folder}/{name}-meta.xml", f"{folder}/{name}.{kind.lower()}Folder-meta.xml"]
    else:
        candidates = [f"{folder}/{name}.{ending}"]
    return next((path for path in candidates if path in files), None)


def _members(root: Node) -> tuple[tuple[str, str], ...]:
    version = root.get("version")
    if version is not None and not re.fullmatch(r"\d{2}\.0", version):
        raise root.problem(f"Invalid version specified: {version}")
    return tuple(
        (types.get("name") or "", member.text.strip()) for types in root.all("types") for member in types.all("members")
    )


def multipart(body: bytes, content_type: str) -> dict[str, bytes]:
    """The parts of a multipart/form-data body by name. Raises MULTIPART errors as Salesforce words them."""
    found = re.search(r'boundary="?([^";]+)"?', content_type)
    if found is None or not content_type.lower().startswith("multipart/form-data"):
        raise Refusal(415, "UNSUPPORTED_MEDIA_TYPE", "multipart/form-data is required")
    parts: dict[str, bytes] = {}
    for piece in (b"\r\n" + body).split(b"\r\n--" + found[1].encode())[1:]:
        head, gap, content = piece.partition(b"\r\n\r\n")
        name = re.search(r'(?<!file)name="?([^";\r\n]+)"?', head.decode("utf-8", "replace"))
        if gap and name:
            parts[name[1]] = content
    return parts
