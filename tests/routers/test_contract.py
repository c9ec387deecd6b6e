"""The API keeps the contract that is committed, and a change to it is called by its name."""

from __future__ import annotations

import copy
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.changes import Json, Kind, breaking, compare
from tests.support.contract import COMMITTED, read, renew, written

LIST = "/paths/~1v1~1awards/get"
ITEM = "/paths/~1v1~1awards~1{id}/get"
AWARD = "/components/schemas/Award"
SPOILED = 300


@pytest.fixture(scope="module")
def document() -> Json:
    """The committed document."""
    return read()


def at(document: Any, pointer: str) -> Any:
    """What a JSON pointer names; a parameter is named by its name."""
    for step in pointer.split("/")[1:]:
        key = step.replace("~1", "/")
        if isinstance(document, list) and not key.isdigit():
            document = next(one for one in document if one["name"] == key)
        else:
            document = document[int(key) if isinstance(document, list) else key]
    return document


def changed(document: Json, pointer: str, **members: Any) -> Json:
    """A copy with members of one object set; `...` takes one away."""
    spoiled = copy.deepcopy(document)
    holder = at(spoiled, pointer)
    for name, value in members.items():
        key = {"ref": "$ref"}.get(name, name)
        if value is ...:
            del holder[key]
        else:
            holder[key] = value
    return spoiled


