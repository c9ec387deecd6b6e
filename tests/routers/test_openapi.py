"""The OpenAPI document is valid, complete and correct."""

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

DISABLED_BY_DEFAULT = {"/data.json", "/data-3.0.json", "/v1/releases.atom"}
"""Paths that return 404 unless publisher settings are set."""
WITHOUT_EXAMPLE = {
    "/v1/record",
    "/v1/releases/{label}/record",
    "/v1/cite/{file}",
    "/v1/exports",
    "/v1/exports/{file}",
    "/healthz",
    "/readyz",
    *DISABLED_BY_DEFAULT,
}
"""Paths whose response is too long for an example, or too short to need one."""

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
    ("Precedence", "scope"): ["world", "africa", "americas", "asia", "europe", "oceania"],
}


@pytest.fixture
async def document(client: httpx.AsyncClient) -> Json:
    """The served document."""
    response = await client.get("/openapi.json")
    assert response.status_code == 200, response.text
    document: Json = response.json()
    return document


def operations(document: Json) -> Iterator[tuple[str, Json]]:
    """Every path with its only operation."""
    for path, item in document["paths"].items():
        assert list(item) == ["get"], path
        yield path, item["get"]


def parameters(document: Json) -> Iterator[tuple[str, Json]]:
    """Every parameter with a label of its location."""
    for path, operation in operations(document):
        for parameter in operation.get("parameters", []):
            yield f"{parameter['name']} of {path}", parameter


def objects_in(value: Any) -> Iterator[Json]:
    """Every object within a JSON value."""
    if isinstance(value, dict):
        yield value
        value = list(value.values())
    if isinstance(value, list):
        for member in value:
            yield from objects_in(member)


def resolved(document: Json, schema: Json) -> Json:
    """The schema, with a reference resolved."""
    name = schema.get("$ref", "").rpartition("/")[2]
    target: Json = document["components"]["schemas"][name] if name else schema
    return target


def enum_values(document: Json, schema: Json) -> list[str] | None:
    """The enum of a schema, of its items, or of its alternative to `null`."""
    schema = resolved(document, schema)
    if "enum" in schema:
        allowed: list[str] = schema["enum"]
        return allowed
    inner = [*schema.get("anyOf", []), *([schema["items"]] if "items" in schema else [])]
    enums = (enum_values(document, subschema) for subschema in inner)
    return next((enum for enum in enums if enum), None)


def is_described(document: Json, schema: Json) -> bool:
    """Whether a schema, or one it refers to, has a description or is a constant."""
    parts = [schema, schema.get("items", {}), *schema.get("anyOf", [])]
    candidates = [*parts, *(resolved(document, part) for part in parts)]
    return any(part.get("description") or "const" in part for part in candidates)


def json_response(operation: Json) -> Json:
    """The JSON media type object of an operation's 200 response."""
    media_type: Json = operation["responses"]["200"]["content"]["application/json"]
    return media_type


def examples(operation: Json, location: str) -> Json:
    """Examples of an operation's path or query parameters, by name."""
    declared = [p for p in operation.get("parameters", []) if p["in"] == location]
    in_schema = {
        p["name"]: p["schema"]["examples"][0] for p in declared if "examples" in p["schema"]
    }
    return in_schema | {p["name"]: p["example"] for p in declared if "example" in p}


def required(operation: Json) -> set[str]:
    """Names of the required parameters of an operation."""
    return {p["name"] for p in operation.get("parameters", []) if p["required"]}


def assert_valid(document: Json, schema: Json, value: Any) -> None:
    """Validate a value against a schema of the document."""
    validator = Draft202012Validator({**schema, "components": document["components"]})
    errors = [f"{error.json_path}: {error.message}" for error in validator.iter_errors(value)]
    assert errors == []


async def test_document_is_valid(document: Json) -> None:
    """An OpenAPI 3.1 validator finds no errors."""
    assert document["openapi"].startswith("3.1.")
    assert [error.message for error in OpenAPIV31SpecValidator(document).iter_errors()] == []


