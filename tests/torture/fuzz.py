"""Malformed HTTP/1.1 on raw sockets, generated from a grammar and then mutated: `make fuzz`.

The same requests are sent in three rounds. Checked: no response is a 5xx, none is missing, the next
valid request is handled, and at the end the server has no more open files than at the start and
hardly more memory after the third round than after the first.
"""

from __future__ import annotations

import argparse
import random
import secrets
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from tests.support.ports import free_port
from tests.torture.context import (
    ROOT,
    CheckFailed,
    ScenarioContext,
    Server,
    check,
    prepare_corpus,
)
from tests.torture.processes import open_file_count, resident_bytes
from tests.torture.raw_http import exchange

ROUNDS = 3
MAX_MEMORY_GROWTH = 0.05
_TIMEOUT_SECONDS = 30.0
_REQUESTS_PER_HEALTH_CHECK = 200
_METHODS = (  # no HEAD: the end of its response depends on the request
    b"GET",
    b"OPTIONS",
    b"POST",
    b"PUT",
    b"get",
    b"G\x00T",
    b"",
    b"GET GET",
    b"PRI",
)
_PATHS = (
    b"/v1/awards", b"/v1/search?q=lima", b"/", b"*", b"/v1/awards?limit=1", b"//x", b"/%00",
    b"/v1/record", b"http://record.test/v1", b"record.test:80", b"/\xff\xfe", b"?", b"#", b"/%zz",
    b"/v1/awards?cursor=AAAA", b"/v1/exports", b"/../../etc/passwd", b"/v1/awards?format=csv",
    b"/a b", b"/v1/citations?format=ndjson", b"/v1/awards?region=cusco,loreto",
)  # fmt: skip
_VERSIONS = (
    b"HTTP/1.1", b"HTTP/1.0", b"HTTP/0.9", b"HTTP/2", b"HTTP/1.1.1", b"http/1.1", b"HTTP/9999", b"",
    b"HTTP/-1.1", b"HTCPCP/1.0",
)  # fmt: skip
_NAMES = (
    b"Host", b"Accept", b"Accept-Encoding", b"If-None-Match", b"Range", b"If-Range", b"Connection",
    b"Content-Length", b"Transfer-Encoding", b"Expect", b"Upgrade", b"Origin", b"Cookie", b"TE",
    b"X-Forwarded-For", b"X-Request-Id", b"traceparent", b"", b"X Y", b"X\x00", b":", b"\xff",
)  # fmt: skip
_VALUES = (
    b"record.test", b"", b"*/*", b"gzip, br, zstd", b"gzip;q=nan", b"*;q=1e999", b'"x"', b"*",
    b"bytes=0-1", b"bytes=-1", b"bytes=9-1", b"bytes=0-1,3-4", b"keep-alive", b"close", b"upgrade",
    b"0", b"5", b"-1", b"99999999999999999999", b"chunked", b"chunked, chunked", b"identity",
    b"100-continue", b"websocket", b"a\rb", b"a\x00b", b"\xff\xfe", b"text/csv;q=0.5, */*;q=0.1",
    b"application/xml", b"text/html", b"bytes=9999999-",
    b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
)  # fmt: skip
_ENDS = (b"\r\n", b"\r\n", b"\r\n", b"\n", b"\r", b"\r\r\n", b"\r\n ", b"")
_BODIES = (b"", b"", b"", b"hello", b"5\r\nhello\r\n0\r\n\r\n", b"ffffffffffffffff\r\n", b"-1\r\n")


@dataclass(slots=True)
class FuzzResult:
    """Responses by status, and memory and open files after each round."""

    statuses: Counter[int] = field(default_factory=Counter)
    memory_bytes: list[int] = field(default_factory=list)
    open_files: list[int] = field(default_factory=list)
    requests: int = 0


def generate_request(rng: random.Random) -> bytes:
    """A request from the grammar, usually with some invalid parts and sometimes mutated bytes."""
    valid = rng.random() < 0.5
    line = b" ".join([
        b"GET" if valid else rng.choice(_METHODS),
        rng.choice(_PATHS),
        b"HTTP/1.1" if valid else rng.choice(_VERSIONS),
    ])  # fmt: skip
    lines = [line, b"Host: record.test"]
    for _ in range(rng.choice((0, 1, 2, 3, 5, 40))):
        separator = rng.choice((b": ", b":") if valid else (b": ", b": ", b" : ", b"", b":\t"))
        name = rng.choice(_NAMES[:11] if valid else _NAMES)
        lines.append(name + separator + rng.choice(_VALUES))
    end = b"\r\n" if valid else rng.choice(_ENDS)
    payload = end.join(lines) + end + end + rng.choice(_BODIES)
    for _ in range(rng.choice((0, 0, 0, 0, 0, 1, 1, 3))):
        payload = rng.choice(_MUTATIONS)(rng, payload)
    return payload


def _replace_byte(rng: random.Random, payload: bytes) -> bytes:
    position = rng.randrange(len(payload) + 1)
    return payload[:position] + rng.randbytes(1) + payload[position + 1 :]


def _insert(rng: random.Random, payload: bytes) -> bytes:
    position = rng.randrange(len(payload) + 1)
    return payload[:position] + rng.randbytes(rng.randint(1, 20)) + payload[position:]


def _cut(rng: random.Random, payload: bytes) -> bytes:
    return payload[: rng.randrange(len(payload) + 1)]


def _repeat(rng: random.Random, payload: bytes) -> bytes:
    start = rng.randrange(len(payload) + 1)
    end = min(len(payload), start + rng.randint(1, 30))
    times = rng.choice((2, 3, 50, 2_000))
    return payload[:start] + payload[start:end] * times + payload[end:]


