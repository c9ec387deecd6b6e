"""Resources that a correction removed: a mirror says so, as the API does."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.support.history import REASON, REMOVED, SECOND, SUCCESSOR, publish_shipped
from tests.support.mirrors import (
    WEB_SERVERS,
    assert_mirror_problem,
    freeze,
    read_manifest,
)
from tests.support.serving import TIMEOUT_SECONDS, client_for

pytestmark = [pytest.mark.anyio, pytest.mark.web_server]

PATH = f"/v1/activities/{REMOVED}"


@pytest.fixture(scope="module")
def corrected(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder with the seed and the mirror of a record that lacks a resource since a correction."""
    folder = tmp_path_factory.mktemp("corrected")
    seed, archive = str(publish_shipped(folder, SECOND)), str(folder / "archive.sqlite")
    freeze(folder / "mirror", "--seed", seed, "--archive", archive)
    return folder


@pytest.fixture(scope="module", params=WEB_SERVERS)
def address(request: pytest.FixtureRequest, corrected: Path) -> Iterator[str]:
    """Address of a real web server that serves the mirror."""
    with WEB_SERVERS[request.param](corrected / "mirror", corrected / request.param) as base:
        yield base


async def test_removed_items_have_the_problem_documents_of_the_api(
    address: str, corrected: Path
) -> None:
    """Status, body and headers are the same, for the resource and for each of its citations."""
    entries = read_manifest(corrected / "mirror", 410)
    assert {PATH} < {entry["url"] for entry in entries}
    async with (
        client_for(corrected / "seed.json", corrected / "archive.sqlite") as live,
        httpx.AsyncClient(timeout=TIMEOUT_SECONDS, base_url=address) as web,
    ):
        for entry in entries:
            original, copy = await live.get(entry["url"]), await web.get(entry["url"])
            assert copy.content == original.content
            assert copy.status_code == original.status_code == 410
            assert copy.headers["x-data-release"] == original.headers["x-data-release"]


@pytest.mark.parametrize("headers", [{}, {"if-none-match": "*"}, {"range": "bytes=0-3"}])
async def test_a_removed_resource_is_described_whatever_the_conditions(
    address: str, headers: dict[str, str]
) -> None:
    """The release, the reason and the successor are in every response; HEAD has its headers."""
    async with httpx.AsyncClient(timeout=TIMEOUT_SECONDS, base_url=address, headers=headers) as web:
        response, head = await web.get(PATH), await web.head(PATH)
    problem = assert_mirror_problem(response, 410)
    assert (problem["release"], problem["reason"]) == (SECOND, REASON)
    assert problem["replaced_by"] == [f"/v1/activities/{SUCCESSOR}"]
    assert (head.status_code, head.content) == (410, b"")
    assert head.headers["content-type"] == response.headers["content-type"]


async def test_other_items_and_the_files_themselves_are_not_found(address: str) -> None:
    """The documents are only where the resources were."""
    async with httpx.AsyncClient(timeout=TIMEOUT_SECONDS, base_url=address) as web:
        for path in (f"{PATH}x", "/v1/activities/never", f"/gone{PATH}.json", f"/gone{PATH}"):
            assert_mirror_problem(await web.get(path), 404)