async def test_no_other_host_is_referenced(document: Json) -> None:
    """Servers and references are relative to the origin of the document."""
    for node in objects_in(document):
        servers = node.get("servers", [])
        assert all(server["url"].startswith("/") for server in servers)
        assert node.get("$ref", "#").startswith("#")


async def test_document_says_where_and_without_a_key(document: Json) -> None:
    """The server is the origin of the document, and no operation needs a key."""
    assert document["servers"] == [{"url": "/"}]
    assert document["security"] == []
    assert all("security" not in operation for _, operation in operations(document))


async def test_scalars_have_names(document: Json) -> None:
    """Ids, dates and codes are schemas of their own, in fields, in lists and in parameters."""
    schemas = document["components"]["schemas"]
    award, region = schemas["Award"]["properties"], schemas["Region"]["properties"]
    for schema, name in (
        (award["id"], "Id"),
        (award["recipient"], "Id"),
        (award["regions"]["items"], "Id"),
        (award["announced"], "PartialDate"),
        (award["currency"], "CurrencyCode"),
        (award["not_stated"]["items"], "FieldName"),
        (region["country"], "CountryCode"),
        (region["aliases"]["items"], "ShortText"),
        *(
            (p["schema"], "PartialDate")
            for label, p in parameters(document)
            if "announced__" in label
        ),
        *(
            (p["schema"]["items"], "Id")
            for label, p in parameters(document)
            if "region of" in label
        ),
    ):
        alternatives = schema.get("anyOf", [schema])
        assert alternatives[0]["$ref"] == f"#/components/schemas/{name}"
        assert schemas[name]["type"] == "string"
        assert schemas[name]["description"]


async def test_schemas_are_easy_to_generate_from(document: Json) -> None:
    """No list of strings in line, tuples with `items`, nulls as types, no titles of fields."""
    for schema in objects_in(document["components"]["schemas"]):
        if "prefixItems" in schema:
            assert schema["items"] == {"anyOf": schema["prefixItems"]}
        inline = [each for each in schema.get("anyOf", ()) if "$ref" not in each]
        assert inline in ([], [{"type": "null"}])
        for name, field in schema.get("properties", {}).items():
            assert "title" not in field, name
            assert "readOnly" not in field, name


async def test_operation_ids_are_unique_and_consistent(document: Json) -> None:
    """Operation ids are `listX`, `getX` or `search`; generators make function names of them."""
    names = [operation["operationId"] for _, operation in operations(document)]
    assert [name for name, count in Counter(names).items() if count > 1] == []
    other = [name for name in names if not re.fullmatch(r"(list|get)[A-Z][A-Za-z]*", name)]
    assert set(other) <= {"search"}


@pytest.mark.parametrize("model", COLLECTIONS.values())
async def test_every_collection_has_a_list_and_an_item_operation(
    document: Json, model: Any
) -> None:
    """`/v1/awards` is `listAwards`, `/v1/awards/{id}` is `getAward`."""
    paths, path = document["paths"], f"/v1/{model.collection}"
    assert paths[path]["get"]["operationId"] == f"list{model.collection.title()}"
    assert paths[f"{path}/{{id}}"]["get"]["operationId"] == f"get{model.type.title()}"


async def test_schema_names_are_class_names(document: Json) -> None:
    """Every schema has a name that is a valid class name, and is used."""
    schemas, text = document["components"]["schemas"], json.dumps(document)
    for name, schema in schemas.items():
        assert re.fullmatch(r"[A-Z][A-Za-z0-9]*", name)
        assert schema.get("title", name) == name
        assert f'"#/components/schemas/{name}"' in text, f"{name} is not used"


async def test_schemas_are_open(document: Json) -> None:
    """No response schema is closed, because later versions may add fields."""
    schemas = document["components"]["schemas"]
    closed = [n for n, s in schemas.items() if s.get("additionalProperties") is False]
    assert closed == []


