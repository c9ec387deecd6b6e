"""Queries that take too long, and more of them than there is room for."""

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


@pytest.fixture(scope="module")
def endless(start_server: Start, archive_file: Path) -> str:
    """A server with paths whose queries never end, and a second for each query."""
    command = ["-m", "uvicorn", "tests.support.endless:app", "--port", "{port}"]
    guarded = ["--http", "app.server.connections:Connection"]
    settings = {"ARCHIVE_FILE": str(archive_file), "QUERY_SECONDS": "1"}
    url, _ = start_server(sys.executable, *command, *guarded, **settings)
    return url


def test_an_endless_query_is_interrupted(endless: str) -> None:
    """Its client is told to come back, as in every error; it costs its deadline and no more."""
    response = httpx.get(f"{endless}/endless", timeout=20)
    problem = assert_problem(response, 503)
    assert "1 s;" in problem["detail"]
    assert int(response.headers["retry-after"]) > 0


def test_others_are_answered_while_queries_run(endless: str) -> None:
    """Kept answers and look-ups go on while every thread that reads is taken."""
    kept = "/v1/awards?q=ilo"
    assert httpx.get(f"{endless}{kept}").status_code == 200
    with ThreadPoolExecutor(4) as pool:
        taken = [pool.submit(httpx.get, f"{endless}/endless?{n}", timeout=20) for n in range(4)]
        time.sleep(0.3)
        while not any(one.done() for one in taken):
            for path in (kept, "/healthz", "/readyz", "/v1/awards/peru-ilo"):
                assert httpx.get(f"{endless}{path}").status_code == 200
    assert [one.result().status_code for one in taken] == [503] * 4
    assert httpx.get(f"{endless}/v1/awards?q=peru").status_code == 200


def test_a_begun_answer_is_cut_off(endless: str) -> None:
    """A stream whose query takes too long breaks off: nobody can take it for whole."""
    pieces: list[bytes] = []
    with httpx.stream("GET", f"{endless}/begun", timeout=20) as response:
        assert response.status_code == 200
        with pytest.raises(httpx.RemoteProtocolError, match="incomplete"):
            pieces.extend(response.iter_raw())
    assert sum(map(len, pieces)) <= LARGE


def test_what_was_not_sent_yet_is_taken_back(endless: str) -> None:
    """A stream that is still held back when its query takes too long is a problem, and whole."""
    assert_problem(httpx.get(f"{endless}/begun?size=10", timeout=20), 503)


@pytest.mark.anyio
async def test_only_so_many_may_wait(archive_file: Path) -> None:
    """Beyond a thousand readings more are turned away at once; then it reads as before."""
    archive = Archive.open(archive_file, query_seconds=0.2)

    def slow(connection: sqlite3.Connection) -> int:
        time.sleep(0.05)
        return len(connection.execute("SELECT key FROM meta").fetchall())

    try:
        waiting = [asyncio.create_task(archive.run_in_thread(slow)) for _ in range(1_000)]
        await asyncio.sleep(0)
        with pytest.raises(Unavailable, match="waiting"):
            await archive.run_in_thread(slow)
        results = await asyncio.gather(*waiting, return_exceptions=True)
        told = [str(one) for one in results if isinstance(one, Unavailable)]
        assert 0 < len(told) < 1_000
        assert all("in the queue" in one for one in told)
        assert await archive.run_in_thread(slow) > 0
    finally:
        archive.close()


def select_one(connection: sqlite3.Connection) -> tuple[int]:
    """A query that is over at once."""
    row: tuple[int] = connection.execute("SELECT 1").fetchone()
    return row


@pytest.mark.anyio
async def test_a_reader_is_as_good_as_before(archive_file: Path) -> None:
    """An interrupted query leaves nothing behind in the connection that ran it."""
    archive = Archive.open(archive_file, query_seconds=0.1)
    try:
        for _ in range(8):
            with pytest.raises(Unavailable, match="longer than"):
                await archive.run_in_thread(count_for_ever)
            assert await archive.run_in_thread(lambda one: one.execute("SELECT 1").fetchone()) == (
                1,
            )
    finally:
        archive.close()


@pytest.mark.anyio
async def test_many_large_pages_at_once(server: str) -> None:
    """300 parallel pages of the greatest sizes, none of them kept before, are all answered."""
    limits = httpx.Limits(max_connections=300)
    async with httpx.AsyncClient(base_url=server, limits=limits, timeout=60) as client:
        paths = [f"/v1/citations?limit={1_000 - n}&basis=stated&facet=field" for n in range(300)]
        answers = await asyncio.gather(*(client.get(path) for path in paths))
    assert {one.status_code for one in answers} == {200}
    assert len({one.json()["meta"]["total"] for one in answers}) == 1
