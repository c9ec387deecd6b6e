"""Mixed load for long, with upgrades of the record and killed workers: `make soak`.

The load is measured first and then kept at a part of what was reached. Server and clients have
cores of their own; so many addresses are new that the server's are what is full. Each body is
compared with what a server of the release it names gives in peace. A connection that breaks is an
error, unless a worker was killed just then; one that the server closes between two requests is
opened anew, as any client does (RFC 9112, 9.3.1).
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

import uvloop

from tests.torture.load import Client, Request, Unanswered
from tests.torture.processes import busy, children, descriptors, resident
from tests.torture.stage import NotHeld, Server, Stage, corpus, hold

_CODINGS = ("identity", "gzip", "br", "zstd")
_KEPT = (
    "/v1", "/v1/meta", "/v1/awards", "/v1/awards?include=recipient&facet=region",
    "/v1/awards/peru-ilo", "/v1/activities?limit=3", "/v1/regions?format=geojson",
    "/v1/citations", "/v1/citations?format=ndjson", "/v1/record", "/v1/search?q=lima",
    "/openapi.json", "/docs",
)  # fmt: skip
_REFUSED = {"/v1/awards/none": 404, "/v1/awards?limit=0": 422, "/nowhere": 404}
_COLD = "/v1/awards?announced__lte={}&include=recipient"
_RELEASES = 3
_CONNECTIONS = 24
_SETTLED = 15.0
"""Seconds after an upgrade from which every answer is of the new release."""
_GRACE = 3.0
"""Seconds after a kill in which a broken connection is that kill's."""


@dataclass(slots=True)
class Tally:
    """What was seen.

    Attributes:
        answers: Answers that were right, by kind.
        broken: Connections that broke just after a worker was killed.
        wrong: What was wrong, at most a few hundred.
        upgrades: Records that were put in place.
        restarts: Upgrades after which the workers were also replaced, one by one.
        kills: Workers that were killed.
        releases: Answers by release.
        slowest: Longest wait for an answer, in seconds.
        capacity: Answers a second that were reached without pause.
        rate: Answers a second under the load that was kept.
        busy: Part of the time that the server's cores were busy under it.
        killed_at: When a worker was killed last.
    """

    answers: Counter[str] = field(default_factory=Counter)
    broken: int = 0
    wrong: list[str] = field(default_factory=list)
    upgrades: int = 0
    restarts: int = 0
    kills: int = 0
    releases: Counter[str] = field(default_factory=Counter)
    slowest: float = 0.0
    capacity: float = 0.0
    rate: float = 0.0
    busy: float = 0.0
    killed_at: float = 0.0


