"""Starting: several at once, killed, with another seed, again and again."""

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

import app.archive.compiler  # noqa: F401 - that a fork need not import it
from app.archive.archive import read_meta
from app.archive.release import build_if_stale
from tests.torture.scenario import scenario
from tests.torture.stage import NotHeld, Server, Stage, hold


@scenario("together", "four servers on one empty folder: all start, same data", quick=True)
def together(stage: Stage) -> str:
    """Start four at the same moment where nothing is compiled yet."""
    rounds = stage.rounds(20, 1, 1)
    expected = _expected(stage)
    for number in range(rounds):
        folder = stage.folder / f"empty-{number}"
        folder.mkdir()
        servers = [stage.start(stage.seed, folder / "archive.sqlite") for _ in range(4)]
        try:
            for server in servers:
                hold(server.wait(), f"round {number}: one ended: {server.said()[-500:]}")
            for server in servers:
                hold(stage.pages(server) == expected, f"round {number}: other data")
        finally:
            _end(servers)
        left = sorted(path.name for path in folder.iterdir())
        hold(left == ["archive.sqlite"], f"round {number}: left behind {left}")
    return f"{rounds} of {rounds} rounds"


@scenario("kills", "SIGKILL at random moments of the load: whole record or none, nothing left over")
def kills(stage: Stage) -> str:
    """Kill the compilation at random moments; what stands there is whole, or nothing."""
    seconds = _compiling(stage)
    most, budget = stage.rounds(100, 100, 5), 60 if stage.large else 200
    archive = stage.folder / "archive.sqlite"
    started, done, whole = time.monotonic(), 0, 0
    while done < most and time.monotonic() - started < budget:
        process = _compile(stage, archive)
        time.sleep(stage.chance.uniform(0, seconds * 1.1))
        process.kill()
        process.join()
        done += 1
        if archive.exists():
            hold(_is_whole(archive, stage), f"kill {done} left a part of the record")
            whole += 1
            archive.unlink()
    with stage.serving(archive=archive) as server:
        hold(stage.pages(server) == _expected(stage), "other data after the kills")
    left = sorted(path.name for path in stage.folder.iterdir() if path.suffix != ".log")
    hold(left == ["archive.sqlite"], f"left behind: {left}")
    return f"{done} kills within {seconds:.1f} s of work; {whole} came too late; then it starts"


@scenario("changed", "a changed seed is recognized, whatever its times say", quick=True)
def changed(stage: Stage) -> str:
    """Change one letter, keep length and times, and start."""
    folder = stage.copy()
    seed, archive = folder / "seed.json", folder / "archive.sqlite"
    before = seed.stat()
    text = seed.read_bytes()
    place = text.index(b'"title": "') if b'"title": "' in text else text.index(b'"title":"')
    place = text.index(b'"', text.index(b":", place)) + 1
    letter = b"Q" if text[place : place + 1] != b"Q" else b"X"
    seed.write_bytes(text[:place] + letter + text[place + 1 :])
    os.utime(seed, ns=(before.st_atime_ns, before.st_mtime_ns))
    with stage.serving(seed, archive) as server:
        served = server.get("/v1/meta").header("x-data-release")
    hold(served != _release(stage), "the old record is served")
    return "one letter changed, length and time kept: the new release is served"


@scenario("same", "one body and one tag over four workers and restarts", quick=True)
def same(stage: Stage) -> str:
    """Ask four workers, many times, and again after restarts."""
    restarts = stage.rounds(3, 2, 1)
    seen: dict[tuple[str, str], set[str]] = {}
    asked = 0
    for _ in range(restarts + 1):
        with stage.serving(WORKERS="4", PYTHONHASHSEED="random") as server:
            for _ in range(stage.rounds(12, 4, 4)):
                for coding in ("identity", "gzip", "br", "zstd"):
                    for target in ("/v1/record",) if not stage.large else ():
                        _note(server, target, coding, seen)
                    for target in ("/v1/awards?include=recipient&facet=region", "/v1/citations"):
                        _note(server, target, coding, seen)
                        asked += 1
    several = [key for key, digests in seen.items() if len(digests) > 1]
    hold(not several, f"several bodies or tags: {several}")
    return f"{len(seen)} addresses and codings, {restarts} restarts, {asked} answers: one each"


