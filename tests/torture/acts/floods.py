"""Many at once: large pages, silent connections, queries that do not end."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager

from tests.torture.scenario import LARGE, scenario
from tests.torture.stage import HOST, Server, Stage, hold

_AT_ONCE = 300
_CONNECTIONS = 500
_BEGINNINGS = (
    b"",
    b"G",
    b"GET /v1/meta HTTP/1.1\r\n",
    b"GET /v1/meta HTTP/1.1\r\nHost: record.test\r\nX-Slow: ",
    b"POST /v1/meta HTTP/1.1\r\nHost: record.test\r\nContent-Length: 1000\r\n\r\nx",
    b"GET /v1/meta HTTP/1.1\r\nHost: record.test\r\n\r\n",
)
"""How a connection begins that then falls silent; the last one has been answered."""


@scenario("pages", "300 parallel pages of the greatest size: all 200, in seconds", quick=True)
def pages(stage: Stage) -> str:
    """Ask for pages that nobody asked for before, all at the same time."""
    count = stage.rounds(_AT_ONCE, _AT_ONCE, 60)
    targets = _uncommon(stage, count)
    together = threading.Barrier(count)
    with stage.serving(CACHE_BYTES="0") as server:

        def ask(target: str) -> tuple[int, int]:
            together.wait()
            reply = server.get(target)
            body = json.loads(reply.body)
            hold("data" in body, f"{target}: {reply.status} {reply.body[:200]!r}")
            return reply.status, len(reply.body)

        started = time.monotonic()
        with ThreadPoolExecutor(count) as crowd:
            replies = list(crowd.map(ask, targets))
        seconds = time.monotonic() - started
        server.answers()
    wrong = [status for status, _ in replies if status != 200]
    hold(not wrong, f"{len(wrong)} of {count} were not 200: {wrong[:5]}")
    hold(seconds < 60, f"it took {seconds:.0f} s")
    sent = sum(size for _, size in replies) / 1e6
    return f"{count} pages, {sent:.0f} MB in {seconds:.1f} s"


def _uncommon(stage: Stage, count: int) -> list[str]:
    """Addresses of the greatest pages that the record has, as many different ones as it has."""
    if not stage.large:
        facets = ("", "&facet=basis", "&facet=field", "&facet=basis&facet=field")
        sorts = ("id", "-id")
        targets = [f"/v1/citations?limit=1000&sort={one}{more}" for one in sorts for more in facets]
        return [stage.chance.choice(targets) for _ in range(count)]
    days = stage.chance.sample(range(28 * 12 * 80), count)
    return [
        f"/v1/awards?limit=1000&announced__gte={1900 + day // 336}-{day // 28 % 12 + 1:02}"
        f"&announced__lte={2031 + day % 900}"
        for day in days
    ]


@scenario("silence", "500 half-open or silent connections: closed by a deadline, others answered")
def silence(stage: Stage) -> str:
    """Open connections, fall silent, and ask for real pages meanwhile."""
    with stage.serving(IDLE_SECONDS="5") as server, ExitStack() as opened:
        silent = [opened.enter_context(_begun(server, stage)) for _ in range(_CONNECTIONS)]
        started = time.monotonic()
        slowest = 0.0
        left = silent
        while left and time.monotonic() - started < 90:
            asked = time.monotonic()
            server.answers()
            slowest = max(slowest, time.monotonic() - asked)
            left = [one for one in left if _is_open(one)]
            time.sleep(0.2)
        hold(not left, f"{len(left)} connections are still open after 90 s")
        seconds = time.monotonic() - started
        hold(slowest < 5, f"a real request waited {slowest:.1f} s")
    told = f"the last closed after {seconds:.0f} s, the slowest real answer took"
    return f"{_CONNECTIONS} connections; {told} {slowest * 1_000:.0f} ms"


@contextmanager
def _begun(server: Server, stage: Stage) -> Iterator[socket.socket]:
    with socket.create_connection((HOST, server.port), timeout=10) as connection:
        connection.sendall(stage.chance.choice(_BEGINNINGS))
        connection.setblocking(False)
        yield connection


def _is_open(connection: socket.socket) -> bool:
    try:
        while connection.recv(65_536):
            pass
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


@scenario("drip", "a request sent a byte at a time has a deadline too", quick=True)
def drip(stage: Stage) -> str:
    """Send a header that never ends, slowly enough to look alive."""
    with (
        stage.serving() as server,
        socket.create_connection((HOST, server.port), timeout=10) as slow,
    ):
        slow.sendall(b"GET /v1/meta HTTP/1.1\r\nHost: record.test\r\nX-Slow: ")
        slow.setblocking(False)
        started = time.monotonic()
        while (seconds := time.monotonic() - started) < 90 and _is_open(slow):
            try:
                slow.send(b"x")
            except OSError:
                break
            time.sleep(0.1)
        hold(seconds < 90, "it is still open after 90 s")
        server.answers()
    return f"closed after {seconds:.0f} s"


@scenario(
    "endless",
    "a query past its deadline: 503 with Retry-After, kept answers go on",
    corpora=LARGE,
)
def endless(stage: Stage) -> str:
    """Ask for more than a deadline of 50 ms allows, many times over, and for a kept page."""
    heavy = [f"/v1/search?q={letter}&limit=1000" for letter in "abcdefghijklmnopqrstuvwxyz"]
    heavy += [f"/v1/citations?facet=basis&facet=field&field=x{number}" for number in range(4)]
    with stage.serving(QUERY_SECONDS="0.05") as server:
        server.answers()
        with ThreadPoolExecutor(8) as crowd:
            asked = [crowd.submit(server.get, target) for target in heavy]
            slowest = 0.0
            while not all(one.done() for one in asked):
                started = time.monotonic()
                server.answers()
                slowest = max(slowest, time.monotonic() - started)
        replies = [one.result() for one in asked]
    refused = [reply for reply in replies if reply.status == 503]
    hold(bool(refused), "no query was interrupted")
    others = {reply.status for reply in replies} - {200, 503}
    hold(not others, f"answered {others}")
    for reply in refused:
        hold(reply.header("retry-after").isdigit(), "503 without Retry-After")
        hold(reply.header("content-type") == "application/problem+json", "503 is no problem")
    hold(slowest < 2, f"a kept answer took {slowest:.1f} s")
    told = f"the slowest kept answer took {slowest * 1_000:.0f} ms"
    return f"{len(refused)} of {len(heavy)} queries interrupted; {told}"