async def test_everything_is_described(document: Json) -> None:
    """Operations, responses, headers and parameters have descriptions."""
    for path, operation in operations(document):
        assert operation["summary"], path
        assert operation["description"], path
        for response in operation["responses"].values():
            assert response["description"], path
            assert all(header["description"] for header in response.get("headers", {}).values())
    undescribed = [label for label, p in parameters(document) if not p.get("description")]
    assert undescribed == []


async def test_every_field_is_described(document: Json) -> None:
    """Each field has a description, itself or in the schema it refers to."""
    undescribed = [
        f"{field} of {name}"
        for name, schema in document["components"]["schemas"].items()
        for field, property_schema in schema.get("properties", {}).items()
        if not is_described(document, property_schema)
    ]
    assert undescribed == []


async def test_every_response_has_a_valid_example(document: Json) -> None:
    """Each operation has an example response that matches its schema."""
    for path, operation in operations(document):
        if path not in WITHOUT_EXAMPLE:
            response = json_response(operation)
            assert "example" in response, path
            assert_valid(document, response["schema"], response["example"])


async def test_parameter_examples_are_accepted(client: httpx.AsyncClient, document: Json) -> None:
    """Each parameter example gives a response that matches the declared schema.

    With `fields`, items have only the selected ones of the fields that the schema requires.
    """
    for path, operation in operations(document):
        if path in DISABLED_BY_DEFAULT:
            continue
        target = path.format(**examples(operation, "path"))
        values = examples(operation, "query")
        base = {name: value for name, value in values.items() if name in required(operation)}
        if path == "/v1/cite":  # these two need each other
            base |= {name: values[name] for name in ("type", "resource")}
        for extra in [{}, *({name: value} for name, value in values.items())]:
            response = await client.get(target, params={**base, **extra})
            assert response.status_code == 200, response.text
            if "fields" in extra:
                data = response.json()["data"]
                items = data if isinstance(data, list) else [data]
                assert all({*item} == {"id", *extra["fields"]} for item in items)
            elif response.headers["content-type"] == "application/json":
                assert_valid(document, json_response(operation)["schema"], response.json())


async def test_every_error_is_declared_as_a_problem(document: Json) -> None:
    """Each declared error is a problem document with a valid example."""
    for path, operation in operations(document):
        errors = {s: r for s, r in operation["responses"].items() if int(s) >= 400}
        assert set(errors) >= {"500", "503"}, path
        assert "404" in errors or "{" not in path
        assert "422" in errors or not path.startswith("/v1")
        for status, response in errors.items():
            assert list(response["content"]) == ["application/problem+json"], f"{status} of {path}"
            problem = response["content"]["application/problem+json"]
            assert problem["schema"] == {"$ref": "#/components/schemas/ProblemDocument"}
            assert problem["example"]["status"] == int(status)
            assert_valid(document, problem["schema"], problem["example"])


@pytest.mark.parametrize(("name", "field"), CLOSED_SETS)
async def test_closed_sets_are_enums(document: Json, name: str, field: str) -> None:
    """A field with a closed set of values is an enum."""
    schema = document["components"]["schemas"][name]["properties"][field]
    assert enum_values(document, schema) == CLOSED_SETS[name, field]


@pytest.mark.parametrize("model", COLLECTIONS.values())
async def test_closed_parameters_are_enums(document: Json, model: Any) -> None:
    """Filters with a closed set of values, and `sort`, are enums."""
    operation = document["paths"][f"/v1/{model.collection}"]["get"]
    enums = {p["name"]: enum_values(document, p["schema"]) for p in operation["parameters"]}
    for model_filter in model.all_filters():
        assert enums[model_filter.parameter] == (list(model_filter.choices) or None)
    fields = [sort.field for sort in model.sorts]
    assert set(enums["sort"] or ()) == {*fields, *(f"-{field}" for field in fields)}


async def test_array_parameters_are_repeated_keys(document: Json) -> None:
    """Array parameters are sent as repeated keys, not comma-separated."""
    for label, parameter in parameters(document):
        if parameter["schema"].get("type") == "array":
            assert (parameter["style"], parameter["explode"]) == ("form", True), label
