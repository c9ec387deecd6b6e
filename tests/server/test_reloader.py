"""The archive file while it is served: damaged, removed or replaced, never a wrong response."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from app.archive.checksum import checksum_matches
from app.archive.release import build_if_stale, is_current
from tests.conftest import SeedCopy, Start, run_cli
from tests.support.problem import assert_problem
from tests.support.serving import TIMEOUT_SECONDS, fetch

PAGE_BYTES = 4_096
OBSERVED_SECONDS = 2.5
"""Longer than two checks of the archive file."""
PATHS = [
    "/v1/awards/peru-ilo",
    "/v1/citations?limit=1000",
    "/v1/awards?q=peru&facet=region",
    "/v1/search?q=peru",
    "/v1/record",
    "/v1/regions?format=geojson",
]


def flip(path: Path, offset: int) -> None:
    """Change one byte in place; length, name and inode stay."""
    with path.open("r+b") as file:
        file.seek(offset)
        byte = file.read(1)
        file.seek(offset)
        file.write(bytes([byte[0] ^ 0x20]))


def test_a_changed_byte_is_detected(seed: SeedCopy, tmp_path: Path) -> None:
    """On any page, in the header or in the checksum itself; the archive is rebuilt."""
    archive = tmp_path / "archive.sqlite"
    build_if_stale(seed.path, archive)
    content = archive.read_bytes()
    pages = range(200, len(content), max(len(content) // 40 // PAGE_BYTES, 1) * PAGE_BYTES)
    for offset in (24, 60, 63, 99, *pages, len(content) - 1):
        flip(archive, offset)
        assert not checksum_matches(archive)
        assert not is_current(seed.path, archive)
        archive.write_bytes(content)
    assert checksum_matches(archive)
    flip(archive, len(content) // 2)
    assert build_if_stale(seed.path, archive)
    assert archive.read_bytes() == content


def test_a_copy_is_valid(seed: SeedCopy, tmp_path: Path) -> None:
    """A copied archive is current, whatever its modification time."""
    archive, copy = tmp_path / "archive.sqlite", tmp_path / "copy.sqlite"
    build_if_stale(seed.path, archive)
    shutil.copyfile(archive, copy)
    assert not build_if_stale(seed.path, copy)


class RunningServer:
    """A server without a response cache, on a seed and an archive of its own.

    Attributes:
        expected: The responses to `PATHS` before anything happened.
    """

    def __init__(self, url: str, seed: SeedCopy, archive: Path) -> None:
        self.url, self.seed, self.archive = url, seed, archive
        self.expected = {path: self.get(path) for path in PATHS}

    def get(self, path: str) -> bytes:
        """The body of a successful response."""
        response = httpx.get(f"{self.url}{path}", timeout=TIMEOUT_SECONDS)
        assert response.status_code == 200
        return response.content

    def rejections(self) -> int:
        """Request all paths; return how many gave 503. No other response is wrong."""
        rejected = 0
        for path in PATHS:
            response = httpx.get(f"{self.url}{path}", timeout=TIMEOUT_SECONDS)
            if response.status_code == 200:
                assert response.content == self.expected[path]
            else:
                assert_problem(response, 503)
                assert "retry-after" in response.headers
                rejected += 1
        return rejected

    def assert_undisturbed(self) -> None:
        """Check over several checks of the archive file that every request succeeds."""
        end = time.monotonic() + OBSERVED_SECONDS
        while time.monotonic() < end:
            assert self.rejections() == 0


def wait_until(condition: Callable[[], bool], message: str) -> None:
    """Wait for a condition, or fail with a message."""
    deadline = time.monotonic() + TIMEOUT_SECONDS
    while not condition():
        if time.monotonic() > deadline:
            pytest.fail(message)
        time.sleep(0.05)


@pytest.fixture
def served(start_server: Start, seed: SeedCopy, tmp_path: Path) -> Iterator[RunningServer]:
    """A server that reads the archive for every response."""
    archive = tmp_path / "archive.sqlite"
    settings = {"SEED_FILE": str(seed.path), "ARCHIVE_FILE": str(archive), "CACHE_BYTES": "0"}
    url, process = start_server(**settings)
    yield RunningServer(url, seed, archive)
    process.terminate()
    assert process.wait(timeout=TIMEOUT_SECONDS) == 0


def flip_every_page(archive: Path) -> None:
    """Change a byte on every page but the first."""
    for offset in range(PAGE_BYTES + 500, archive.stat().st_size, PAGE_BYTES):
        flip(archive, offset)


def truncate_half(archive: Path) -> None:
    """Remove the second half."""
    os.truncate(archive, archive.stat().st_size // 2)


def overwrite(archive: Path) -> None:
    """Overwrite everything with random bytes."""
    with archive.open("r+b") as file:
        file.write(os.urandom(archive.stat().st_size))


def truncate_all(archive: Path) -> None:
    """Leave an empty file."""
    os.truncate(archive, 0)


@pytest.mark.parametrize("damage", [flip_every_page, truncate_half, overwrite, truncate_all])
def test_a_damaged_archive_is_rebuilt(
    served: RunningServer, damage: Callable[[Path], None]
) -> None:
    """Until then responses are right or 503; afterwards they are all right."""
    damage(served.archive)
    wait_until(
        lambda: served.rejections() == 0 and checksum_matches(served.archive),
        "the archive was not rebuilt",
    )
    assert served.expected == {path: served.get(path) for path in PATHS}


def test_a_removed_archive_stays_in_use(served: RunningServer) -> None:
    """The open file can be read to the end."""
    served.archive.unlink()
    served.assert_undisturbed()


def test_an_invalid_replacement_is_not_used(served: RunningServer) -> None:
    """If the archive is replaced by something else, the previous one stays in use."""
    invalid = served.archive.with_name("invalid")
    invalid.write_bytes(os.urandom(100_000))
    invalid.replace(served.archive)
    served.assert_undisturbed()


def test_a_damaged_archive_needs_a_valid_seed(
    start_server: Start, seed: SeedCopy, tmp_path: Path
) -> None:
    """Until the seed is valid again, the server is not ready and only cached responses go on."""
    archive = tmp_path / "archive.sqlite"
    url, _ = start_server(SEED_FILE=str(seed.path), ARCHIVE_FILE=str(archive))

    def ready() -> bool:
        return httpx.get(f"{url}/readyz", timeout=TIMEOUT_SECONDS).status_code == 200

    cached = fetch(f"{url}/v1/awards/peru-ilo").content
    valid = seed.path.read_bytes()
    seed.path.write_bytes(b"{")
    flip_every_page(archive)
    wait_until(lambda: not ready(), "the server is still ready")
    for path in ("/readyz", "/v1/awards/peru-centro-yanapanakusun"):
        assert_problem(fetch(f"{url}{path}"), 503)
    assert fetch(f"{url}/healthz").status_code == 200
    assert fetch(f"{url}/v1/awards/peru-ilo").content == cached
    seed.path.write_bytes(valid)
    wait_until(ready, "the archive was not rebuilt")
    assert fetch(f"{url}/v1/awards/peru-centro-yanapanakusun").status_code == 200


@pytest.mark.process
@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_new_release_is_served_without_errors(
    start_server: Start, seed: SeedCopy, tmp_path: Path, workers: str
) -> None:
    """After a build every worker soon serves the new release, and no request fails.

    Each response, cached or not, is of the release in its `X-Data-Release`.
    """
    archive = tmp_path / "archive.sqlite"
    files = {"SEED_FILE": str(seed.path), "ARCHIVE_FILE": str(archive)}
    url, process = start_server(**files, WORKERS=workers)
    titles = {}
    old = fetch(f"{url}/v1/awards/peru-ilo")
    titles[old.headers["x-data-release"]] = old.json()["data"]["title"]
    seed.put("/awards/0/title", "Another title")
    seed.write()
    result = run_cli("build", SEED_FILE=str(seed.path), ARCHIVE_FILE=str(archive))
    assert result.returncode == 0
    consecutive = 0
    deadline = time.monotonic() + TIMEOUT_SECONDS
    while consecutive < 40:
        assert time.monotonic() < deadline
        with httpx.Client(base_url=url, timeout=TIMEOUT_SECONDS) as client:
            response = client.get("/v1/awards/peru-ilo")
        assert response.status_code == 200
        title = response.json()["data"]["title"]
        assert titles.setdefault(response.headers["x-data-release"], title) == title
        consecutive = consecutive + 1 if title == "Another title" else 0
    assert len(titles) == 2
    assert fetch(f"{url}/openapi.json").status_code == 200
    process.terminate()
    assert process.wait(timeout=TIMEOUT_SECONDS) == 0
