"""Examples in the OpenAPI document match the requests and responses of the API."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from jsonschema import Draft202012Validator

from app.archive.archive import COLLECTIONS
from app.responses.formats import FORMATS

pytestmark = pytest.mark.anyio

Json = dict[str, Any]

PROBLEM_FIELDS = {"type", "title", "status", "detail", "instance"}
REMOVAL_FIELDS = {"release", "reason", "replaced_by"}
PROBLEM_MEDIA_TYPE = "application/problem+json"
CITE = "/v1/cite"
PATHS_WITHOUT_EXAMPLE = {
    "/v1/record",
    "/v1/releases/{label}/record",
    "/v1/releases.atom",
    "/v1/cite/{file}",
    "/v1/exports",
    "/v1/exports/{file}",
    "/data.json",
    "/data-3.0.json",
    "/healthz",
    "/readyz",
}
"""Paths without an example response: it is too long, constant or specific to a machine."""


@pytest.fixture
async def document(client: httpx.AsyncClient) -> Json:
    """The OpenAPI document as served."""
    served: Json = (await client.get("/openapi.json")).json()
    return served


def operations(document: Json) -> Iterator[tuple[str, Json]]:
    """Every path with its GET operation."""
    for path, item in document["paths"].items():
        yield path, item["get"]


def examples(parameter: Json) -> list[Any]:
    """Examples of a parameter: of the parameter itself and of its schema."""
    named = [example["value"] for example in parameter.get("examples", {}).values()]
    single = [parameter["example"]] if "example" in parameter else []
    return [*single, *named, *parameter.get("schema", {}).get("examples", [])]


def request_target(path: str, operation: Json) -> tuple[str, Json]:
    """The path with example path parameters, and examples of required query parameters."""
    required = {
        (parameter["in"], parameter["name"]): examples(parameter)[0]
        for parameter in operation.get("parameters", [])
        if parameter["required"]
    }
    filled = path.format(
        **{name: value for (location, name), value in required.items() if location == "path"}
    )
    return filled, {
        name: value for (location, name), value in required.items() if location == "query"
    }


def parameter_examples(document: Json) -> Iterator[tuple[str, Json, Json, Any]]:
    """Path, required query parameters, parameter and value of every query parameter example."""
    for path, operation in operations(document):
        for parameter in operation.get("parameters", []):
            filled, required = request_target(path, operation)
            if path == CITE:  # a resource needs both its type and its id
                required = {other["name"]: examples(other)[0] for other in operation["parameters"]}
            if parameter["in"] == "query":
                for value in examples(parameter):
                    yield filled, required, parameter, value


async def test_every_parameter_has_a_description_and_an_example(document: Json) -> None:
    """Every parameter has a description and an example."""
    incomplete = [
        f"{parameter['name']} of {path}"
        for path, operation in operations(document)
        for parameter in operation.get("parameters", [])
        if not parameter.get("description") or not examples(parameter)
    ]
    # A list that fits on one page has no cursor.
    assert set(incomplete) <= {f"cursor of {path}" for path in single_page_paths(document)}


def single_page_paths(document: Json) -> set[str]:
    """Paths whose example response is the last page."""
    contents = {
        path: operation["responses"]["200"]["content"] for path, operation in operations(document)
    }
    responses = {
        path: content.get("application/json", {}).get("example", {})
        for path, content in contents.items()
    }
    return {
        path
        for path, response in responses.items()
        if isinstance(response, dict) and response.get("links", {}).get("next", "") is None
    }


async def test_parameter_examples_match_their_schema(document: Json) -> None:
    """Each example is valid under its parameter's schema."""
    for path, operation in operations(document):
        for parameter in operation.get("parameters", []):
            schema = {**parameter["schema"], "components": document["components"]}
            for value in examples(parameter):
                errors = list(Draft202012Validator(schema).iter_errors(value))
                assert errors == [], f"{parameter['name']} of {path}"


async def test_parameter_examples_are_accepted(client: httpx.AsyncClient, document: Json) -> None:
    """A request with a single example returns 200; a cursor is sent with its page size."""
    for path, required, parameter, value in parameter_examples(document):
        name = parameter["name"]
        others = {**required, "limit": 1} if name == "cursor" else required
        response = await client.get(path, params={**others, name: value})
        assert response.status_code == 200, f"{name} of {path}: {response.text}"


