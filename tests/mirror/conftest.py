"""A mirror of the shipped record, and the application that it was made from."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest

from tests.conftest import SEED
from tests.support.mirrors import WEB_SERVERS, freeze
from tests.support.published import ENVIRONMENT, copy_archive, published_client


@pytest.fixture(scope="session")
def exported_archive(archive_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shipped record's archive, in a folder of its own for its exports."""
    return copy_archive(archive_file, tmp_path_factory.mktemp("exported"))


@pytest.fixture(scope="session")
def mirror(exported_archive: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A mirror of the shipped record, with every export."""
    folder = tmp_path_factory.mktemp("mirror") / "record"
    freeze(folder, "--archive", str(exported_archive), **ENVIRONMENT)
    return folder


@pytest.fixture
async def live(exported_archive: Path) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the application that the mirror was made from."""
    async with published_client(SEED, exported_archive) as client:
        yield client


@pytest.fixture(scope="module", params=WEB_SERVERS)
def address(
    request: pytest.FixtureRequest, mirror: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """Address of a real web server that serves the mirror."""
    work = tmp_path_factory.mktemp("served") / request.param
    with WEB_SERVERS[request.param](mirror, work) as base:
        yield base


@pytest.fixture
async def web(address: str) -> AsyncIterator[httpx.AsyncClient]:
    """A client of that server that accepts no content coding by default."""
    headers = {"accept-encoding": "identity"}
    async with httpx.AsyncClient(base_url=address, headers=headers, timeout=60) as client:
        yield client
