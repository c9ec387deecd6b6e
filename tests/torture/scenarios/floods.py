"""High load: large pages, silent connections, slow queries."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager

from tests.torture.context import HOST, ScenarioContext, Server, check
from tests.torture.scenario import LARGE, scenario

_PARALLEL_REQUESTS = 300
_CONNECTIONS = 500
_PARTIAL_REQUESTS = (
    b"",
    b"G",
    b"GET /v1/meta HTTP/1.1\r\n",
    b"GET /v1/meta HTTP/1.1\r\nHost: record.test\r\nX-Slow: ",
    b"POST /v1/meta HTTP/1.1\r\nHost: record.test\r\nContent-Length: 1000\r\n\r\nx",
    b"GET /v1/meta HTTP/1.1\r\nHost: record.test\r\n\r\n",
)
"""What a connection sends before it goes silent. The last one is a complete request."""


@scenario("large-pages", "300 parallel requests for the largest pages: all 200", quick=True)
def large_pages(context: ScenarioContext) -> str:
    """Request uncached pages, all at the same time."""
    count = context.rounds(_PARALLEL_REQUESTS, _PARALLEL_REQUESTS, 60)
    targets = _large_page_targets(context, count)
    barrier = threading.Barrier(count)
    with context.serve(CACHE_BYTES="0") as server:

        def request(target: str) -> tuple[int, int]:
            barrier.wait()
            response = server.get(target)
            body = json.loads(response.body)
            check("data" in body, f"{target}: {response.status} {response.body[:200]!r}")
            return response.status, len(response.body)

        started = time.monotonic()
        with ThreadPoolExecutor(count) as pool:
            responses = list(pool.map(request, targets))
        seconds = time.monotonic() - started
        server.check_alive()
    failed = [status for status, _ in responses if status != 200]
    check(not failed, f"{len(failed)} of {count} were not 200: {failed[:5]}")
    check(seconds < 60, f"it took {seconds:.0f} s")
    megabytes = sum(size for _, size in responses) / 1e6
    return f"{count} pages, {megabytes:.0f} MB in {seconds:.1f} s"


def _large_page_targets(context: ScenarioContext, count: int) -> list[str]:
    """Targets of the largest pages. For the large record, all are different."""
    if not context.large:
        facets = ("", "&facet=basis", "&facet=field", "&facet=basis&facet=field")
        sorts = ("id", "-id")
        targets = [
            f"/v1/citations?limit=1000&sort={sort}{facet}" for sort in sorts for facet in facets
        ]
        return [context.rng.choice(targets) for _ in range(count)]
    days = context.rng.sample(range(28 * 12 * 80), count)
    return [
        f"/v1/awards?limit=1000&announced__gte={1900 + day // 336}-{day // 28 % 12 + 1:02}"
        f"&announced__lte={2031 + day % 900}"
        for day in days
    ]


@scenario(
    "silent-connections",
    "500 incomplete or idle connections: closed by a timeout, other requests served",
)
def silent_connections(context: ScenarioContext) -> str:
    """Open connections, go silent, and request pages in the meantime."""
    with context.serve(IDLE_SECONDS="5") as server, ExitStack() as stack:
        silent = [stack.enter_context(_open_partial(server, context)) for _ in range(_CONNECTIONS)]
        started = time.monotonic()
        slowest = 0.0
        still_open = silent
        while still_open and time.monotonic() - started < 90:
            sent_at = time.monotonic()
            server.check_alive()
            slowest = max(slowest, time.monotonic() - sent_at)
            still_open = [connection for connection in still_open if _is_open(connection)]
            time.sleep(0.2)
        check(not still_open, f"{len(still_open)} connections are still open after 90 s")
        seconds = time.monotonic() - started
        check(slowest < 5, f"another request took {slowest:.1f} s")
    closed = f"{_CONNECTIONS} connections, the last closed after {seconds:.0f} s"
    return f"{closed}; slowest other response: {slowest * 1_000:.0f} ms"


@contextmanager
def _open_partial(server: Server, context: ScenarioContext) -> Iterator[socket.socket]:
    with socket.create_connection((HOST, server.port), timeout=10) as connection:
        connection.sendall(context.rng.choice(_PARTIAL_REQUESTS))
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


@scenario("slow-request", "a request sent byte by byte times out", quick=True)
def slow_request(context: ScenarioContext) -> str:
    """Send an endless header, byte by byte."""
    with (
        context.serve() as server,
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
        check(seconds < 90, "the connection is still open after 90 s")
        server.check_alive()
    return f"closed after {seconds:.0f} s"


@scenario(
    "query-timeout",
    "a query that times out: 503 with Retry-After, cached responses still served",
    records=LARGE,
)
def query_timeout(context: ScenarioContext) -> str:
    """Run many queries with a timeout of 50 ms, and request a cached page in the meantime."""
    slow_targets = [f"/v1/search?q={letter}&limit=1000" for letter in "abcdefghijklmnopqrstuvwxyz"]
    slow_targets += [
        f"/v1/citations?facet=basis&facet=field&field=x{number}" for number in range(4)
    ]
    with context.serve(QUERY_SECONDS="0.05") as server:
        server.check_alive()
        with ThreadPoolExecutor(8) as pool:
            futures = [pool.submit(server.get, target) for target in slow_targets]
            slowest = 0.0
            while not all(future.done() for future in futures):
                started = time.monotonic()
                server.check_alive()
                slowest = max(slowest, time.monotonic() - started)
        responses = [future.result() for future in futures]
    timed_out = [response for response in responses if response.status == 503]
    check(bool(timed_out), "no query was interrupted")
    others = {response.status for response in responses} - {200, 503}
    check(not others, f"unexpected statuses {others}")
    for response in timed_out:
        check(response.header("retry-after").isdigit(), "503 without Retry-After")
        check(
            response.header("content-type") == "application/problem+json",
            "503 without a problem document",
        )
    check(slowest < 10, f"a cached response took {slowest:.1f} s")
    interrupted = f"{len(timed_out)} of {len(slow_targets)} queries interrupted"
    return f"{interrupted}; slowest cached response: {slowest * 1_000:.0f} ms"
