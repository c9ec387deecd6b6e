"""Query timeouts, and the limit on queries that wait for a thread."""

from __future__ import annotations

import asyncio
import sqlite3
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from app.archive.archive import Archive
from app.responses.problems import Unavailable
from tests.conftest import Start
from tests.support.endless import LARGE, count_for_ever
from tests.support.problem import assert_problem
from tests.support.serving import TIMEOUT_SECONDS, fetch


@pytest.fixture(scope="module")
def endless(start_server: Start, archive_file: Path) -> str:
    """A server with paths whose queries never end, and a query timeout of one second."""
    command = ["-m", "uvicorn", "tests.support.endless:app", "--port", "{port}"]
    protocol = ["--http", "app.server.connections:Connection"]
    settings = {"ARCHIVE_FILE": str(archive_file), "QUERY_SECONDS": "1"}
    url, _ = start_server(sys.executable, *command, *protocol, **settings)
    return url


def test_an_endless_query_is_interrupted(endless: str) -> None:
    """After the query timeout the client gets a 503 with `Retry-After`, and not before."""
    started = time.monotonic()
    response = httpx.get(f"{endless}/endless", timeout=TIMEOUT_SECONDS)
    assert time.monotonic() - started >= 1
    problem = assert_problem(response, 503)
    assert "longer than 1 s" in problem["detail"]
    assert int(response.headers["retry-after"]) > 0


def test_other_requests_are_served_while_queries_run(endless: str) -> None:
    """Cached responses and lookups do not wait for the threads that run long queries."""
    cached = "/v1/awards?q=ilo"
    assert fetch(f"{endless}{cached}").status_code == 200
    with ThreadPoolExecutor(4) as pool:
        running = [
            pool.submit(httpx.get, f"{endless}/endless?{n}", timeout=TIMEOUT_SECONDS)
            for n in range(4)
        ]
        while not any(future.done() for future in running):
            for path in (cached, "/healthz", "/readyz", "/v1/awards/peru-ilo"):
                response = httpx.get(f"{endless}{path}", timeout=TIMEOUT_SECONDS)
                assert response.status_code == 200
    assert [future.result().status_code for future in running] == [503] * 4
    assert fetch(f"{endless}/v1/awards?q=peru").status_code == 200


def test_a_started_response_is_aborted(endless: str) -> None:
    """When the query of a stream times out the client sees an incomplete response."""
    chunks: list[bytes] = []
    with httpx.stream("GET", f"{endless}/begun", timeout=TIMEOUT_SECONDS) as response:
        assert response.status_code == 200
        with pytest.raises(httpx.RemoteProtocolError, match="incomplete"):
            chunks.extend(response.iter_raw())
    assert sum(map(len, chunks)) <= LARGE


def test_a_buffered_response_becomes_a_problem(endless: str) -> None:
    """When the query of a stream times out before anything was sent, the client gets a 503."""
    assert_problem(httpx.get(f"{endless}/begun?size=10", timeout=TIMEOUT_SECONDS), 503)


@pytest.mark.anyio
async def test_the_queue_of_queries_is_bounded(archive_file: Path) -> None:
    """With a thousand pending, another is rejected at once; those that wait too long time out."""
    archive = Archive.open(archive_file, query_seconds=0.5)

    def slow(connection: sqlite3.Connection) -> int:
        time.sleep(0.05)
        return len(connection.execute("SELECT key FROM meta").fetchall())

    try:
        pending = [asyncio.create_task(archive.run_in_thread(slow)) for _ in range(1_000)]
        await asyncio.sleep(0)
        with pytest.raises(Unavailable, match="waiting"):
            await archive.run_in_thread(slow)
        results = await asyncio.gather(*pending, return_exceptions=True)
        timeouts = [str(result) for result in results if isinstance(result, Unavailable)]
        assert 0 < len(timeouts) < 1_000
        assert all("in the queue" in message for message in timeouts)
        assert await archive.run_in_thread(slow) > 0
    finally:
        archive.close()


def select_one(connection: sqlite3.Connection) -> tuple[int]:
    """A query that takes no time."""
    row: tuple[int] = connection.execute("SELECT 1").fetchone()
    return row


def test_a_connection_is_reused_after_a_timeout(archive_file: Path) -> None:
    """An interrupted query does not affect the next one on its connection.

    The queries run on this thread, where none can time out in the queue.
    """
    archive = Archive.open(archive_file, query_seconds=0.1)
    try:
        for _ in range(8):
            with pytest.raises(Unavailable, match="longer than"):
                archive._run(count_for_ever, time.monotonic())
            assert archive._run(select_one, time.monotonic()) == (1,)
    finally:
        archive.close()


@pytest.mark.anyio
async def test_many_large_pages_at_once(server: str) -> None:
    """300 parallel requests for uncached pages of the largest sizes all succeed."""
    limits = httpx.Limits(max_connections=300)
    async with httpx.AsyncClient(base_url=server, limits=limits, timeout=120) as client:
        paths = [f"/v1/citations?limit={1_000 - n}&basis=stated&facet=field" for n in range(300)]
        responses = await asyncio.gather(*(client.get(path) for path in paths))
    assert {response.status_code for response in responses} == {200}
    assert len({response.json()["meta"]["total"] for response in responses}) == 1
