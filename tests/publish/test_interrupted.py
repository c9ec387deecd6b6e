"""Runs of `publish` that are killed, and releases that replace each other, under readers.

Every reader goes through nginx, and compares each response with the release that it names.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from multiprocessing.process import BaseProcess
from pathlib import Path
from random import Random

import anyio.to_thread
import httpx
import pytest

from app.cli import cli
from app.publish.current import read_current
from app.publish.store import open_store
from app.publish.verify import check_store
from tests.publish.servers import Bucket, serve_with_nginx
from tests.support.serving import TIMEOUT_SECONDS
from tests.support.small_mirror import GONE_URL, release_digest, write_small_mirror

pytestmark = [pytest.mark.anyio, pytest.mark.process, pytest.mark.web_server]

RELEASES = ("1", "2", "3", "4", "5")
KILLS = 20
READERS = 4
PAGES = 12
_BY_DIGEST = {release_digest(release): release for release in RELEASES}


def own_url(release: str) -> str:
    """An address that only one release has."""
    return f"/v1/awards/only-{release}"


@pytest.fixture(scope="module")
def mirrors(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A mirror of each release, with an address that the others lack."""
    folder = tmp_path_factory.mktemp("mirrors")
    return {
        release: write_small_mirror(
            folder / release,
            release,
            {f"/v1/awards/{number}": f'{{"release": "{release}"}}' for number in range(PAGES)}
            | {own_url(release): f'{{"release": "{release}"}}'},
        )
        for release in RELEASES
    }


@pytest.fixture
def edge(mirrors: dict[str, Path], bucket: Bucket, tmp_path: Path) -> Iterator[str]:
    """Address of nginx before the bucket; one configuration serves all releases."""
    with serve_with_nginx(mirrors["1"], bucket, tmp_path / "nginx") as address:
        yield address


def run_command(environment: dict[str, str], arguments: list[str]) -> None:
    """Run `cpc-record publish` in a process of its own, without what it prints."""
    os.environ |= environment
    for descriptor in (1, 2):
        os.dup2(os.open(os.devnull, os.O_WRONLY), descriptor)
    cli(arguments)


def start(bucket: Bucket, mirror: Path) -> BaseProcess:
    """Start publishing a mirror."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["app.cli", "app.publish.publish", __name__])
    arguments = ["publish", bucket.target, "--mirror", str(mirror), "--keep", "3"]
    process = context.Process(
        target=run_command, args=(dict(bucket.environment), [*arguments, "--parallel", "4"])
    )
    process.start()
    return process


def complete(bucket: Bucket, mirror: Path) -> float:
    """Publish a mirror; the seconds that it took."""
    started = time.monotonic()
    process = start(bucket, mirror)
    process.join(120)
    assert process.exitcode == 0
    return time.monotonic() - started


def kill_many(bucket: Bucket, mirrors: dict[str, Path], random: Random) -> int:
    """Start publishing random releases and kill the runs at random times; how many were killed."""
    seconds = complete(bucket, mirrors["1"])
    killed = runs = 0
    while killed < KILLS:
        runs += 1
        assert runs < KILLS * 5, "runs end before they are killed"
        process = start(bucket, mirrors[random.choice(RELEASES)])
        process.join(random.uniform(0.05, seconds))
        process.kill()
        process.join(60)
        killed += process.exitcode != 0
        if runs % 5 == 0:
            seconds = complete(bucket, mirrors[random.choice(RELEASES)])
    return killed


class Reader:
    """Reads random addresses and compares each response with the release that it names.

    Attributes:
        seen: How often each release was seen.
        first_seen: Set when a release is seen.
    """

    def __init__(self, seed: int) -> None:
        self.seen: Counter[str] = Counter()
        self.first_seen = {release: asyncio.Event() for release in RELEASES}
        self._random = Random(seed)  # noqa: S311 - not for secrets
        paths = ["/", "/v1", "/v1/awards", "/v1/exports/awards.csv", GONE_URL]
        self._paths = [*paths, "/v1/awards/3", *map(own_url, RELEASES)]

    async def read(self, client: httpx.AsyncClient) -> None:
        """Read until canceled."""
        while True:
            path = self._random.choice(self._paths)
            coding = self._random.choice(["identity", "gzip", "br"])
            response = await client.get(path, headers={"accept-encoding": coding})
            self._check(path, response)

    def _check(self, path: str, response: httpx.Response) -> None:
        release = _BY_DIGEST[response.headers["x-data-release"]]
        self.seen[release] += 1
        self.first_seen[release].set()
        if path.startswith(own_url("")) and path != own_url(release):
            assert response.status_code == 404, (path, release)
            return
        assert response.status_code == (410 if path == GONE_URL else 200), (path, release)
        if path.endswith(".csv"):
            assert response.text == f"id,release\none,{release}\n"
        else:
            assert response.json()["release"] == release, path


@asynccontextmanager
async def reading(edge: str) -> AsyncIterator[list[Reader]]:
    """Readers, while the body runs; there must be no wrong response."""
    readers = [Reader(seed) for seed in range(READERS)]
    async with httpx.AsyncClient(timeout=TIMEOUT_SECONDS, base_url=edge) as client:
        tasks = [asyncio.create_task(reader.read(client)) for reader in readers]
        try:
            yield readers
        finally:
            for task in tasks:
                task.cancel()
            results = await asyncio.gather(*tasks, return_exceptions=True)
            errors = [each for each in results if not isinstance(each, asyncio.CancelledError)]
            assert not errors


async def assert_whole(bucket: Bucket, mirror: Path, tmp_path: Path) -> None:
    """Publish a mirror, which must succeed, and read all of it back."""
    await anyio.to_thread.run_sync(complete, bucket, mirror)
    store = open_store(bucket.target)
    assert not (await check_store(store, tmp_path)).issues
    state = await read_current(store)
    assert state is not None
    known = {state[0].snapshot, *state[0].previous}
    assert state[0].removing == ()
    assert len(known) == 4
    assert known <= set(await store.folders("snapshots"))


async def test_killed_runs_are_never_seen(
    mirrors: dict[str, Path],
    bucket: Bucket,
    edge: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Killed at 20 random times: no response is wrong, and the next run completes."""
    for name, value in bucket.environment.items():
        monkeypatch.setenv(name, value)
    seed = int.from_bytes(os.urandom(4))
    print(f"seed {seed}")  # noqa: T201 - shown if the test fails
    await anyio.to_thread.run_sync(complete, bucket, mirrors["1"])
    async with reading(edge) as readers:
        random = Random(seed)  # noqa: S311 - not for secrets
        killed = await anyio.to_thread.run_sync(kill_many, bucket, mirrors, random)
    assert killed == KILLS
    assert all(sum(reader.seen.values()) > 20 for reader in readers)
    for release in RELEASES:
        await anyio.to_thread.run_sync(complete, bucket, mirrors[release])
    await assert_whole(bucket, mirrors["2"], tmp_path)


async def test_a_release_replaces_another_while_readers_read(
    mirrors: dict[str, Path], bucket: Bucket, edge: str
) -> None:
    """Readers see the first, then the second, and nothing else."""
    await anyio.to_thread.run_sync(complete, bucket, mirrors["1"])
    async with reading(edge) as readers:
        await anyio.to_thread.run_sync(complete, bucket, mirrors["2"])
        with anyio.fail_after(60):
            await asyncio.gather(*[reader.first_seen["2"].wait() for reader in readers])
    seen = sum((reader.seen for reader in readers), Counter[str]())
    assert set(seen) == {"1", "2"}
