"""The served OpenAPI document matches the committed one, and changes are classified correctly."""

from __future__ import annotations

import copy
import functools
import operator
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.changes import ChangeKind, Json, breaking_changes, compare
from tests.support.contract import COMMITTED, read_document, serialize, update_document
from tests.support.serving import fetch

LIST = "/paths/~1v1~1awards/get"
ITEM = "/paths/~1v1~1awards~1{id}/get"
AWARD = "/components/schemas/Award"
SAMPLED_VALUES = 200


@pytest.fixture(scope="module")
def document() -> Json:
    """The committed OpenAPI document."""
    return read_document()


def at(document: Any, pointer: str) -> Any:
    """The value at a JSON pointer. Parameters are addressed by name."""
    for step in pointer.split("/")[1:]:
        key = step.replace("~1", "/")
        if isinstance(document, list) and not key.isdigit():
            document = next(parameter for parameter in document if parameter["name"] == key)
        else:
            document = document[int(key) if isinstance(document, list) else key]
    return document


def modified_copy(document: Json, pointer: str, **members: Any) -> Json:
    """A copy with members of one object replaced. The value `...` removes a member."""
    modified = copy.deepcopy(document)
    parent = at(modified, pointer)
    for name, value in members.items():
        key = {"ref": "$ref"}.get(name, name)
        if value is ...:
            del parent[key]
        else:
            parent[key] = value
    return modified


