"""The archive while it is served: spoiled, removed, replaced; and never a wrong answer."""

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

PAGE = 4_096
PATIENCE = 30.0
PATHS = [
    "/v1/awards/peru-ilo",
    "/v1/citations?limit=1000",
    "/v1/awards?q=peru&facet=region",
    "/v1/search?q=peru",
    "/v1/record",
    "/v1/regions?format=geojson",
]


def flip(path: Path, place: int) -> None:
    """Change one byte in place; length, name and inode stay."""
    with path.open("r+b") as file:
        file.seek(place)
        byte = file.read(1)
        file.seek(place)
        file.write(bytes([byte[0] ^ 0x20]))


def test_a_changed_byte_is_seen(seed: SeedCopy, tmp_path: Path) -> None:
    """A byte changed on any page, in the header or in the seal itself is found and mended."""
    archive = tmp_path / "archive.sqlite"
    build_if_stale(seed.path, archive)
    content = archive.read_bytes()
    pages = range(200, len(content), max(len(content) // 40 // PAGE, 1) * PAGE)
    for place in (24, 60, 63, 99, *pages, len(content) - 1):
        flip(archive, place)
        assert not checksum_matches(archive)
        assert not is_current(seed.path, archive)
        archive.write_bytes(content)
    assert checksum_matches(archive)
    flip(archive, len(content) // 2)
    assert build_if_stale(seed.path, archive)
    assert archive.read_bytes() == content


def test_a_copy_is_as_good(seed: SeedCopy, tmp_path: Path) -> None:
    """An archive that was copied, whatever its times, is recognized as whole."""
    archive, copy = tmp_path / "archive.sqlite", tmp_path / "copy.sqlite"
    build_if_stale(seed.path, archive)
    shutil.copyfile(archive, copy)
    assert not build_if_stale(seed.path, copy)


class Served:
    """A server that keeps no answers, on a seed and an archive of its own.

    Attributes:
        right: The answers to `PATHS` before anything happened.
    """

    def __init__(self, url: str, seed: SeedCopy, archive: Path) -> None:
        self.url, self.seed, self.archive = url, seed, archive
        self.right = {path: self.ask(path) for path in PATHS}

    def ask(self, path: str) -> bytes:
        """The body of a success."""
        response = httpx.get(f"{self.url}{path}")
        assert response.status_code == 200
        return response.content

    def rounds(self) -> Iterator[int]:
        """Ask for everything again and again; how many were refused, and none was wrong."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            refused = 0
            for path in PATHS:
                response = httpx.get(f"{self.url}{path}")
                if response.status_code == 200:
                    assert response.content == self.right[path]
                else:
                    assert_problem(response, 503)
                    assert "retry-after" in response.headers
                    refused += 1
            yield refused
        pytest.fail("the server did not recover")


@pytest.fixture
def served(start_server: Start, seed: SeedCopy, tmp_path: Path) -> Iterator[Served]:
    """A server without kept answers, so that each is read from the archive."""
    archive = tmp_path / "archive.sqlite"
    settings = {"SEED_FILE": str(seed.path), "ARCHIVE_FILE": str(archive), "CACHE_BYTES": "0"}
    url, process = start_server(**settings)
    yield Served(url, seed, archive)
    process.terminate()
    assert process.wait(timeout=20) == 0


def every_page(archive: Path) -> None:
    """Change a byte on every page but the first."""
    for place in range(PAGE + 500, archive.stat().st_size, PAGE):
        flip(archive, place)


def cut(archive: Path) -> None:
    """Take the second half away."""
    os.truncate(archive, archive.stat().st_size // 2)


def scramble(archive: Path) -> None:
    """Write bytes that mean nothing over it."""
    with archive.open("r+b") as file:
        file.write(os.urandom(archive.stat().st_size))


def empty(archive: Path) -> None:
    """Leave nothing of it."""
    os.truncate(archive, 0)


@pytest.mark.parametrize("harm", [every_page, cut, scramble, empty])
def test_a_spoiled_archive_is_compiled_anew(served: Served, harm: Callable[[Path], None]) -> None:
    """While the file is spoiled answers are right or 503, and soon they are all right again."""
    harm(served.archive)
    assert any(refused == 0 and checksum_matches(served.archive) for refused in served.rounds())
    assert served.right == {path: served.ask(path) for path in PATHS}


def test_a_removed_archive_is_served_on(served: Served) -> None:
    """Whoever opened it reads it to the end."""
    served.archive.unlink()
    time.sleep(2.5)
    assert next(served.rounds()) == 0


def test_rubbish_in_its_place_is_not_served(served: Served) -> None:
    """What replaces the archive must be one; otherwise the one before is served on."""
    rubbish = served.archive.with_name("rubbish")
    rubbish.write_bytes(os.urandom(100_000))
    rubbish.replace(served.archive)
    time.sleep(2.5)
    assert next(served.rounds()) == 0


def test_what_cannot_be_mended_is_not_served(
    start_server: Start, seed: SeedCopy, tmp_path: Path
) -> None:
    """Without a sound seed only kept answers go on; readiness tells, and a sound seed mends it."""
    archive = tmp_path / "archive.sqlite"
    url, _ = start_server(SEED_FILE=str(seed.path), ARCHIVE_FILE=str(archive))
    known = httpx.get(f"{url}/v1/awards/peru-ilo").content
    sound = seed.path.read_bytes()
    seed.path.write_bytes(b"{")
    every_page(archive)
    time.sleep(2.5)
    for path in ("/readyz", "/v1/awards/peru-centro-yanapanakusun"):
        assert_problem(httpx.get(f"{url}{path}"), 503)
    assert httpx.get(f"{url}/healthz").status_code == 200
    assert httpx.get(f"{url}/v1/awards/peru-ilo").content == known
    seed.path.write_bytes(sound)
    deadline = time.monotonic() + PATIENCE
    while httpx.get(f"{url}/readyz").status_code != 200:
        assert time.monotonic() < deadline
        time.sleep(0.2)
    assert httpx.get(f"{url}/v1/awards/peru-centro-yanapanakusun").status_code == 200


@pytest.mark.parametrize("workers", ["1", "2"])
def test_another_release_takes_over_without_a_gap(
    start_server: Start, seed: SeedCopy, tmp_path: Path, workers: str
) -> None:
    """Building another record is all it takes: every process serves it soon, nothing fails.

    Each answer, kept ones too, is of the release that it names.
    """
    archive = tmp_path / "archive.sqlite"
    files = {"SEED_FILE": str(seed.path), "ARCHIVE_FILE": str(archive)}
    url, process = start_server(**files, WORKERS=workers)
    titles = {}
    old = httpx.get(f"{url}/v1/awards/peru-ilo")
    titles[old.headers["x-data-release"]] = old.json()["data"]["title"]
    seed.put("/awards/0/title", "Another title")
    seed.write()
    said = run_cli("build", SEED_FILE=str(seed.path), ARCHIVE_FILE=str(archive))
    assert said.returncode == 0
    run = 0
    deadline = time.monotonic() + PATIENCE
    while run < 40:
        assert time.monotonic() < deadline
        with httpx.Client(base_url=url) as client:
            answer = client.get("/v1/awards/peru-ilo")
        assert answer.status_code == 200
        title = answer.json()["data"]["title"]
        assert titles.setdefault(answer.headers["x-data-release"], title) == title
        run = run + 1 if title == "Another title" else 0
    assert len(titles) == 2
    assert httpx.get(f"{url}/openapi.json").status_code == 200
    process.terminate()
    assert process.wait(timeout=20) == 0