_MUTATIONS: tuple[Callable[[random.Random, bytes], bytes], ...] = (
    _replace_byte,
    _insert,
    _cut,
    _repeat,
)


def run_rounds(server: Server, random_seed: int, seconds: float) -> FuzzResult:
    """Send the same requests in three rounds. The first round takes a third of the time.

    Raises:
        CheckFailed: A promise was broken.
    """
    result = FuzzResult()
    _send_requests(server, random_seed, result, until=time.monotonic() + min(10, seconds / 6))
    result = FuzzResult(
        open_files=[_open_files_when_idle(server)],
        memory_bytes=[resident_bytes(server.process.pid)],
    )
    count = _send_requests(server, random_seed, result, until=time.monotonic() + seconds / ROUNDS)
    _record_resources(server, result)
    for _ in range(ROUNDS - 1):
        _send_requests(server, random_seed, result, count=count)
        _record_resources(server, result)
    check(result.open_files[-1] <= result.open_files[0], f"open files: {result.open_files}")
    growth = result.memory_bytes[-1] / result.memory_bytes[1] - 1
    check(growth < MAX_MEMORY_GROWTH, f"memory grew by {growth:.1%}: {result.memory_bytes}")
    return result


def _send_requests(
    server: Server, random_seed: int, result: FuzzResult, *, until: float = 0.0, count: int = 0
) -> int:
    """Send requests until a time or up to a count, and return their number."""
    rng, sent = random.Random(random_seed), 0  # noqa: S311 - not for secrets
    while sent < count if count else time.monotonic() < until:
        _send_one(server, generate_request(rng), result)
        sent += 1
        if sent % _REQUESTS_PER_HEALTH_CHECK == 0:
            server.check_alive()
    result.requests += sent
    return sent


def _send_one(server: Server, payload: bytes, result: FuzzResult) -> None:
    """Send a request and half-close the connection, so that the server does not wait for more."""
    try:
        responses = exchange(server.port, payload, _TIMEOUT_SECONDS, half_close=True)
    except TimeoutError:
        raise CheckFailed(f"timeout after {payload[:500]!r}") from None
    for response in responses:
        result.statuses[response.status] += 1
        check(response.status >= 0, f"not HTTP: {response.body[:200]!r} after {payload[:500]!r}")
        check(response.status < 500, f"{response.status} after {payload[:500]!r}")
    if not responses:
        result.statuses[0] += 1


def _record_resources(server: Server, result: FuzzResult) -> None:
    result.open_files.append(_open_files_when_idle(server))
    result.memory_bytes.append(resident_bytes(server.process.pid))


def _open_files_when_idle(server: Server) -> int:
    """Number of open files after all connections are closed."""
    server.check_alive()
    time.sleep(1.5)
    return open_file_count(server.process.pid)


def _format_result(parser: str, result: FuzzResult) -> str:
    statuses = ", ".join(f"{code or 'none'}: {count:,}" for code, count in sorted(
        result.statuses.items()))  # fmt: skip
    memory = ", ".join(f"{size / 2**20:.1f}" for size in result.memory_bytes)
    growth = result.memory_bytes[-1] / result.memory_bytes[1] - 1
    return (
        f"{parser}: {result.requests:,} requests in {ROUNDS} rounds; responses by status: "
        f"{statuses}; memory before and after each round: {memory} MiB ({growth:+.1%} from the "
        f"first to the last); open files: {', '.join(map(str, result.open_files))}."
    )


def _start_server(context: ScenarioContext, parser: str) -> Server:
    """`cpc-record serve`, or uvicorn with its other HTTP parser."""
    archive = context.folder / "archive.sqlite"
    archive.write_bytes((context.corpus / "archive.sqlite").read_bytes())
    timeouts = {"REQUEST_SECONDS": "3", "IDLE_SECONDS": "3"}
    if parser == "httptools":
        return context.start_server(context.seed, archive, **timeouts)
    port = free_port()
    command = ["uvicorn", "app.main:app", "--http", parser, "--port", str(port)]
    command += ["--no-access-log", "--timeout-keep-alive", "3", "--log-level", "error"]
    server = context.start_server(context.seed, archive, sys.executable, "-m", *command)
    server.port = port
    return server


def main() -> None:
    """Fuzz the selected parsers. The exit code is 1 if a promise was broken."""
    parser = argparse.ArgumentParser(prog="python -m tests.torture.fuzz", description=__doc__)
    parser.add_argument("--minutes", type=float, default=5, help="total duration in minutes (5)")
    parser.add_argument("--seed", type=int, help="random seed (printed; default: random)")
    parser.add_argument("--parser", action="append", choices=("httptools", "h11"))
    arguments = parser.parse_args()
    parsers = arguments.parser or ["httptools", "h11"]
    random_seed = secrets.randbelow(10**9) if arguments.seed is None else arguments.seed
    sys.stdout.write(f"Random seed {random_seed}.\n")
    for name in parsers:
        with tempfile.TemporaryDirectory(prefix="fuzz-", dir=ROOT / ".venv") as folder:
            rng = random.Random(random_seed)  # noqa: S311 - not for secrets
            corpus = prepare_corpus("shipped")
            context = ScenarioContext(Path(folder), corpus, "shipped", rng, quick=False)
            server = _start_server(context, name)
            try:
                check(server.wait_until_ready(), f"the server exited: {server.output()[-500:]}")
                result = run_rounds(server, random_seed, arguments.minutes * 60 / len(parsers))
                server.stop()
            except CheckFailed as error:
                server.process.kill()
                sys.exit(f"FAILED with {name}: {error}")
            sys.stdout.write(_format_result(name, result) + "\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
