"""Checks recorded bodies against Microsoft's own type files (Azure/bicep-types-az), where they are at hand."""

import json
import os
import re

FOLDER = os.environ.get("AZURE_TYPE_FILES") or os.path.join(
    os.path.dirname(os.path.abspath(__file__)), "../../../shared/third-party/azure")
REQUIRED, READ_ONLY, WRITE_ONLY = 1, 2, 4
# Members that Azure adds to every resource, whatever its type file says.
COMMON = {"id", "name", "type", "etag", "location", "tags", "zones", "managedBy", "managedByExtended", "systemData", "sku"}


class Types:
    """The resource types of all files, by lower-cased name."""

    def __init__(self, folder=FOLDER):
        self.resources = {}
        for name in sorted(os.listdir(folder)):
            if name.endswith(".types.json"):
                with open(os.path.join(folder, name)) as file:
                    table = json.load(file)
                for entry in table:
                    if entry["$type"] == "ResourceType":
                        kind, version = entry["name"].split("@")
                        self.resources[kind.lower()] = (table, self.follow(table, entry["body"]), version)

    @staticmethod
    def follow(table, reference):
        return table[int(reference["$ref"].removeprefix("#/"))]

    def check(self, kind, body, is_request, version):
        """Complaints about one body; None where there is no type file for it."""
        known = self.resources.get(kind.lower())
        if known is None:
            return None
        table, shape, of = known
        complaints = []
        # A newer client may say what this file does not know; an answer has no excuse.
        self.walk(table, shape, body, "", is_request, is_request and version > of, complaints)
        return complaints

    def walk(self, table, shape, value, place, is_request, is_newer, complaints):
        kind = shape["$type"]
        if value is None or kind == "AnyType":
            return
        if kind == "UnionType":
            options = [self.follow(table, element) for element in shape["elements"]]
            literals = {o["value"].lower() for o in options if o["$type"] == "StringLiteralType"}
            if isinstance(value, str) and literals and all(o["$type"] == "StringLiteralType" for o in options):
                if value.lower() not in literals and not is_newer:
                    complaints.append(f"{place}: '{value}' is none of {sorted(literals)}")
                elif not is_request and value not in {o["value"] for o in options}:
                    complaints.append(f"{place}: '{value}' is spelt otherwise by Azure")
            return
        if kind == "StringLiteralType" or kind == "StringType":
            wanted = str
        elif kind == "IntegerType":
            wanted = int
        elif kind == "BooleanType":
            wanted = bool
        elif kind == "ArrayType":
            wanted = list
        else:
            wanted = dict
        if not isinstance(value, wanted) or (wanted is int and isinstance(value, bool)):
            complaints.append(f"{place}: {json.dumps(value)[:60]} is no {wanted.__name__}")
        elif wanted is list:
            item = self.follow(table, shape["itemType"])
            for index, element in enumerate(value):
                self.walk(table, item, element, f"{place}[{index}]", is_request, is_newer, complaints)
        elif kind == "ObjectType":
            self.walk_object(table, shape, value, place, is_request, is_newer, complaints)

    def walk_object(self, table, shape, value, place, is_request, is_newer, complaints):
        properties = {name.lower(): (name, member) for name, member in shape.get("properties", {}).items()}
        more = shape.get("additionalProperties")
        for name, inner in value.items():
            known = properties.get(name.lower())
            here = f"{place}.{name}" if place else name
            if known is None:
                if more is not None:
                    self.walk(table, self.follow(table, more), inner, here, is_request, is_newer, complaints)
                elif not is_newer and not (place.count(".") == 0 and name in COMMON) and name not in ("id", "etag"):
                    complaints.append(f"{here}: no such member")
                continue
            if not is_request and known[1]["flags"] & WRITE_ONLY and inner is not None:
                complaints.append(f"{here}: Azure never shows it")
            self.walk(table, self.follow(table, known[1]["type"]), inner, here, is_request, is_newer, complaints)
        given = {name.lower() for name in value}
        for lowered, (name, member) in properties.items():
            wanted = member["flags"] & REQUIRED and not (is_request and member["flags"] & READ_ONLY)
            if wanted and lowered not in given and not (is_request and not place):
                complaints.append(f"{place}.{name}: is missing")


def resource_type(path):
    """The type that a path names, and whether it is one resource, a list, or neither."""
    found = re.findall(r"/providers/([^/]+)/([^?]*?)(?=/providers/|$)", path, re.IGNORECASE)
    if not found:
        return None, None
    namespace, rest = found[-1]
    parts = rest.strip("/").split("/")
    return "/".join([namespace] + parts[::2]), "resource" if len(parts) % 2 == 0 else "list"


def complaints(lines, types):
    """(number of bodies checked, complaints) of a recording."""
    checked, found = 0, []
    for line in lines:
        entry = json.loads(line)
        kind, form = resource_type(entry["path"])
        if kind is None or entry["status"] >= 400:
            continue
        bodies = []
        if entry["method"] in ("PUT", "PATCH") and form == "resource" and "request" in entry:
            # What a PATCH leaves out is not missing.
            bodies.append((entry["request"], True, entry["method"] == "PATCH"))
        if entry["method"] in ("GET", "PUT", "PATCH") and isinstance(entry.get("response"), dict):
            values = entry["response"].get("value") if form == "list" else [entry["response"]]
            bodies += [(value, False, entry["status"] == 202) for value in values or [] if isinstance(value, dict)]
        for body, is_request, is_partial in bodies:
            said = types.check(kind, body, is_request, entry["apiVersion"])
            if said is None:
                continue
            checked += 1
            side = "request" if is_request else "answer"
            found += [
                f"{entry['method']} {kind}@{entry['apiVersion']} {side}: {text}" for text in said
                if not (is_partial and text.endswith("is missing"))]
    return checked, sorted(set(found))
