"""The OpenAPI document is valid, complete and true."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator

from app.archive.archive import COLLECTIONS

pytestmark = pytest.mark.anyio

Json = dict[str, Any]

UNSET = {"/data.json"}
"""Paths that give nothing until a setting says who publishes."""
WITHOUT_EXAMPLE = {
    "/v1/record",
    "/v1/exports",
    "/v1/exports/{file}",
    "/healthz",
    "/readyz",
    *UNSET,
}
"""Paths whose answer is too long for an example, or too short to need one."""

CLOSED_SETS = {
    ("Organization", "kind"): [
        "government",
        "government_agency",
        "international_organization",
        "ngo",
    ],
    ("Organization", "roles"): ["signatory", "investor", "implementer", "publisher"],
    ("Award", "trafficking_forms"): ["sex", "labor"],
    ("Citation", "basis"): ["stated", "derived", "editorial", "enriched"],
    ("Precedence", "scope"): ["americas", "world"],
}


@pytest.fixture
async def document(client: httpx.AsyncClient) -> Json:
    """The document as served."""
    response = await client.get("/openapi.json")
    assert response.status_code == 200, response.text
    served: Json = response.json()
    return served


def operations(document: Json) -> Iterator[tuple[str, Json]]:
    """Every path with its one operation."""
    for path, item in document["paths"].items():
        assert list(item) == ["get"], path
        yield path, item["get"]


def parameters(document: Json) -> Iterator[tuple[str, Json]]:
    """Every parameter with where it stands."""
    for path, operation in operations(document):
        for parameter in operation.get("parameters", []):
            yield f"{parameter['name']} of {path}", parameter


def nodes(value: Any) -> Iterator[Json]:
    """Every object within a JSON value."""
    if isinstance(value, dict):
        yield value
        value = list(value.values())
    if isinstance(value, list):
        for one in value:
            yield from nodes(one)


def resolved(document: Json, schema: Json) -> Json:
    """The schema that a reference names, or the schema itself."""
    name = schema.get("$ref", "").rpartition("/")[2]
    found: Json = document["components"]["schemas"][name] if name else schema
    return found


def choices(document: Json, schema: Json) -> list[str] | None:
    """The closed set of a schema, of its items, or of its alternative to `null`."""
    schema = resolved(document, schema)
    if "enum" in schema:
        allowed: list[str] = schema["enum"]
        return allowed
    inner = [*schema.get("anyOf", []), *([schema["items"]] if "items" in schema else [])]
    found = (choices(document, one) for one in inner)
    return next((one for one in found if one), None)


def is_described(document: Json, schema: Json) -> bool:
    """Whether a schema, or one that it refers to, says what it means; a constant does."""
    parts = [schema, schema.get("items", {}), *schema.get("anyOf", [])]
    whole = [*parts, *(resolved(document, part) for part in parts)]
    return any(part.get("description") or "const" in part for part in whole)


def json_answer(operation: Json) -> Json:
    """What an operation declares of its success as JSON."""
    answer: Json = operation["responses"]["200"]["content"]["application/json"]
    return answer


def examples(operation: Json, place: str) -> Json:
    """Examples of an operation's parameters in the path or the query, by name."""
    taken = [one for one in operation.get("parameters", []) if one["in"] == place]
    within = {p["name"]: p["schema"]["examples"][0] for p in taken if "examples" in p["schema"]}
    return within | {one["name"]: one["example"] for one in taken if "example" in one}


def required(operation: Json) -> set[str]:
    """Names of the parameters that an operation cannot do without."""
    return {one["name"] for one in operation.get("parameters", []) if one["required"]}


def assert_fits(document: Json, schema: Json, value: Any) -> None:
    """Check a value against a schema of the document."""
    validator = Draft202012Validator({**schema, "components": document["components"]})
    faults = [f"{fault.json_path}: {fault.message}" for fault in validator.iter_errors(value)]
    assert faults == []


async def test_document_is_valid(document: Json) -> None:
    """A validator of OpenAPI 3.1 has nothing to say."""
    assert document["openapi"].startswith("3.1.")
    assert [error.message for error in OpenAPIV31SpecValidator(document).iter_errors()] == []


async def test_no_other_host_is_named_as_a_server(document: Json) -> None:
    """The API is wherever the document came from; no server and no reference leads elsewhere."""
    for node in nodes(document):
        servers = node.get("servers", [])
        assert all(server["url"].startswith("/") for server in servers)
        assert node.get("$ref", "#").startswith("#")


async def test_operations_are_named_for_what_they_give(document: Json) -> None:
    """`listX` and `getX`, besides `search`, are unique: the function names of clients."""
    names = [operation["operationId"] for _, operation in operations(document)]
    assert [name for name, count in Counter(names).items() if count > 1] == []
    odd = [name for name in names if not re.fullmatch(r"(list|get)[A-Z][A-Za-z]*", name)]
    assert set(odd) <= {"search"}


