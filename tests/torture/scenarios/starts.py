"""Startup: several servers at once, killed builds, changed seeds, restarts."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from multiprocessing import get_context
from multiprocessing.context import ForkProcess
from pathlib import Path

import app.archive.compiler  # noqa: F401 - so that a fork does not have to import it
from app.archive.archive import read_meta
from app.archive.release import build_if_stale
from tests.torture.context import CheckFailed, ScenarioContext, Server, check
from tests.torture.scenario import scenario


@scenario("parallel-start", "four servers on one empty folder: all start, same data", quick=True)
def parallel_start(context: ScenarioContext) -> str:
    """Start four servers at the same time without an archive."""
    rounds = context.rounds(20, 1, 1)
    expected = _expected_digests(context)
    for number in range(rounds):
        folder = context.folder / f"empty-{number}"
        folder.mkdir()
        servers = [context.start_server(context.seed, folder / "archive.sqlite") for _ in range(4)]
        try:
            for server in servers:
                ready = server.wait_until_ready()
                check(ready, f"round {number}: a server exited: {server.output()[-500:]}")
            for server in servers:
                check(context.page_digests(server) == expected, f"round {number}: different data")
        finally:
            _stop_all(servers)
        remaining = sorted(path.name for path in folder.iterdir())
        check(remaining == ["archive.sqlite"], f"round {number}: leftovers in {remaining}")
    return f"{rounds} of {rounds} rounds"


@scenario(
    "killed-build",
    "SIGKILL at random moments of the build: a complete archive or none, no leftovers",
)
def killed_build(context: ScenarioContext) -> str:
    """Kill the build at random moments. Afterwards there is a complete archive or none."""
    seconds = _build_seconds(context)
    max_kills, budget_seconds = context.rounds(100, 100, 5), 60 if context.large else 200
    archive = context.folder / "archive.sqlite"
    started, kills, complete = time.monotonic(), 0, 0
    while kills < max_kills and time.monotonic() - started < budget_seconds:
        process = _start_build(context, archive)
        time.sleep(context.rng.uniform(0, seconds * 1.1))
        process.kill()
        process.join()
        kills += 1
        if archive.exists():
            check(_is_complete(archive, context), f"kill {kills} left an incomplete archive")
            complete += 1
            archive.unlink()
    with context.serve(archive=archive) as server:
        digests = context.page_digests(server)
        check(digests == _expected_digests(context), "different data after the kills")
    remaining = sorted(path.name for path in context.folder.iterdir() if path.suffix != ".log")
    check(remaining == ["archive.sqlite"], f"leftovers in {remaining}")
    return f"{kills} kills during builds of {seconds:.1f} s, {complete} after completion"


@scenario("changed-seed", "a changed seed is detected, even with the same mtime", quick=True)
def changed_seed(context: ScenarioContext) -> str:
    """Change one letter, keep size and mtime, and start."""
    folder = context.copy_corpus()
    seed, archive = folder / "seed.json", folder / "archive.sqlite"
    before = seed.stat()
    text = seed.read_bytes()
    position = text.index(b'"title": "') if b'"title": "' in text else text.index(b'"title":"')
    position = text.index(b'"', text.index(b":", position)) + 1
    letter = b"Q" if text[position : position + 1] != b"Q" else b"X"
    seed.write_bytes(text[:position] + letter + text[position + 1 :])
    os.utime(seed, ns=(before.st_atime_ns, before.st_mtime_ns))
    with context.serve(seed, archive) as server:
        served = server.get("/v1/meta").header("x-data-release")
    check(served != _release(context), "the old release is served")
    return "one letter changed, size and mtime unchanged: the new release is served"


@scenario("deterministic", "same body and ETag across four workers and restarts", quick=True)
def deterministic(context: ScenarioContext) -> str:
    """Send the same requests to four workers repeatedly, also after restarts."""
    restarts = context.rounds(3, 2, 1)
    seen: dict[tuple[str, str], set[str]] = {}
    requests = 0
    for _ in range(restarts + 1):
        with context.serve(WORKERS="4", PYTHONHASHSEED="random") as server:
            for _ in range(context.rounds(12, 4, 4)):
                for coding in ("identity", "gzip", "br", "zstd"):
                    for target in ("/v1/record",) if not context.large else ():
                        _record_digest(server, target, coding, seen)
                    for target in ("/v1/awards?include=recipient&facet=region", "/v1/citations"):
                        _record_digest(server, target, coding, seen)
                        requests += 1
    different = [key for key, digests in seen.items() if len(digests) > 1]
    check(not different, f"different bodies or ETags: {different}")
    return f"{len(seen)} targets and codings, {restarts} restarts, {requests} responses: all same"


def _record_digest(
    server: Server, target: str, coding: str, seen: dict[tuple[str, str], set[str]]
) -> None:
    response = server.get(target, f"Accept-Encoding: {coding}")
    check(response.status == 200, f"{target}: {response.status}")
    seen.setdefault((target, coding), set()).add(f"{response.header('etag')} {hash(response.body)}")


@scenario("graceful-stop", "a graceful stop finishes in-flight responses, exit code 0", quick=True)
def graceful_stop(context: ScenarioContext) -> str:
    """Request a large page and stop the server after the first byte."""
    target = "/v1/awards?limit=1000" if context.large else "/v1/citations?limit=1000"
    rounds = context.rounds(10, 5, 2)
    for number in range(rounds):
        server = context.start_server(context.seed, context.corpus / "archive.sqlite")
        check(server.wait_until_ready(), "the server does not start")
        process = _start_slow_client(server.port, target)
        line = process.stdout.readline() if process.stdout else ""
        check(line == "started\n", f"the client printed {line!r}")
        server.process.send_signal(context.rng.choice([signal.SIGTERM, signal.SIGINT]))
        exit_code = server.process.wait(30)
        output = process.stdout.read() if process.stdout else ""
        process.wait(30)
        check(output.strip() == "200", f"round {number}: the client got {output!r}")
        check(exit_code == 0, f"round {number}: exit code {exit_code}: {server.output()[-300:]}")
    return f"{rounds} stops: responses finished, exit code 0"


_SLOW_CLIENT = """
import socket, sys
client = socket.socket()
client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
client.settimeout(30)
client.connect(("127.0.0.1", int(sys.argv[1])))
client.sendall(f"GET {sys.argv[2]} HTTP/1.1\\r\\nHost: record.test\\r\\n\\r\\n".encode())
received = client.recv(1)
print("started", flush=True)
while b"\\r\\n\\r\\n" not in received:
    received += client.recv(1_000)