class Soak:
    """A server under load, and what it must answer."""

    def __init__(self, stage: Stage, workers: int) -> None:
        self.stage, self.workers = stage, workers
        self.chance = stage.chance
        self.tally = Tally()
        self.seeds = [self._seed(number) for number in range(_RELEASES)]
        self.known: dict[tuple[str, str, str], str] = {}
        self.current = ""
        self.settled = 0.0
        self.place = stage.folder / "served"
        shutil.copytree(self.seeds[0].parent, self.place)

    def _seed(self, number: int) -> Path:
        """A record that differs from the shipped one by a word in a title."""
        folder = self.stage.folder / f"release-{number}"
        folder.mkdir()
        shutil.copy2(self.stage.corpus / "regions.geojson", folder)
        data = json.loads(self.stage.seed.read_text("utf-8"))
        data["awards"][0]["title"] += f", release {number}" if number else ""
        path = folder / "seed.json"
        path.write_text(json.dumps(data, ensure_ascii=False, indent=2), "utf-8")
        return path

    def learn(self) -> None:
        """Ask a server of each release, in peace, for all that will be asked for."""
        for seed in self.seeds:
            archive = seed.with_name("archive.sqlite")
            with self.stage.serving(seed, archive) as server:
                for target in _KEPT:
                    for coding in _CODINGS:
                        self._learn(server, target, coding)
                self._learn(server, _COLD.format(_date(0)), "identity")

    def _learn(self, server: Server, target: str, coding: str) -> None:
        reply = server.get(target, f"Accept-Encoding: {coding}")
        hold(reply.status == 200, f"{target}: {reply.status}")
        release = reply.header("x-data-release")
        self.known[release, target, coding] = sha256(_undated(target, reply.body)).hexdigest()

    def request(self) -> Request:
        """What to ask next: answers that are kept, others that nobody asked for, some refused."""
        lot = self.chance.random()
        if lot < 0.50:
            return Request(self.chance.choice(_KEPT), self.chance.choice(_CODINGS))
        if lot < 0.95:
            return Request(_COLD.format(_date(self.chance.randrange(600_000))), "identity")
        return Request(self.chance.choice(list(_REFUSED)), "identity")

    def judge(self, asked: Request, status: int, headers: dict[str, str], body: bytes) -> str:
        """The kind of a right answer; what is wrong goes to the tally."""
        release = headers.get("x-data-release", "")
        if asked.target in _REFUSED:
            right = status == _REFUSED[asked.target]
            right = right and json.loads(body)["status"] == status
            kind = "refused"
        else:
            cold = asked.target.startswith(_COLD.partition("{}")[0])
            target = _COLD.format(_date(0)) if cold else asked.target
            digest = sha256(_undated(asked.target, body)).hexdigest()
            right = self.known.get((release, target, asked.coding)) == digest and status == 200
            kind = "cold" if cold else "kept"
        if self.settled and time.monotonic() > self.settled and release != self.current:
            self.complain(f"{asked}: still of release {release[:12]}, not {self.current[:12]}")
        if not right:
            self.complain(f"{asked}: {status} {release[:12]} {body[:200]!r}")
        self.tally.answers[kind] += 1
        self.tally.releases[release[:12]] += 1
        return kind

    def complain(self, what: str) -> None:
        """Note what was wrong."""
        if len(self.tally.wrong) < 300:
            self.tally.wrong.append(what)

    async def client(self, port: int, until: float, pace: Pace) -> None:
        """One connection, asking in turn until the time is over."""
        client = Client(port)
        while time.monotonic() < until:
            await pace.turn()
            asked = self.request()
            started = time.monotonic()
            try:
                status, headers, body = await client.ask(asked)
            except Unanswered as error:
                self._broke(asked, error, started)
                continue
            self.tally.slowest = max(self.tally.slowest, time.monotonic() - started)
            self.judge(asked, status, headers, body)
        await client.close()

    def _broke(self, asked: Request, error: Unanswered, started: float) -> None:
        killed = self.tally.killed_at
        if killed and started - _GRACE < killed + _GRACE and time.monotonic() >= killed:
            self.tally.broken += 1
        else:
            self.complain(f"{asked}: {error}")

    async def upgrade(self, server: Server) -> None:
        """Put another record in its place and compile it; workers follow, or are replaced."""
        seed = self.seeds[(self.tally.upgrades + 1) % _RELEASES]
        self.settled = 0.0
        beside = self.place / "new.json"
        shutil.copy2(seed, beside)
        beside.replace(self.place / "seed.json")
        files = {"SEED_FILE": self.place / "seed.json", "ARCHIVE_FILE": self.place / "a.sqlite"}
        compiled = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "app", "build"),
            env={**os.environ, **{name: str(path) for name, path in files.items()}},
            stdout=subprocess.DEVNULL,
        )
        hold(await compiled.wait() == 0, "a record cannot be compiled")
        if self.chance.random() < 0.5:
            server.process.send_signal(signal.SIGHUP)
            self.tally.restarts += 1
        self.tally.upgrades += 1
        self.current = sha256(seed.read_bytes()).hexdigest()
        self.settled = time.monotonic() + _SETTLED

    def kill(self, server: Server) -> None:
        """Kill a worker, which the server replaces."""
        workers = children(server.process.pid)
        if len(workers) == self.workers:
            self.tally.killed_at = time.monotonic()
            os.kill(self.chance.choice(workers), signal.SIGKILL)
            self.tally.kills += 1


@dataclass(slots=True)
class Pace:
    """Gives turns at a steady rate; without a rate, at once."""

    rate: float = 0.0
    due: float = 0.0

    async def turn(self) -> None:
        """Wait for the next turn; turns that nobody could take in time are not made up for."""
        if not self.rate:
            return
        now = time.monotonic()
        self.due = max(self.due + 1 / self.rate, now - 1.0)
        if self.due > now:
            await asyncio.sleep(self.due - now)


async def _load(soak: Soak, server: Server, seconds: float, rate: float = 0.0) -> float:
    """Load a server and return its answers a second."""
    before, started = sum(soak.tally.answers.values()), time.monotonic()
    pace = Pace(rate)
    until = started + seconds
    await asyncio.gather(*(soak.client(server.port, until, pace) for _ in range(_CONNECTIONS)))
    return (sum(soak.tally.answers.values()) - before) / (time.monotonic() - started)


async def _disturb(soak: Soak, server: Server, seconds: float) -> None:
    """Upgrade the record and kill workers, in turn, until the time is nearly over."""
    until = time.monotonic() + seconds - 20
    while time.monotonic() < until:
        await asyncio.sleep(soak.chance.uniform(12, 22))
        if time.monotonic() < until:
            await soak.upgrade(server)
        await asyncio.sleep(soak.chance.uniform(12, 22))
        if time.monotonic() < until:
            soak.kill(server)


async def _watch(soak: Soak, server: Server, seconds: float, seen: list[tuple[int, int]]) -> None:
    """Note memory and descriptors of the workers, and tell how it goes, each minute."""
    until = time.monotonic() + seconds - 5
    while time.monotonic() < until:
        workers = children(server.process.pid)
        memory = max((resident(one) for one in workers), default=0)
        files = max((descriptors(one) for one in workers), default=0)
        seen.append((memory, files))
        answers, wrong = sum(soak.tally.answers.values()), len(soak.tally.wrong)
        sys.stderr.write(
            f"{answers} answers, {soak.tally.upgrades} upgrades, {soak.tally.kills} kills, "
            f"{soak.tally.broken} broken, {wrong} wrong; {memory / 2**20:.0f} MiB, {files} files\n"
        )
        await asyncio.sleep(min(60, max(until - time.monotonic(), 0.1)))


