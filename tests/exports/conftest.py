"""A server that provides every export of the shipped record."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from tests.conftest import SEED
from tests.support.published import copy_archive, published_client


@pytest.fixture(scope="module")
def own_archive(archive_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the shipped archive, in a directory of its own for the exports."""
    return copy_archive(archive_file, tmp_path_factory.mktemp("exported"))


@pytest.fixture
async def client(own_archive: Path) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a server with a public URL, a publisher and a reporting organization."""
    async with published_client(SEED, own_archive) as opened:
        yield opened
