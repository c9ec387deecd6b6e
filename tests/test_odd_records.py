"""Every record that can be built is served: no address of it fails, however odd the record is."""

from __future__ import annotations

import csv
import io
import json
import warnings
from collections import Counter
from pathlib import Path
from xml.etree import ElementTree as ET

import httpx
import pytest
from geojson_pydantic import FeatureCollection

from app.archive.release import build_archive
from tests.support.addresses import every_address
from tests.support.published import published_client
from tests.support.random_seeds import SHAPES, write_seed

pytestmark = pytest.mark.anyio

SEEDS_PER_SHAPE = 3
QUICK = ("nothing at all", "year 9999")
_QUICK_STEP, _SLOW_STEP = 15, 4
"""Of how many addresses one is requested."""
_UNAVAILABLE = {"/data.json", "/data-3.0.json", "/v1/exports/iati.xml", "/v1/releases.atom"}
"""Addresses that need a setting, or a value that the record may lack, such as a signature date."""


async def fetch_all(client: httpx.AsyncClient, start: int, step: int) -> Counter[int]:
    """Request every `step`th address and check its response.

    Returns:
        The number of responses with each status code.
    """
    document = (await client.get("/openapi.json")).json()
    record = (await client.get("/v1/record")).json()["data"]
    addresses = list(dict.fromkeys(every_address(document, record)))
    statuses: Counter[int] = Counter()
    for address in addresses[start::step]:
        statuses += await fetch(client, address, declared_statuses(document, address))
    return statuses


def declared_statuses(document: dict[str, object], address: str) -> set[int]:
    """Status codes that the OpenAPI document declares for an address."""
    path = httpx.URL(address).path
    parent = path.rpartition("/")[0]
    paths: dict[str, dict[str, dict[str, dict[str, object]]]] = document["paths"]  # type: ignore[assignment]
    for template, operations in paths.items():
        if template == path or (template.endswith("}") and template.rpartition("/")[0] == parent):
            return {int(status) for status in operations["get"]["responses"]}
    return {200, 304}


async def fetch(client: httpx.AsyncClient, address: str, declared: set[int]) -> Counter[int]:
    """Request an address as JSON and as a page, and again with its entity tag."""
    statuses: Counter[int] = Counter()
    path = httpx.URL(address).path
    accepts = ["*/*", "text/html"] if path == "/" or path.startswith("/problems") else ["*/*"]
    for accept in accepts:
        response = await client.get(address, headers={"Accept": accept})
        statuses[response.status_code] += 1
        allowed = {200, 404} if path in _UNAVAILABLE else {200}
        assert response.status_code in allowed & declared, f"{address}: {response.text[:500]}"
        check_body(response, address)
        if etag := response.headers.get("ETag"):
            headers = {"Accept": accept, "If-None-Match": etag}
            again = await client.get(address, headers=headers)
            statuses[again.status_code] += 1
            assert (again.status_code, again.content) == (304, b""), address
            assert 304 in declared, address
        if response.status_code == 200 and "limit=1" in address.rsplit("?", maxsplit=1)[-1].split(
            "&"
        ):
            statuses[await fetch_next(client, response)] += 1
    return statuses


async def fetch_next(client: httpx.AsyncClient, response: httpx.Response) -> int:
    """Follow the link to the next page, if there is one."""
    following = response.links.get("next")
    if following is None:
        return response.status_code
    status = (await client.get(following["url"])).status_code
    assert status == 200, following["url"]
    return status


def check_body(response: httpx.Response, address: str) -> None:
    """The body is what its media type says."""
    media_type = response.headers["Content-Type"].partition(";")[0]
    if response.status_code != 200:
        assert media_type == "application/problem+json", address
        assert response.json()["status"] == response.status_code
    elif media_type == "application/geo+json":
        with warnings.catch_warnings(action="ignore"):  # boxes across the antimeridian are valid
            FeatureCollection.model_validate(response.json())
    elif media_type == "application/x-ndjson":
        assert all(isinstance(json.loads(line), dict) for line in response.content.splitlines())
    elif media_type.endswith("json"):
        json.loads(response.content, parse_constant=pytest.fail)
    elif media_type == "text/csv":
        header, *rows = csv.reader(io.StringIO(response.content.decode(), newline=""))
        assert {len(row) for row in rows} <= {len(header)}
    elif media_type.endswith("xml"):
        ET.fromstring(response.content)  # noqa: S314 - our own


async def fetch_seed(folder: Path, shape: str, number: int, step: int) -> Counter[int]:
    """Build a random seed and request every `step`th address of it."""
    seed, archive = write_seed(folder, shape, number), folder / "archive.sqlite"
    build_archive(seed, archive)
    async with published_client(seed, archive) as client:
        return await fetch_all(client, number % step, step)


@pytest.mark.parametrize("shape", QUICK)
async def test_an_odd_record_is_served(tmp_path: Path, shape: str) -> None:
    """Some addresses of a random record of this shape."""
    statuses = await fetch_seed(tmp_path, shape, 0, _QUICK_STEP)
    assert statuses[200] > 30


@pytest.mark.slow
@pytest.mark.parametrize("number", range(SEEDS_PER_SHAPE))
@pytest.mark.parametrize("shape", SHAPES)
async def test_many_addresses_of_an_odd_record_are_served(
    tmp_path: Path, shape: str, number: int
) -> None:
    """Addresses of a random record of this shape: 200, 304 or a declared problem."""
    statuses = await fetch_seed(tmp_path, shape, number, _SLOW_STEP)
    assert set(statuses) <= {200, 304, 404}
    assert statuses[200] > 120