async def soaked(stage: Stage, minutes: float, part: float, workers: int) -> list[str]:
    """Do it all and tell what was seen, a line each.

    Raises:
        NotHeld: Something was wrong.
    """
    soak = Soak(stage, workers)
    tally = soak.tally
    soak.learn()
    place, seconds = soak.place, minutes * 60
    seen: list[tuple[int, int]] = []
    files = (place / "seed.json", place / "a.sqlite")
    server = stage.start(*files, WORKERS=str(workers))
    serving = _part_cores(server)
    try:
        hold(server.wait(), f"the server ended: {server.said()[-500:]}")
        await _load(soak, server, 5)
        tally.capacity = await _load(soak, server, min(15.0, seconds))
        before = busy(serving)
        tally.rate, _, _ = await asyncio.gather(
            _load(soak, server, seconds, tally.capacity * part),
            _disturb(soak, server, seconds),
            _watch(soak, server, seconds, seen),
        )
        tally.busy = (busy(serving) - before) / seconds
    except BaseException:
        server.process.kill()
        raise
    code = server.stop()
    return _told(soak, seen, code)


def _part_cores(server: Server) -> set[int]:
    """Give half of the cores to a server that starts, the rest to its clients; returns the half."""
    cores = sorted(os.sched_getaffinity(0))
    half = len(cores) // 2
    if not half:
        return set(cores)
    os.sched_setaffinity(server.process.pid, cores[:half])
    os.sched_setaffinity(0, cores[half:])
    return set(cores[:half])


def _told(soak: Soak, seen: Sequence[tuple[int, int]], code: int) -> list[str]:
    """What was seen, a line each.

    Raises:
        NotHeld: Something was wrong.
    """
    tally, (memory, files), (last_memory, last_files) = soak.tally, seen[0], seen[-1]
    lines = [
        f"Capacity of {soak.workers} workers: {tally.capacity:,.0f} answers a second.",
        f"Load that was kept: {tally.rate:,.0f} a second, {tally.rate / tally.capacity:.0%} of it.",
        f"The server's cores were busy {tally.busy:.0%} of that time.",
        f"Answers: {_counted(tally.answers)}; by release: {_counted(tally.releases)}.",
        f"Upgrades of the record: {tally.upgrades}, {tally.restarts} with all workers replaced.",
        f"Workers killed: {tally.kills}; connections that broke with them: {tally.broken}.",
        f"Other errors: {len(tally.wrong)}.",
        f"The slowest answer took {tally.slowest * 1_000:.0f} ms.",
        f"Largest worker, first and last: {memory / 2**20:.0f} and {last_memory / 2**20:.0f} MiB.",
        f"Most files of a worker, first and last: {files} and {last_files}.",
        f"Exit code of the server: {code}.",
        *tally.wrong[:20],
    ]
    if tally.wrong or code:
        raise NotHeld("\n".join(lines))
    return lines


def _counted(counter: Counter[str]) -> str:
    return ", ".join(f"{number:,} {name}" for name, number in sorted(counter.items()))


def _date(number: int) -> str:
    """A date after every award of the record, so that each gives the same awards."""
    return f"{2100 + number // 336}-{number // 28 % 12 + 1:02}-{number % 28 + 1:02}"


def _undated(target: str, body: bytes) -> bytes:
    """A body without the date that its own address has."""
    start = _COLD.partition("{}")[0]
    if not target.startswith(start):
        return body
    return body.replace(target[len(start) :].partition("&")[0].encode(), b"DATE")


def main() -> None:
    """Run what the command line asks for; exit with 1 where something was wrong."""
    parser = argparse.ArgumentParser(prog="python -m tests.torture.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=30, help="how long (30)")
    parser.add_argument("--part", type=float, default=0.8, help="part of the capacity (0.8)")
    parser.add_argument("--workers", type=int, default=2, help="processes that answer (2)")
    parser.add_argument("--seed", type=int, help="what chance begins with (told, else by chance)")
    asked = parser.parse_args()
    number = secrets.randbelow(10**9) if asked.seed is None else asked.seed
    sys.stdout.write(f"Seed {number}.\n")
    sys.stdout.flush()
    with tempfile.TemporaryDirectory(prefix="soak-") as folder:
        chance = random.Random(number)  # noqa: S311 - not for secrets
        stage = Stage(Path(folder), corpus("shipped"), "shipped", chance, quick=False)
        try:
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                lines = runner.run(soaked(stage, asked.minutes, asked.part, asked.workers))
        except NotHeld as error:
            sys.exit(f"NOT HELD\n{error}")
    sys.stdout.write("\n".join(lines) + "\nHeld.\n")


if __name__ == "__main__":
    main()
