"""Malformed HTTP/1.1 on raw sockets, by a grammar that is then broken: `make fuzz`.

Three equal rounds of the same requests. No answer is a 5xx, none fails to come, the next good
request is answered, and at the end the server holds no more files than at the beginning and hardly
more memory after the third round than after the first.
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

from tests.torture.processes import descriptors, resident
from tests.torture.stage import ROOT, NotHeld, Server, Stage, corpus, free_port, hold
from tests.torture.wire import exchange

ROUNDS = 3
MOST_GROWTH = 0.05
_PATIENCE = 30.0
_EVERY = 200
"""Requests between two good ones that must be answered."""
_METHODS = (  # without HEAD: where its answer ends, only who asked can tell
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
    b"/a b",
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
    b"application/xml", b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
)  # fmt: skip
_ENDS = (b"\r\n", b"\r\n", b"\r\n", b"\n", b"\r", b"\r\r\n", b"\r\n ", b"")
_BODIES = (b"", b"", b"", b"hello", b"5\r\nhello\r\n0\r\n\r\n", b"ffffffffffffffff\r\n", b"-1\r\n")


@dataclass(slots=True)
class Found:
    """What a run saw: answers by status, and memory and files after each round."""

    statuses: Counter[int] = field(default_factory=Counter)
    memory: list[int] = field(default_factory=list)
    files: list[int] = field(default_factory=list)
    requests: int = 0


def request(chance: random.Random) -> bytes:
    """A request by the grammar with a few parts that are not, and then perhaps broken bytes."""
    plain = chance.random() < 0.5
    line = b" ".join([
        b"GET" if plain else chance.choice(_METHODS),
        chance.choice(_PATHS),
        b"HTTP/1.1" if plain else chance.choice(_VERSIONS),
    ])  # fmt: skip
    lines = [line, b"Host: record.test"]
    for _ in range(chance.choice((0, 1, 2, 3, 5, 40))):
        between = chance.choice((b": ", b":") if plain else (b": ", b": ", b" : ", b"", b":\t"))
        name = chance.choice(_NAMES[:11] if plain else _NAMES)
        lines.append(name + between + chance.choice(_VALUES))
    end = b"\r\n" if plain else chance.choice(_ENDS)
    payload = end.join(lines) + end + end + chance.choice(_BODIES)
    for _ in range(chance.choice((0, 0, 0, 0, 0, 1, 1, 3))):
        payload = chance.choice(_BREAKS)(chance, payload)
    return payload


def _flip(chance: random.Random, payload: bytes) -> bytes:
    place = chance.randrange(len(payload) + 1)
    return payload[:place] + chance.randbytes(1) + payload[place + 1 :]


def _insert(chance: random.Random, payload: bytes) -> bytes:
    place = chance.randrange(len(payload) + 1)
    return payload[:place] + chance.randbytes(chance.randint(1, 20)) + payload[place:]


def _cut(chance: random.Random, payload: bytes) -> bytes:
    return payload[: chance.randrange(len(payload) + 1)]


def _repeat(chance: random.Random, payload: bytes) -> bytes:
    start = chance.randrange(len(payload) + 1)
    end = min(len(payload), start + chance.randint(1, 30))
    times = chance.choice((2, 3, 50, 2_000))
    return payload[:start] + payload[start:end] * times + payload[end:]


_BREAKS: tuple[Callable[[random.Random, bytes], bytes], ...] = (_flip, _insert, _cut, _repeat)


def fuzzed(server: Server, number: int, seconds: float) -> Found:
    """Send the same requests in three rounds, the first as long as a third of the time.

    Raises:
        NotHeld: Something did not hold.
    """
    found = Found()
    _send(server, number, found, until=time.monotonic() + min(10, seconds / 6))
    found = Found(files=[_idle(server)], memory=[resident(server.process.pid)])
    count = _send(server, number, found, until=time.monotonic() + seconds / ROUNDS)
    _note(server, found)
    for _ in range(ROUNDS - 1):
        _send(server, number, found, count=count)
        _note(server, found)
    hold(found.files[-1] <= found.files[0], f"files: {found.files}")
    growth = found.memory[-1] / found.memory[1] - 1
    hold(growth < MOST_GROWTH, f"memory grew by {growth:.1%}: {found.memory}")
    return found


def _send(server: Server, number: int, found: Found, *, until: float = 0.0, count: int = 0) -> int:
    """Send requests for a time or up to a count, and return how many they were."""
    chance, sent = random.Random(number), 0  # noqa: S311 - not for secrets
    while sent < count if count else time.monotonic() < until:
        _ask(server, request(chance), found)
        sent += 1
        if sent % _EVERY == 0:
            server.answers()
    found.requests += sent
    return sent


def _ask(server: Server, payload: bytes, found: Found) -> None:
    """Send a request and close this side, so that whoever waits for the rest learns of it."""
    try:
        replies = exchange(server.port, payload, _PATIENCE, over=True)
    except TimeoutError:
        raise NotHeld(f"no end to the answer to {payload[:500]!r}") from None
    for reply in replies:
        found.statuses[reply.status] += 1
        hold(reply.status >= 0, f"no HTTP: {reply.body[:200]!r} to {payload[:500]!r}")
        hold(reply.status < 500, f"{reply.status} to {payload[:500]!r}")
    if not replies:
        found.statuses[0] += 1


def _note(server: Server, found: Found) -> None:
    found.files.append(_idle(server))
    found.memory.append(resident(server.process.pid))


def _idle(server: Server) -> int:
    """Files of the server once its connections are closed."""
    server.answers()
    time.sleep(1.5)
    return descriptors(server.process.pid)


def _told(parser: str, found: Found) -> str:
    counted = ", ".join(f"{number:,} of {code or 'none'}" for code, number in sorted(
        found.statuses.items()))  # fmt: skip
    memory = ", ".join(f"{one / 2**20:.1f}" for one in found.memory)
    growth = found.memory[-1] / found.memory[1] - 1
    return (
        f"{parser}: {found.requests:,} requests in {ROUNDS} rounds; answers by status: {counted}; "
        f"memory before and after each round {memory} MiB ({growth:+.1%} from the first to the "
        f"last); files {', '.join(map(str, found.files))}."
    )


def _server(stage: Stage, parser: str) -> Server:
    """`cpc-record serve`, or uvicorn with its other parser, for whoever runs that."""
    archive = stage.folder / "archive.sqlite"
    archive.write_bytes((stage.corpus / "archive.sqlite").read_bytes())
    times = {"REQUEST_SECONDS": "3", "IDLE_SECONDS": "3"}
    if parser == "httptools":
        return stage.start(stage.seed, archive, **times)
    port = free_port()
    command = ["uvicorn", "app.main:app", "--http", parser, "--port", str(port)]
    command += ["--no-access-log", "--timeout-keep-alive", "3", "--log-level", "error"]
    server = stage.start(stage.seed, archive, sys.executable, "-m", *command)
    server.port = port
    return server


def main() -> None:
    """Run what the command line asks for; exit with 1 where something did not hold."""
    parser = argparse.ArgumentParser(prog="python -m tests.torture.fuzz", description=__doc__)
    parser.add_argument("--minutes", type=float, default=5, help="in all (5)")
    parser.add_argument("--seed", type=int, help="what chance begins with (told, else by chance)")
    parser.add_argument("--parser", action="append", choices=("httptools", "h11"))
    asked = parser.parse_args()
    parsers = asked.parser or ["httptools", "h11"]
    number = secrets.randbelow(10**9) if asked.seed is None else asked.seed
    sys.stdout.write(f"Seed {number}.\n")
    for name in parsers:
        with tempfile.TemporaryDirectory(prefix="fuzz-", dir=ROOT / ".venv") as folder:
            chance = random.Random(number)  # noqa: S311 - not for secrets
            stage = Stage(Path(folder), corpus("shipped"), "shipped", chance, quick=False)
            server = _server(stage, name)
            try:
                hold(server.wait(), f"the server ended: {server.said()[-500:]}")
                found = fuzzed(server, number, asked.minutes * 60 / len(parsers))
                server.stop()
            except NotHeld as error:
                server.process.kill()
                sys.exit(f"NOT HELD with {name}: {error}")
            sys.stdout.write(_told(name, found) + "\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
