"""Stores to publish to: in memory, and an S3 server on a free port."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest
from obstore.store import MemoryStore

from app.publish.snapshot import Snapshot, prepare_snapshot
from app.publish.store import Store
from tests.publish.servers import Bucket, s3_server
from tests.support.small_mirror import write_small_mirror

Prepare = Callable[..., Snapshot]


@pytest.fixture
def store() -> Store:
    """An empty store in memory, with headers and conditional writes."""
    return Store("memory://", MemoryStore())


@pytest.fixture
def prepare(tmp_path: Path) -> Prepare:
    """Prepares the snapshot of a small mirror of a release."""
    numbers = count()

    def prepared(release: str = "1", **pages: str) -> Snapshot:
        folder = tmp_path / str(next(numbers))
        mirror = write_small_mirror(folder / "mirror", release, pages)
        (folder / "work").mkdir()
        return prepare_snapshot(mirror, folder / "work")

    return prepared


@pytest.fixture(scope="session")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of an S3 server."""
    with s3_server(tmp_path_factory.mktemp("s3")) as address:
        yield address


@pytest.fixture
def bucket(s3: str, request: pytest.FixtureRequest) -> Bucket:
    """A new bucket that everyone can read."""
    return Bucket.create(s3, f"b{abs(hash(request.node.name))}")
