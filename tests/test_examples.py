"""Each example in the OpenAPI document is what the API really takes and gives."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from jsonschema import Draft202012Validator

from app.archive.archive import COLLECTIONS

pytestmark = pytest.mark.anyio

Json = dict[str, Any]

ALWAYS = {"type", "title", "status", "detail", "instance"}
PROBLEM = "application/problem+json"
FORMATS = {"text/csv": "csv", "application/x-ndjson": "ndjson", "application/geo+json": "geojson"}
UNLIKE_ANY_REQUEST = {
    "/v1/record",
    "/v1/exports",
    "/v1/exports/{file}",
    "/data.json",
    "/healthz",
    "/readyz",
}
"""Paths whose success has no example: too long for one, a constant, or of one machine."""


@pytest.fixture
async def document(client: httpx.AsyncClient) -> Json:
    """The document as served."""
    served: Json = (await client.get("/openapi.json")).json()
    return served


def operations(document: Json) -> Iterator[tuple[str, Json]]:
    """Every path with its one operation."""
    for path, item in document["paths"].items():
        yield path, item["get"]


def examples(described: Json) -> list[Any]:
    """The examples of a parameter, wherever OpenAPI lets them stand."""
    named = [one["value"] for one in described.get("examples", {}).values()]
    alone = [described["example"]] if "example" in described else []
    return [*alone, *named, *described.get("schema", {}).get("examples", [])]


def target(path: str, operation: Json) -> tuple[str, Json]:
    """A path with the examples of its parameters filled in, and the parameters that it needs."""
    needed = {
        (one["in"], one["name"]): examples(one)[0]
        for one in operation.get("parameters", [])
        if one["required"]
    }
    filled = path.format(
        **{name: value for (place, name), value in needed.items() if place == "path"}
    )
    return filled, {name: value for (place, name), value in needed.items() if place == "query"}


def cases(document: Json) -> Iterator[tuple[str, Json, Json, Any]]:
    """Every example of every query parameter: path, what it needs besides, parameter, value."""
    for path, operation in operations(document):
        for parameter in operation.get("parameters", []):
            filled, needed = target(path, operation)
            if parameter["in"] == "query":
                for value in examples(parameter):
                    yield filled, needed, parameter, value


async def test_every_parameter_has_a_description_and_an_example(document: Json) -> None:
    """Nobody has to guess what to send."""
    lacking = [
        f"{parameter['name']} of {path}"
        for path, operation in operations(document)
        for parameter in operation.get("parameters", [])
        if not parameter.get("description") or not examples(parameter)
    ]
    # Where everything fits on a page of one item, no cursor would be good.
    assert set(lacking) <= {f"cursor of {path}" for path in one_page(document)}


def one_page(document: Json) -> set[str]:
    """Paths whose example of one item is all there is, and has no next page."""
    contents = {
        path: operation["responses"]["200"]["content"] for path, operation in operations(document)
    }
    lists = {
        path: one.get("application/json", {}).get("example", {}) for path, one in contents.items()
    }
    return {path for path, one in lists.items() if one.get("links", {}).get("next", "") is None}


async def test_examples_of_parameters_fit_their_schema(document: Json) -> None:
    """An example is a value that the parameter's own schema allows."""
    for path, operation in operations(document):
        for parameter in operation.get("parameters", []):
            schema = {**parameter["schema"], "components": document["components"]}
            for value in examples(parameter):
                faults = [one.message for one in Draft202012Validator(schema).iter_errors(value)]
                assert faults == [], f"{parameter['name']} of {path}"


async def test_each_parameter_works_as_in_its_example(
    client: httpx.AsyncClient, document: Json
) -> None:
    """An example, sent alone, is answered; a cursor with the page size that it is of."""
    for path, needed, parameter, value in cases(document):
        name = parameter["name"]
        besides = {**needed, "limit": 1} if name == "cursor" else needed
        response = await client.get(path, params={**besides, name: value})
        assert response.status_code == 200, f"{name} of {path}: {response.text}"


async def test_each_filter_finds_something_in_its_example(
    client: httpx.AsyncClient, document: Json
) -> None:
    """The example of a filter and of words to search for is not an empty list."""
    filters = {
        f"/v1/{name}": {one.parameter for one in model.filters}
        for name, model in COLLECTIONS.items()
    }
    for path, needed, parameter, value in cases(document):
        name = parameter["name"]
        if name in filters.get(path, ()) or name == "q":
            found = (await client.get(path, params={**needed, name: value})).json()
            assert found["data"], f"{name} of {path}"
            assert found["meta"]["total"] >= len(found["data"])


async def test_each_answer_is_what_the_api_answers(
    client: httpx.AsyncClient, document: Json
) -> None:
    """The example of a success is, to the byte where it is text, what its request gives."""
    compared = set()
    for path, operation in operations(document):
        for media_type, answer in operation["responses"]["200"]["content"].items():
            if "example" in answer:
                request = request_of(path, operation, media_type)
                response = await client.get(request)
                assert response.headers["content-type"].partition(";")[0] == media_type
                given = response.json() if media_type == "application/json" else response.text
                assert given == answer["example"], request
                compared.add(path)
    assert compared == set(document["paths"]) - UNLIKE_ANY_REQUEST


def request_of(path: str, operation: Json, media_type: str) -> str:
    """The request that an example answers: the answer's own link, where it has one."""
    filled, _ = target(path, operation)
    shown = operation["responses"]["200"]["content"]["application/json"]["example"]
    own = shown.get("links", {}).get("self", filled)
    if media_type == "application/json":
        return str(own)
    return f"{own}&format={FORMATS[media_type]}"


async def test_each_error_is_a_problem_of_a_kind_that_is_explained(
    client: httpx.AsyncClient, document: Json
) -> None:
    """The example of an error has the shape of every error, and the title of its type."""
    kinds = {one["type"]: one for one in (await client.get("/problems")).json()["data"]}
    for path, operation in operations(document):
        for status, answer in operation["responses"].items():
            if int(status) >= 400:
                problem = answer["content"][PROBLEM]["example"]
                assert set(problem) - {"errors"} == ALWAYS, f"{status} of {path}"
                assert problem["status"] == kinds[problem["type"]]["status"] == int(status)
                assert problem["title"] == kinds[problem["type"]]["title"]
                assert problem["instance"].startswith("/")
                for error in problem.get("errors", []):
                    assert set(error) == {"parameter", "message", "allowed", "did_you_mean"}
                    assert error["message"]


async def test_each_request_in_the_text_works(client: httpx.AsyncClient, document: Json) -> None:
    """`GET /…` in a description is answered."""
    requests = re.findall(r"`GET (/[^`]*)`", json.dumps(document, ensure_ascii=False))
    assert requests
    for request in requests:
        response = await client.get(request)
        assert response.status_code == 200, request


async def test_each_query_in_the_text_works(client: httpx.AsyncClient, document: Json) -> None:
    """`name=value` in a description is answered by a path that takes such a parameter."""
    queries = set(re.findall(r"`([a-z_]+=[a-z]+(?:&[a-z_]+=[a-z]+)*)`", json.dumps(document)))
    assert len(queries) > 3
    for query in queries - {"rel=next"}:  # a relation of the `Link` header
        statuses = [
            (await client.get(f"{path}?{query}")).status_code
            for path in (f"/v1/{name}" for name in COLLECTIONS)
        ]
        assert 200 in statuses, query