async def test_filter_examples_have_matches(client: httpx.AsyncClient, document: Json) -> None:
    """The examples of filters and of `q` match at least one item.

    `not_stated` matches none where all values are stated.
    """
    filters = {
        f"/v1/{collection}": {filter_.parameter for filter_ in model.all_filters()}
        for collection, model in COLLECTIONS.items()
    }
    for path, required, parameter, value in parameter_examples(document):
        name = parameter["name"]
        if name in filters.get(path, ()) or name == "q":
            body = (await client.get(path, params={**required, name: value})).json()
            if name == "not_stated" and not body["data"]:
                body = (await client.get(path)).json()
                assert not any(item["not_stated"] for item in body["data"])
            assert body["data"], f"{name} of {path}"
            assert body["meta"]["total"] >= len(body["data"])


async def test_response_examples_match_the_api(client: httpx.AsyncClient, document: Json) -> None:
    """Each example of a successful response equals what the API returns for its request."""
    compared = set()
    for path, operation in operations(document):
        for media_type, content in operation["responses"]["200"]["content"].items():
            if "example" in content:
                url = example_url(path, operation, media_type)
                response = await client.get(url)
                assert response.headers["content-type"].partition(";")[0] == media_type
                is_json = isinstance(content["example"], dict | list)
                body = response.json() if is_json else response.text
                assert body == content["example"], url
                compared.add(path)
    assert compared == set(document["paths"]) - PATHS_WITHOUT_EXAMPLE


def example_url(path: str, operation: Json, media_type: str) -> str:
    """URL of the request that returns the example: `links.self` of the example if it has one."""
    filled, _ = request_target(path, operation)
    example = operation["responses"]["200"]["content"]["application/json"]["example"]
    url = filled if path == CITE else example.get("links", {}).get("self", filled)
    if media_type == "application/json" and path != CITE:
        return str(url)
    name = next(format_.name for format_ in FORMATS if format_.media_type == media_type)
    return f"{url}{'&' if '?' in url else '?'}format={name}"


async def test_error_examples_are_documented_problems(
    client: httpx.AsyncClient, document: Json
) -> None:
    """Each example of an error has the fields of a problem and the title of its type."""
    problems = (await client.get("/problems")).json()["data"]
    problem_types = {problem["type"]: problem for problem in problems}
    for path, operation in operations(document):
        for status, response in operation["responses"].items():
            if int(status) >= 400:
                problem = response["content"][PROBLEM_MEDIA_TYPE]["example"]
                problem_type = problem_types[problem["type"]]
                expected = PROBLEM_FIELDS | (REMOVAL_FIELDS if status == "410" else set())
                assert set(problem) - {"errors"} == expected, f"{status} of {path}"
                assert problem["status"] == problem_type["status"] == int(status)
                assert problem["title"] == problem_type["title"]
                assert problem["instance"].startswith("/")
                for error in problem.get("errors", []):
                    assert set(error) == {"parameter", "message", "allowed", "did_you_mean"}
                    assert error["message"]


async def test_requests_in_descriptions_succeed(client: httpx.AsyncClient, document: Json) -> None:
    """Each `GET /…` in a description returns 200."""
    paths = re.findall(r"`GET (/[^`]*)`", json.dumps(document, ensure_ascii=False))
    assert paths
    for path in paths:
        response = await client.get(path)
        assert response.status_code == 200, path


async def test_queries_in_descriptions_succeed(client: httpx.AsyncClient, document: Json) -> None:
    """Each `name=value` in a description is accepted by at least one collection."""
    queries = set(re.findall(r"`([a-z_]+=[a-z]+(?:&[a-z_]+=[a-z]+)*)`", json.dumps(document)))
    assert len(queries) > 3
    for query in queries - {"rel=next"}:  # a relation of the `Link` header
        statuses = [
            (await client.get(f"/v1/{collection}?{query}")).status_code
            for collection in COLLECTIONS
        ]
        assert 200 in statuses, query
