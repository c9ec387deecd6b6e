"""A mirror of the shipped record, and the application that it was made from."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from tests.conftest import SEED
from tests.support.mirrors import freeze
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