head, _, body = received.partition(b"\\r\\n\\r\\n")
lines = head.lower().split(b"\\r\\n")
length = next(int(line[15:]) for line in lines if line.startswith(b"content-length:"))
while len(body) < length and (chunk := client.recv(1_000)):
    body += chunk
print(head.split()[1].decode() if len(body) == length else "truncated")
"""
"""A client with a small receive buffer that reports the first byte and then reads the rest."""


def _start_slow_client(port: int, target: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", _SLOW_CLIENT, str(port), target]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def _expected_digests(context: ScenarioContext) -> dict[str, str]:
    """Page digests of a server on the prepared archive."""
    with context.serve() as server:
        return context.page_digests(server)


def _release(context: ScenarioContext) -> str:
    release: str = read_meta(context.corpus / "archive.sqlite")["release"]
    return release


def _is_complete(archive: Path, context: ScenarioContext) -> bool:
    """Whether an archive has the size and metadata of the prepared archive."""
    meta, expected = read_meta(archive), read_meta(context.corpus / "archive.sqlite")
    same_size = archive.stat().st_size == (context.corpus / "archive.sqlite").stat().st_size
    keys = ("release", "counts", "compiler")
    return same_size and all(json.dumps(meta[key]) == json.dumps(expected[key]) for key in keys)


def _start_build(context: ScenarioContext, archive: Path) -> ForkProcess:
    """Start a build in a fork, which has all modules imported and so starts at once."""
    process = get_context("fork").Process(target=build_if_stale, args=(context.seed, archive))
    process.start()
    return process


def _build_seconds(context: ScenarioContext) -> float:
    """Duration of an undisturbed build, in seconds."""
    archive = context.folder / "first.sqlite"
    started = time.monotonic()
    process = _start_build(context, archive)
    process.join()
    check(process.exitcode == 0, "the build failed")
    seconds = time.monotonic() - started
    archive.unlink()
    return seconds


def _stop_all(servers: list[Server]) -> None:
    errors: list[CheckFailed] = []
    for server in servers:
        try:
            server.stop()
        except CheckFailed as error:
            errors.append(error)
    if errors:
        raise errors[0]