def _note(server: Server, target: str, coding: str, seen: dict[tuple[str, str], set[str]]) -> None:
    reply = server.get(target, f"Accept-Encoding: {coding}")
    hold(reply.status == 200, f"{target}: {reply.status}")
    seen.setdefault((target, coding), set()).add(f"{reply.header('etag')} {hash(reply.body)}")


@scenario("stop", "a graceful stop answers what is in flight and ends with 0", quick=True)
def stop(stage: Stage) -> str:
    """Ask for much and, once the answer has begun, tell it to stop."""
    target = "/v1/awards?limit=1000" if stage.large else "/v1/citations?limit=1000"
    rounds = stage.rounds(10, 5, 2)
    for number in range(rounds):
        server = stage.start(stage.seed, stage.corpus / "archive.sqlite")
        hold(server.wait(), "it does not start")
        process = _asking(server.port, target)
        line = process.stdout.readline() if process.stdout else ""
        hold(line == "begun\n", f"the client says {line!r}")
        server.process.send_signal(stage.chance.choice([signal.SIGTERM, signal.SIGINT]))
        code = server.process.wait(30)
        told = process.stdout.read() if process.stdout else ""
        process.wait(30)
        hold(told.strip() == "200", f"round {number}: in flight, and answered {told!r}")
        hold(code == 0, f"round {number}: exit code {code}: {server.said()[-300:]}")
    return f"{rounds} stops: answered, exit code 0"


_ASKING = """
import socket, sys
asked = socket.socket()
asked.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
asked.settimeout(30)
asked.connect(("127.0.0.1", int(sys.argv[1])))
asked.sendall(f"GET {sys.argv[2]} HTTP/1.1\\r\\nHost: record.test\\r\\n\\r\\n".encode())
received = asked.recv(1)
print("begun", flush=True)
while b"\\r\\n\\r\\n" not in received:
    received += asked.recv(1_000)
head, _, body = received.partition(b"\\r\\n\\r\\n")
lines = head.lower().split(b"\\r\\n")
length = next(int(line[15:]) for line in lines if line.startswith(b"content-length:"))
while len(body) < length and (piece := asked.recv(1_000)):
    body += piece
print(head.split()[1].decode() if len(body) == length else "cut short")
"""
"""A client with little room that reads the first byte of an answer, says so, and reads on."""


def _asking(port: int, target: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", _ASKING, str(port), target]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def _expected(stage: Stage) -> dict[str, str]:
    """What the pages are, by a server on the archive that was compiled in peace."""
    with stage.serving() as server:
        return stage.pages(server)


def _release(stage: Stage) -> str:
    release: str = read_meta(stage.corpus / "archive.sqlite")["release"]
    return release


def _is_whole(archive: Path, stage: Stage) -> bool:
    """Whether an archive is the record's, with every row that it should have."""
    told, known = read_meta(archive), read_meta(stage.corpus / "archive.sqlite")
    same_size = archive.stat().st_size == (stage.corpus / "archive.sqlite").stat().st_size
    keys = ("release", "counts", "compiler")
    return same_size and all(json.dumps(told[one]) == json.dumps(known[one]) for one in keys)


def _compile(stage: Stage, archive: Path) -> ForkProcess:
    """A process that compiles from its first moment on: a fork has everything imported."""
    process = get_context("fork").Process(target=build_if_stale, args=(stage.seed, archive))
    process.start()
    return process


def _compiling(stage: Stage) -> float:
    """How long it takes when nobody kills it."""
    archive = stage.folder / "first.sqlite"
    started = time.monotonic()
    process = _compile(stage, archive)
    process.join()
    hold(process.exitcode == 0, "it does not compile in peace")
    seconds = time.monotonic() - started
    archive.unlink()
    return seconds


def _end(servers: list[Server]) -> None:
    broken: list[NotHeld] = []
    for server in servers:
        try:
            server.stop()
        except NotHeld as error:
            broken.append(error)
    if broken:
        raise broken[0]
