"""Permission sets, folders, reports and dashboards."""

from typing import Any

from crm_sandbox.salesforce.fields import (
    flag,
    moment,
    pick,
    ref,
    text,
    thing,
)

SHOWN: dict[str, Any] = {"writable": False}


HOUSEKEEPING = (
    thing("PermissionSet", "0PS", text("Name", 80, required=True), text("Label", 80, required=True),
          flag("IsOwnedByProfile", **SHOWN), flag("IsCustom", **SHOWN), ref("ProfileId", "Profile", **SHOWN),
          text("Description", 255), deletable=False, setup=True),
    thing("PermissionSetAssignment", "0Pa", ref("PermissionSetId", "PermissionSet", required=True, insert_only=True,
          children="Assignments"), ref("AssigneeId", "User", required=True, insert_only=True,
          children="PermissionSetAssignments"), flag("IsActive", True, **SHOWN), moment("SystemModstamp", **SHOWN),
          system=False, deletable=False, setup=True),
    thing("FieldPermissions", "01k", ref("ParentId", "PermissionSet", required=True, insert_only=True,
          children="FieldPerms"), text("SobjectType", 40, required=True, insert_only=True),
          text("Field", 255, required=True, insert_only=True), flag("PermissionsRead"), flag("PermissionsEdit"),
          moment("SystemModstamp", **SHOWN), system=False, deletable=False, setup=True, plural="Field Permissions"),
    thing("ObjectPermissions", "110", ref("ParentId", "PermissionSet", required=True, insert_only=True,
          children="ObjectPerms"), text("SobjectType", 40, required=True, insert_only=True),
          *(flag(f"Permissions{what}") for what in ("Create", "Read", "Edit", "Delete", "ViewAllRecords",
                                                     "ModifyAllRecords")),
          moment("SystemModstamp", **SHOWN), system=False, deletable=False, setup=True, plural="Object Permissions"),
    thing("Folder", "00l", text("Name", 80), text("DeveloperName", 80), pick("Type", "Report", "Dashboard"),
          pick("AccessType"), deletable=False, creatable=False, setup=True),
    thing("Report", "00O", text("Name", 40), text("DeveloperName", 80), text("FolderName", 256),
          pick("Format", "Tabular", "Summary", "Matrix", "MultiBlock"), ref("OwnerId", "Folder", "User"),
          creatable=False, updatable=False),
    thing("Dashboard", "01Z", text("Title", 80), text("DeveloperName", 80), text("FolderName", 256),
          ref("FolderId", "Folder"), ref("RunningUserId", "User"),
          pick("Type", "SpecifiedUser", "LoggedInUser", "MyTeamUser"), creatable=False, updatable=False),
)  # fmt: skip