def leaf_paths(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Paths of all values that are neither objects nor lists."""
    if isinstance(value, dict | list):
        for key, member in value.items() if isinstance(value, dict) else enumerate(value):
            yield from leaf_paths(member, (*path, key))
    else:
        yield path


def different_value(value: Any) -> Any:
    """A different value of the same type."""
    if isinstance(value, bool):
        return not value
    return value + 1 if isinstance(value, int | float) else f"not {value}"


def test_served_document_matches_the_committed_one(server: str, document: Json) -> None:
    """Every change to the document appears in review. `make contract` updates the file."""
    live = fetch(f"{server}/openapi.json").json()
    if live != document:
        changes = "\n".join(str(change) for change in compare(document, live))
        pytest.fail(
            f"the served document differs from the committed one:\n{changes}", pytrace=False
        )


def test_file_format_is_deterministic(document: Json) -> None:
    """A diff of the file shows only changes to the API."""
    assert COMMITTED.read_text("utf-8") == serialize(document)


def test_equal_documents_have_no_changes(document: Json) -> None:
    """The order of members is not a change."""
    reordered = dict(reversed(document.items()))
    assert compare(document, reordered) == []


TEXT = {"schema": {"type": "string"}}
OPTIONAL = {"name": "new", "in": "query", "required": False, **TEXT}

BREAKING: dict[str, tuple[str, dict[str, Any]]] = {
    "path removed": ("/paths", {"/v1/awards": ...}),
    "operation removed": ("/paths/~1v1~1awards", {"get": ...}),
    "operation renamed": (LIST, {"operationId": "awards"}),
    "operation moved": (LIST, {"tags": ["grants"]}),
    "parameter removed": (LIST, {"parameters": []}),
    "parameter becomes required": (f"{LIST}/parameters/region", {"required": True}),
    "parameter no longer repeated": (f"{LIST}/parameters/region", {"explode": False}),
    "parameter takes one value": (f"{LIST}/parameters/region", TEXT),
    "parameter maximum lowered": (f"{LIST}/parameters/limit/schema", {"maximum": 100}),
    "parameter minimum raised": (f"{LIST}/parameters/limit/schema", {"minimum": 10}),
    "parameter pattern changed": (f"{LIST}/parameters/cursor/schema", {"pattern": "^[0-9]+$"}),
    "parameter restricted to an enum": (f"{LIST}/parameters/q/schema", {"enum": ["lima"]}),
    "sort removed": (f"{LIST}/parameters/sort/schema", {"enum": ["announced"]}),
    "default changed": (f"{LIST}/parameters/sort/schema", {"default": "title"}),
    "default removed": (f"{LIST}/parameters/sort/schema", {"default": ...}),
    "response removed": (f"{ITEM}/responses", {"404": ...}),
    "format removed": (f"{LIST}/responses/200/content", {"text/csv": ...}),
    "header removed": (f"{LIST}/responses/200/headers", {"Link": ...}),
    "header type changed": (f"{LIST}/responses/200/headers/ETag/schema", {"type": "integer"}),
    "response schema changed": (
        f"{ITEM}/responses/200/content/application~1json/schema",
        {"ref": "#/components/schemas/RegionItem"},
    ),
    "schema removed": ("/components/schemas", {"Award": ...}),
    "field removed": (f"{AWARD}/properties", {"amount": ...}),
    "field type changed": (f"{AWARD}/properties", {"title": {"type": "integer"}}),
    "field type widened": (f"{AWARD}/properties/title", {"type": ["string", "null"]}),
    "field type narrowed": (f"{AWARD}/properties/amount", {"anyOf": [{"type": "integer"}]}),
    "field alternative added": (
        f"{AWARD}/properties/amount",
        {"anyOf": [{"type": "integer"}, {"type": "null"}, {"type": "string"}]},
    ),
    "field no longer required": (AWARD, {"required": ["id"]}),
    "field pattern removed": (f"{AWARD}/properties/title", {"pattern": ...}),
    "response enum value added": (
        "/components/schemas/OrganizationKind",
        {"enum": ["government", "government_agency", "international_organization", "ngo", "un"]},
    ),
    "response enum removed": ("/components/schemas/OrganizationKind", {"enum": ...}),
    "unknown keyword": (AWARD, {"propertyNames": {"maxLength": 3}}),
    "OpenAPI version changed": ("", {"openapi": "3.2.0"}),
    "authentication required": ("", {"security": [{"key": []}]}),
}
ADDITIVE: dict[str, tuple[str, dict[str, Any]]] = {
    "path": ("/paths", {"/v1/grants": {}}),
    "schema": ("/components/schemas", {"Grant": {"type": "object"}}),
    "format": (f"{LIST}/responses/200/content", {"text/turtle": TEXT}),
    "response": (f"{LIST}/responses", {"429": {"description": "Too many."}}),
    "header": (f"{LIST}/responses/200/headers", {"Age": TEXT}),
    "parameter maximum raised": (f"{LIST}/parameters/limit/schema", {"maximum": 5_000}),
    "parameter minimum lowered": (f"{LIST}/parameters/limit/schema", {"minimum": 0}),
    "parameter length raised": (f"{LIST}/parameters/q/schema", {"maxLength": 500}),
    "parameter pattern removed": (f"{LIST}/parameters/cursor/schema", {"pattern": ...}),
    "parameter enum removed": (f"{LIST}/parameters/format/schema", {"enum": ...}),
    "parameter type added": (f"{LIST}/parameters/q/schema", {"type": ["string", "integer"]}),
    "response format added": (f"{AWARD}/properties/title", {"format": "idn"}),
    "parameter becomes optional": ("/paths/~1v1~1search/get/parameters/q", {"required": False}),
}
EDITORIAL: dict[str, tuple[str, dict[str, Any]]] = {
    "description": (LIST, {"description": "Other words."}),
    "summary": (LIST, {"summary": "Other words"}),
    "parameter description": (f"{LIST}/parameters/region", {"description": "Other words."}),
    "field description": (f"{AWARD}/properties/title", {"description": "Other words."}),
    "response description": (f"{LIST}/responses/200", {"description": "Other words."}),
    "example": (f"{LIST}/responses/200/content/text~1csv", {"example": "id\r\n"}),
    "deprecated": (LIST, {"deprecated": True}),
    "license": ("", {"info": {"title": "Other", "version": "9"}}),
}


@pytest.mark.parametrize(
    ("kind", "pointer", "members"),
    [
        pytest.param(kind, *case, id=f"{kind}-{name.replace(' ', '-')}")
        for kind, cases in zip(ChangeKind, (BREAKING, ADDITIVE, EDITORIAL), strict=True)
        for name, case in cases.items()
    ],
)
def test_changes_are_classified(
    document: Json, kind: ChangeKind, pointer: str, members: dict[str, Any]
) -> None:
    """A change is breaking, additive or editorial by its effect on clients."""
    changes = compare(document, modified_copy(document, pointer, **members))
    assert changes
    assert changes[0].kind is kind, [str(change) for change in changes]


@pytest.mark.parametrize(
    ("required", "kind"), [(False, ChangeKind.ADDITIVE), (True, ChangeKind.BREAKING)]
)
def test_new_parameters_must_be_optional(document: Json, required: bool, kind: ChangeKind) -> None:
    """Valid requests stay valid."""
    parameters = [*at(document, f"{LIST}/parameters"), {**OPTIONAL, "required": required}]
    (change,) = compare(document, modified_copy(document, LIST, parameters=parameters))
    assert change.kind is kind
    assert change.location.endswith("parameter query new")


@pytest.mark.parametrize("required", [False, True])
def test_new_response_fields_are_additive(document: Json, required: bool) -> None:
    """A new response field is additive, required or not."""
    extended = modified_copy(document, f"{AWARD}/properties", doi={"type": "string"})
    if required:
        fields = [*at(extended, AWARD)["required"], "doi"]
        extended = modified_copy(extended, AWARD, required=fields)
    (change,) = compare(document, extended)
    assert str(change) == "additive: schema Award field doi: added"


def with_enum_parameter(document: Json, values: list[str], schema: str | None) -> Json:
    """A copy where awards have one enum parameter, with an inline or a named schema."""
    enum: Json = {"type": "string", "enum": values}
    extended = modified_copy(document, "/components/schemas", **({schema: enum} if schema else {}))
    used = {"$ref": f"#/components/schemas/{schema}"} if schema else enum
    parameters = [{"name": "form", "in": "query", "schema": used}]
    return modified_copy(extended, LIST, parameters=parameters)


@pytest.mark.parametrize(
    ("values", "kinds"),
    [
        (["sex", "labor", "other"], {ChangeKind.ADDITIVE}),
        (["sex"], {ChangeKind.BREAKING}),
        (["sex", "other"], {ChangeKind.BREAKING, ChangeKind.ADDITIVE}),
    ],
)
def test_parameters_may_gain_enum_values(
    document: Json, values: list[str], kinds: set[ChangeKind]
) -> None:
    """Adding a value to a parameter is additive, removing one is breaking."""
    for schema in ("Form", None):
        old, new = (
            with_enum_parameter(document, members, schema) for members in (["sex", "labor"], values)
        )
        assert {change.kind for change in compare(old, new)} == kinds


@pytest.mark.slow
def test_every_change_is_reported(document: Json) -> None:
    """Changing any value of the document is reported as a change."""
    paths = random.Random(1).sample(list(leaf_paths(document)), SAMPLED_VALUES)  # noqa: S311 - a sample
    modified = copy.deepcopy(document)
    for *steps, last in paths:
        parent = functools.reduce(operator.getitem, steps, modified)
        original = parent[last]
        parent[last] = different_value(original)
        assert compare(document, modified), [*steps, last]
        parent[last] = original


def test_breaking_changes_are_not_written(document: Json, tmp_path: Path) -> None:
    """Updating the file cannot hide a breaking change from the tests."""
    path = tmp_path / "openapi.json"
    assert update_document(path, document) == []
    assert read_document(path) == document
    additive = modified_copy(document, "/paths", **{"/v1/grants": {}})
    assert [change.kind for change in update_document(path, additive)] == [ChangeKind.ADDITIVE]
    assert read_document(path) == additive
    assert update_document(path, document)[0].kind is ChangeKind.BREAKING
    assert read_document(path) == additive


def test_a_new_version_may_break_compatibility(document: Json, tmp_path: Path) -> None:
    """Replacing `/v1` by `/v2` may break clients; adding `/v2` next to `/v1` may not."""
    moved = {path.replace("/v1", "/v2"): item for path, item in document["paths"].items()}
    replaced = {**document, "paths": moved}
    added = {**document, "paths": {**document["paths"], **moved}}
    assert breaking_changes(document, replaced) == []
    assert breaking_changes(document, added) == []
    assert breaking_changes(document, modified_copy(added, "/paths", **{"/v1/awards": ...}))
    path = tmp_path / "openapi.json"
    update_document(path, document)
    update_document(path, replaced)
    assert read_document(path) == replaced
