"""The OpenAPI document for generators of clients: JSON alone, otherwise as the complete one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from app.commands.schemas import openapi as print_openapi
from app.routers.openapi import CLIENTS_PATH
from tests.conftest import SEED
from tests.support.published import PUBLIC_URL, published_client

pytestmark = pytest.mark.anyio

Json = dict[str, Any]

WITHOUT_JSON = {"/data-3.0.json", "/v1/cite/{file}", "/v1/exports/{file}", "/v1/releases.atom"}
"""Paths with files, which have addresses of their own for each format."""


@pytest.fixture
async def complete(client: httpx.AsyncClient) -> Json:
    """The complete document."""
    document: Json = (await client.get("/openapi.json")).json()
    return document


@pytest.fixture
async def clients(client: httpx.AsyncClient) -> Json:
    """The document for generators of clients."""
    response = await client.get(CLIENTS_PATH)
    assert response.headers["content-type"] == "application/json"
    document: Json = response.json()
    return document


async def test_document_is_valid(clients: Json) -> None:
    """An OpenAPI 3.1 validator finds no errors."""
    assert [error.message for error in OpenAPIV31SpecValidator(clients).iter_errors()] == []


async def test_successes_are_json(clients: Json) -> None:
    """Each 200 response is JSON and nothing else, and there is no parameter for the format."""
    for path, item in clients["paths"].items():
        operation = item["get"]
        assert list(operation["responses"]["200"]["content"]) == ["application/json"], path
        assert not {"406", "416"} & set(operation["responses"]), path
        assert "format" not in [each["name"] for each in operation.get("parameters", ())], path


async def test_only_files_are_left_out(clients: Json, complete: Json) -> None:
    """Every operation that has JSON is there, with the same name and the same schema."""
    assert set(complete["paths"]) - set(clients["paths"]) == WITHOUT_JSON
    for path, item in clients["paths"].items():
        for key in ("operationId", "summary", "description", "tags"):
            assert item["get"][key] == complete["paths"][path]["get"][key]
        content, full = (
            document["paths"][path]["get"]["responses"]["200"]["content"]["application/json"]
            for document in (clients, complete)
        )
        assert content == full


async def test_schemas_are_the_same(clients: Json, complete: Json) -> None:
    """Schemas are those of the complete document, without `items` beside `prefixItems`."""
    text = json.dumps(clients)
    for name, schema in clients["components"]["schemas"].items():
        assert f'"#/components/schemas/{name}"' in text
        if name != "SpecificResource":
            assert schema == complete["components"]["schemas"][name]
    selector = clients["components"]["schemas"]["SpecificResource"]["properties"]["selector"]
    assert len(selector["prefixItems"]) == selector["minItems"] == selector["maxItems"]
    assert "items" not in selector


async def test_documents_refer_to_each_other(clients: Json, complete: Json) -> None:
    """The description of each names the address of the other."""
    assert CLIENTS_PATH in complete["info"]["description"]
    assert "/openapi.json" in clients["info"]["description"]
    assert "format=csv" not in clients["info"]["description"]


async def test_command_prints_it(
    clients: Json, archive_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """`cpc-record openapi --clients` prints the document that is served."""
    print_openapi(SEED, archive_file, clients=True)
    assert json.loads(capsys.readouterr().out) == clients


async def test_api_catalog_lists_both_documents(archive_file: Path) -> None:
    """`/.well-known/api-catalog` has both, the complete one first, with their titles."""
    async with published_client(SEED, archive_file) as published:
        catalog = (await published.get("/.well-known/api-catalog")).json()
    (service,) = (entry for entry in catalog["linkset"] if "service-desc" in entry)
    links = service["service-desc"]
    paths = ["/openapi.json", CLIENTS_PATH]
    assert [link["href"] for link in links] == [f"{PUBLIC_URL}{path}" for path in paths]
    assert len({link["title"] for link in links}) == len(links)