@pytest.mark.parametrize("model", COLLECTIONS.values())
async def test_every_collection_is_listed_and_got(document: Json, model: Any) -> None:
    """`/v1/awards` is `listAwards`, `/v1/awards/{id}` is `getAward`."""
    paths, path = document["paths"], f"/v1/{model.collection}"
    assert paths[path]["get"]["operationId"] == f"list{model.collection.title()}"
    assert paths[f"{path}/{{id}}"]["get"]["operationId"] == f"get{model.type.title()}"


async def test_types_have_plain_names(document: Json) -> None:
    """Every schema has a name fit for a class, the same in every client, and is used."""
    schemas, text = document["components"]["schemas"], json.dumps(document)
    for name, schema in schemas.items():
        assert re.fullmatch(r"[A-Z][A-Za-z0-9]*", name)
        assert schema.get("title", name) == name
        assert f'"#/components/schemas/{name}"' in text, f"{name} is not used"


async def test_types_may_grow(document: Json) -> None:
    """No schema of an answer is closed: a later release may add fields."""
    schemas = document["components"]["schemas"]
    assert [n for n, one in schemas.items() if one.get("additionalProperties") is False] == []


async def test_everything_is_described(document: Json) -> None:
    """Operations, answers, their headers and parameters each say what they are."""
    for path, operation in operations(document):
        assert operation["summary"], path
        assert operation["description"], path
        for answer in operation["responses"].values():
            assert answer["description"], path
            assert all(header["description"] for header in answer.get("headers", {}).values())
    undescribed = [where for where, one in parameters(document) if not one.get("description")]
    assert undescribed == []


async def test_every_field_is_described(document: Json) -> None:
    """Each field says what it holds, there or in the type it refers to."""
    bare = [
        f"{field} of {name}"
        for name, schema in document["components"]["schemas"].items()
        for field, one in schema.get("properties", {}).items()
        if not is_described(document, one)
    ]
    assert bare == []


async def test_every_answer_is_exemplified(document: Json) -> None:
    """Each operation shows an answer, and it is what the operation says it gives."""
    for path, operation in operations(document):
        if path not in WITHOUT_EXAMPLE:
            answer = json_answer(operation)
            assert "example" in answer, path
            assert_fits(document, answer["schema"], answer["example"])


async def test_examples_of_parameters_are_accepted(
    client: httpx.AsyncClient, document: Json
) -> None:
    """Each parameter, sent as in its example, is answered as declared."""
    for path, operation in operations(document):
        if path in UNSET:
            continue
        target = path.format(**examples(operation, "path"))
        sent = examples(operation, "query")
        always = {name: value for name, value in sent.items() if name in required(operation)}
        for one in [{}, *({name: value} for name, value in sent.items())]:
            response = await client.get(target, params={**always, **one})
            assert response.status_code == 200, response.text
            if response.headers["content-type"] == "application/json":
                assert_fits(document, json_answer(operation)["schema"], response.json())


async def test_every_error_is_declared_as_a_problem(document: Json) -> None:
    """Each error a path declares is a problem document, with an example that is one."""
    for path, operation in operations(document):
        errors = {s: a for s, a in operation["responses"].items() if int(s) >= 400}
        assert set(errors) >= {"500", "503"}, path
        assert "404" in errors or "{" not in path
        assert "422" in errors or not path.startswith("/v1")
        for status, answer in errors.items():
            assert list(answer["content"]) == ["application/problem+json"], f"{status} of {path}"
            problem = answer["content"]["application/problem+json"]
            assert problem["schema"] == {"$ref": "#/components/schemas/ProblemDocument"}
            assert problem["example"]["status"] == int(status)
            assert_fits(document, problem["schema"], problem["example"])


@pytest.mark.parametrize(("name", "field"), CLOSED_SETS)
async def test_closed_sets_are_enums(document: Json, name: str, field: str) -> None:
    """A field whose values are a closed set lists them."""
    schema = document["components"]["schemas"][name]["properties"][field]
    assert choices(document, schema) == CLOSED_SETS[name, field]


@pytest.mark.parametrize("model", COLLECTIONS.values())
async def test_closed_parameters_are_enums(document: Json, model: Any) -> None:
    """Filters of a closed set, and `sort`, list what they take."""
    operation = document["paths"][f"/v1/{model.collection}"]["get"]
    taken = {one["name"]: choices(document, one["schema"]) for one in operation["parameters"]}
    for one in model.filters:
        assert taken[one.parameter] == (list(one.choices) or None)
    fields = [one.field for one in model.sorts]
    assert set(taken["sort"] or ()) == {*fields, *(f"-{field}" for field in fields)}


async def test_lists_are_repeated_keys(document: Json) -> None:
    """A parameter of several values is an array sent as a repeated key, never with commas."""
    for where, one in parameters(document):
        if one["schema"].get("type") == "array":
            assert (one["style"], one["explode"]) == ("form", True), where