def leaves(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where every value that is neither object nor list stands."""
    if isinstance(value, dict | list):
        for key, one in value.items() if isinstance(value, dict) else enumerate(value):
            yield from leaves(one, (*path, key))
    else:
        yield path


def other(value: Any) -> Any:
    """Another value of the same type."""
    if isinstance(value, bool):
        return not value
    return value + 1 if isinstance(value, int | float) else f"not {value}"


def test_the_api_is_as_committed(server: str, document: Json) -> None:
    """Every change to the document shows in review; `make contract` writes it anew."""
    live = httpx.get(f"{server}/openapi.json").json()
    if live != document:
        changes = "\n".join(str(change) for change in compare(document, live))
        pytest.fail(f"what is served is not what is committed:\n{changes}", pytrace=False)


def test_the_file_is_written_one_way(document: Json) -> None:
    """Only what changed in the API shows in the diff of the file."""
    assert COMMITTED.read_text("utf-8") == written(document)


def test_nothing_changed_is_no_change(document: Json) -> None:
    """A document against itself has no differences, whatever the order of its members."""
    turned = dict(reversed(document.items()))
    assert compare(document, turned) == []


TEXT = {"schema": {"type": "string"}}
OPTIONAL = {"name": "new", "in": "query", "required": False, **TEXT}

BREAKING: dict[str, tuple[str, dict[str, Any]]] = {
    "path removed": ("/paths", {"/v1/awards": ...}),
    "operation removed": ("/paths/~1v1~1awards", {"get": ...}),
    "operation renamed": (LIST, {"operationId": "awards"}),
    "operation moved": (LIST, {"tags": ["grants"]}),
    "parameter removed": (LIST, {"parameters": []}),
    "parameter now required": (f"{LIST}/parameters/region", {"required": True}),
    "parameter no longer repeated": (f"{LIST}/parameters/region", {"explode": False}),
    "parameter of one value": (f"{LIST}/parameters/region", TEXT),
    "parameter of less": (f"{LIST}/parameters/limit/schema", {"maximum": 100}),
    "parameter of more at least": (f"{LIST}/parameters/limit/schema", {"minimum": 10}),
    "parameter of another shape": (f"{LIST}/parameters/cursor/schema", {"pattern": "^[0-9]+$"}),
    "parameter of a closed set": (f"{LIST}/parameters/q/schema", {"enum": ["lima"]}),
    "sort removed": (f"{LIST}/parameters/sort/schema", {"enum": ["announced"]}),
    "another default": (f"{LIST}/parameters/sort/schema", {"default": "title"}),
    "default removed": (f"{LIST}/parameters/sort/schema", {"default": ...}),
    "answer removed": (f"{ITEM}/responses", {"404": ...}),
    "format removed": (f"{LIST}/responses/200/content", {"text/csv": ...}),
    "header removed": (f"{LIST}/responses/200/headers", {"Link": ...}),
    "header of another type": (f"{LIST}/responses/200/headers/ETag/schema", {"type": "integer"}),
    "answer of another schema": (
        f"{ITEM}/responses/200/content/application~1json/schema",
        {"ref": "#/components/schemas/RegionItem"},
    ),
    "schema removed": ("/components/schemas", {"Award": ...}),
    "field removed": (f"{AWARD}/properties", {"amount": ...}),
    "field of another type": (f"{AWARD}/properties", {"title": {"type": "integer"}}),
    "field of a wider type": (f"{AWARD}/properties/title", {"type": ["string", "null"]}),
    "field of a narrower type": (f"{AWARD}/properties/amount", {"anyOf": [{"type": "integer"}]}),
    "field of one alternative more": (
        f"{AWARD}/properties/amount",
        {"anyOf": [{"type": "integer"}, {"type": "null"}, {"type": "string"}]},
    ),
    "field no longer sure": (AWARD, {"required": ["id"]}),
    "field without its pattern": ("/components/schemas/Award/properties/id", {"pattern": ...}),
    "value added to an answer": (
        "/components/schemas/OrganizationKind",
        {"enum": ["government", "government_agency", "international_organization", "ngo", "un"]},
    ),
    "answer no longer of a closed set": ("/components/schemas/OrganizationKind", {"enum": ...}),
    "a word that is not known here": (AWARD, {"propertyNames": {"maxLength": 3}}),
    "another dialect": ("", {"openapi": "3.2.0"}),
    "a key to be had first": ("", {"security": [{"key": []}]}),
}
ADDITIVE: dict[str, tuple[str, dict[str, Any]]] = {
    "path": ("/paths", {"/v1/grants": {}}),
    "schema": ("/components/schemas", {"Grant": {"type": "object"}}),
    "format": (f"{LIST}/responses/200/content", {"text/turtle": TEXT}),
    "answer": (f"{LIST}/responses", {"429": {"description": "Too many."}}),
    "header": (f"{LIST}/responses/200/headers", {"Age": TEXT}),
    "more to ask for": (f"{LIST}/parameters/limit/schema", {"maximum": 5_000}),
    "less at least": (f"{LIST}/parameters/limit/schema", {"minimum": 0}),
    "longer words": (f"{LIST}/parameters/q/schema", {"maxLength": 500}),
    "any cursor": (f"{LIST}/parameters/cursor/schema", {"pattern": ...}),
    "any format": (f"{LIST}/parameters/format/schema", {"enum": ...}),
    "a type more to ask with": (f"{LIST}/parameters/q/schema", {"type": ["string", "integer"]}),
    "an answer of a closer shape": (f"{AWARD}/properties/title", {"format": "idn"}),
    "no need to search": ("/paths/~1v1~1search/get/parameters/q", {"required": False}),
}
EDITORIAL: dict[str, tuple[str, dict[str, Any]]] = {
    "description": (LIST, {"description": "Other words."}),
    "summary": (LIST, {"summary": "Other words"}),
    "of a parameter": (f"{LIST}/parameters/region", {"description": "Other words."}),
    "of a field": (f"{AWARD}/properties/title", {"description": "Other words."}),
    "of an answer": (f"{LIST}/responses/200", {"description": "Other words."}),
    "example": (f"{LIST}/responses/200/content/text~1csv", {"example": "id\r\n"}),
    "deprecated": (LIST, {"deprecated": True}),
    "license": ("", {"info": {"title": "Other", "version": "9"}}),
}


@pytest.mark.parametrize(
    ("kind", "pointer", "members"),
    [
        pytest.param(kind, *case, id=f"{kind}-{name.replace(' ', '-')}")
        for kind, cases in zip(Kind, (BREAKING, ADDITIVE, EDITORIAL), strict=True)
        for name, case in cases.items()
    ],
)
def test_a_change_is_called_by_its_name(
    document: Json, kind: Kind, pointer: str, members: dict[str, Any]
) -> None:
    """What a client notices is breaking, what it may use is additive, the rest is editorial."""
    found = compare(document, changed(document, pointer, **members))
    assert found
    assert found[0].kind is kind, [str(change) for change in found]


@pytest.mark.parametrize(("required", "kind"), [(False, Kind.ADDITIVE), (True, Kind.BREAKING)])
def test_a_new_parameter_must_be_optional(document: Json, required: bool, kind: Kind) -> None:
    """Requests that were good stay good."""
    parameters = [*at(document, f"{LIST}/parameters"), {**OPTIONAL, "required": required}]
    (change,) = compare(document, changed(document, LIST, parameters=parameters))
    assert change.kind is kind
    assert change.where.endswith("parameter query new")


@pytest.mark.parametrize("always", [False, True])
def test_an_answer_may_have_new_fields(document: Json, always: bool) -> None:
    """A new field adds to an answer, whether or not it is always there."""
    grown = changed(document, f"{AWARD}/properties", doi={"type": "string"})
    if always:
        grown = changed(grown, AWARD, required=[*at(grown, AWARD)["required"], "doi"])
    (change,) = compare(document, grown)
    assert str(change) == "additive: schema Award field doi: added"


def with_form(document: Json, values: list[str], schema: str | None) -> Json:
    """A copy where awards are asked for by a parameter of its own, or of a named, closed set."""
    closed: Json = {"type": "string", "enum": values}
    grown = changed(document, "/components/schemas", **({schema: closed} if schema else {}))
    named = {"$ref": f"#/components/schemas/{schema}"} if schema else closed
    return changed(grown, LIST, parameters=[{"name": "form", "in": "query", "schema": named}])


@pytest.mark.parametrize(
    ("values", "kinds"),
    [
        (["sex", "labor", "other"], {Kind.ADDITIVE}),
        (["sex"], {Kind.BREAKING}),
        (["sex", "other"], {Kind.BREAKING, Kind.ADDITIVE}),
    ],
)
def test_what_is_sent_may_have_new_values(
    document: Json, values: list[str], kinds: set[Kind]
) -> None:
    """A parameter may take more values and none less, be it by way of a named schema."""
    for schema in ("Form", None):
        old, new = (with_form(document, one, schema) for one in (["sex", "labor"], values))
        assert {change.kind for change in compare(old, new)} == kinds


def test_no_change_goes_unnamed(document: Json) -> None:
    """Whichever value of the document changes, the comparison says something."""
    everywhere = random.Random(1).sample(list(leaves(document)), SPOILED)  # noqa: S311 - a sample
    for path in everywhere:
        spoiled = copy.deepcopy(document)
        holder = spoiled
        for step in path[:-1]:
            holder = holder[step]
        holder[path[-1]] = other(holder[path[-1]])
        assert compare(document, spoiled), path


def test_what_breaks_clients_is_not_written(document: Json, tmp_path: Path) -> None:
    """Writing the file anew does not get a breaking change past the tests."""
    path = tmp_path / "openapi.json"
    assert renew(path, document) == []
    assert read(path) == document
    additive = changed(document, "/paths", **{"/v1/grants": {}})
    assert [change.kind for change in renew(path, additive)] == [Kind.ADDITIVE]
    assert read(path) == additive
    assert renew(path, document)[0].kind is Kind.BREAKING
    assert read(path) == additive


def test_a_new_version_may_break(document: Json, tmp_path: Path) -> None:
    """`/v2` in place of `/v1` is another contract; beside it, `/v1` keeps its own."""
    moved = {path.replace("/v1", "/v2"): item for path, item in document["paths"].items()}
    instead = {**document, "paths": moved}
    beside = {**document, "paths": {**document["paths"], **moved}}
    assert breaking(document, instead) == []
    assert breaking(document, beside) == []
    assert breaking(document, changed(beside, "/paths", **{"/v1/awards": ...}))
    path = tmp_path / "openapi.json"
    renew(path, document)
    renew(path, instead)
    assert read(path) == instead
