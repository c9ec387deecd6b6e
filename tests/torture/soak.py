"""Long mixed load with release changes and killed workers: `make soak`.

The capacity is measured first; the load is then a fixed part of it. Server and clients use separate
cores, and so many requests are uncached that the server's cores are the bottleneck. Each body is
compared with the response of an undisturbed server of the same release. A broken connection is an
error unless a worker was just killed. A connection that the server closes between two requests is
reopened, as by any HTTP client (RFC 9112, 9.3.1).
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

import rfc8785
import uvloop

from tests.torture.context import CheckFailed, ScenarioContext, Server, check, prepare_corpus
from tests.torture.load import Client, Request, RequestFailed
from tests.torture.processes import busy_seconds, open_file_count, resident_bytes, worker_pids

_CODINGS = ("identity", "gzip", "br", "zstd")
_CACHED_TARGETS = (
    "/v1", "/v1/meta", "/v1/awards", "/v1/awards?include=recipient&facet=region",
    "/v1/awards/peru-ilo", "/v1/activities?limit=3", "/v1/regions?format=geojson",
    "/v1/citations", "/v1/citations?format=ndjson", "/v1/record", "/v1/search?q=lima",
    "/openapi.json", "/docs",
)  # fmt: skip
_ERROR_TARGETS = {"/v1/awards/none": 404, "/v1/awards?limit=0": 422, "/nowhere": 404}
_UNCACHED_TARGET = "/v1/awards?announced__lte={}&include=recipient"
_RELEASES = 3
_CONNECTIONS = 24
_RELEASE_CHANGE_SECONDS = 15.0
"""This long after a release change, every response must be of the new release."""
_KILL_GRACE_SECONDS = 3.0
"""For this long after a kill, broken connections are attributed to it."""
_MAX_ERRORS = 300
"""Errors beyond this number are not stored."""


@dataclass(slots=True)
class SoakStatistics:
    """Results of a run.

    Attributes:
        responses: Number of responses by kind.
        broken_connections: Connections broken just after a worker was killed.
        errors: Messages of other errors, at most `_MAX_ERRORS`.
        release_changes: Number of changes to another release.
        restarts: Release changes after which the workers were also restarted, one by one.
        kills: Number of killed workers.
        releases: Number of responses by release.
        slowest_seconds: Longest response time.
        capacity: Responses per second at full load.
        rate: Responses per second during the soak.
        busy: Share of the time that the server's cores were busy during the soak.
        killed_at: When a worker was last killed, on the monotonic clock.
    """

    responses: Counter[str] = field(default_factory=Counter)
    broken_connections: int = 0
    errors: list[str] = field(default_factory=list)
    release_changes: int = 0
    restarts: int = 0
    kills: int = 0
    releases: Counter[str] = field(default_factory=Counter)
    slowest_seconds: float = 0.0
    capacity: float = 0.0
    rate: float = 0.0
    busy: float = 0.0
    killed_at: float = 0.0


class Soak:
    """A soak test: the server's data, the expected responses and the statistics."""

    def __init__(self, context: ScenarioContext, workers: int) -> None:
        self.context, self.workers = context, workers
        self.rng = context.rng
        self.statistics = SoakStatistics()
        self.seeds = [self._write_seed(number) for number in range(_RELEASES)]
        self.expected_digests: dict[tuple[str, str, str], str] = {}
        self.current_release = ""
        self.release_deadline = 0.0
        self.served_folder = context.folder / "served"
        shutil.copytree(self.seeds[0].parent, self.served_folder)

    def _write_seed(self, number: int) -> Path:
        """Write a seed that differs from the shipped one in a title."""
        folder = self.context.folder / f"release-{number}"
        folder.mkdir()
        shutil.copy2(self.context.corpus / "regions.geojson", folder)
        data = json.loads(self.context.seed.read_text("utf-8"))
        data["awards"][0]["title"] += f", release {number}" if number else ""
        path = folder / "seed.json"
        path.write_text(json.dumps(data, ensure_ascii=False, indent=2), "utf-8")
        return path

    def record_expected(self) -> None:
        """Record the responses of an undisturbed server of each release."""
        for seed in self.seeds:
            archive = seed.with_name("archive.sqlite")
            with self.context.serve(seed, archive) as server:
                for target in _CACHED_TARGETS:
                    for coding in _CODINGS:
                        self._record_response(server, target, coding)
                self._record_response(server, _UNCACHED_TARGET.format(_unused_date(0)), "identity")

    def _record_response(self, server: Server, target: str, coding: str) -> None:
        response = server.get(target, f"Accept-Encoding: {coding}")
        check(response.status == 200, f"{target}: {response.status}")
        release = response.header("x-data-release")
        self.expected_digests[release, target, coding] = sha256(
            _without_date(target, response.body)
        ).hexdigest()

    def next_request(self) -> Request:
        """A random request: 50% cached, 45% uncached, 5% invalid."""
        draw = self.rng.random()
        if draw < 0.50:
            return Request(self.rng.choice(_CACHED_TARGETS), self.rng.choice(_CODINGS))
        if draw < 0.95:
            date = _unused_date(self.rng.randrange(600_000))
            return Request(_UNCACHED_TARGET.format(date), "identity")
        return Request(self.rng.choice(list(_ERROR_TARGETS)), "identity")

    def check_response(
        self, request: Request, status: int, headers: dict[str, str], body: bytes
    ) -> None:
        """Compare a response with the expected one and update the statistics."""
        release = headers.get("x-data-release", "")
        if request.target in _ERROR_TARGETS:
            is_expected = status == _ERROR_TARGETS[request.target]
            is_expected = is_expected and json.loads(body)["status"] == status
            kind = "invalid"
        else:
            is_uncached = request.target.startswith(_UNCACHED_TARGET.partition("{}")[0])
            target = _UNCACHED_TARGET.format(_unused_date(0)) if is_uncached else request.target
            digest = sha256(_without_date(request.target, body)).hexdigest()
            expected = self.expected_digests.get((release, target, request.coding))
            is_expected = expected == digest and status == 200
            kind = "uncached" if is_uncached else "cached"
        late = bool(self.release_deadline) and time.monotonic() > self.release_deadline
        if late and release != self.current_release:
            self.add_error(
                f"{request}: still release {release[:12]}, not {self.current_release[:12]}"
            )
        if not is_expected:
            self.add_error(f"{request}: {status} {release[:12]} {body[:200]!r}")
        self.statistics.responses[kind] += 1
        self.statistics.releases[release[:12]] += 1

    def add_error(self, message: str) -> None:
        """Add an error to the statistics."""
        if len(self.statistics.errors) < _MAX_ERRORS:
            self.statistics.errors.append(message)

    async def run_client(self, port: int, until: float, limiter: RateLimiter) -> None:
        """Send requests on one connection, one after the other, until a time."""
        client = Client(port)
        while time.monotonic() < until:
            await limiter.wait()
            request = self.next_request()
            started = time.monotonic()
            try:
                status, headers, body = await client.get(request)
            except RequestFailed as error:
                self._handle_failure(request, error, started)
                continue
            seconds = time.monotonic() - started
            self.statistics.slowest_seconds = max(self.statistics.slowest_seconds, seconds)
            self.check_response(request, status, headers, body)
        await client.close()

    def _handle_failure(self, request: Request, error: RequestFailed, started: float) -> None:
        killed_at = self.statistics.killed_at
        is_recent = started - _KILL_GRACE_SECONDS < killed_at + _KILL_GRACE_SECONDS
        if killed_at and is_recent and time.monotonic() >= killed_at:
            self.statistics.broken_connections += 1
        else:
            self.add_error(f"{request}: {error}")

    async def change_release(self, server: Server) -> None:
        """Replace the seed and compile it. Workers reload it or are restarted, at random."""
        seed = self.seeds[(self.statistics.release_changes + 1) % _RELEASES]
        self.release_deadline = 0.0
        folder = self.served_folder
        temporary = folder / "new.json"
        shutil.copy2(seed, temporary)
        temporary.replace(folder / "seed.json")
        files = {"SEED_FILE": folder / "seed.json", "ARCHIVE_FILE": folder / "a.sqlite"}
        build = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "app", "build"),
            env={**os.environ, **{name: str(path) for name, path in files.items()}},
            stdout=subprocess.DEVNULL,
        )
        check(await build.wait() == 0, "the record cannot be compiled")
        if self.rng.random() < 0.5:
            server.process.send_signal(signal.SIGHUP)
            self.statistics.restarts += 1
        self.statistics.release_changes += 1
        self.current_release = sha256(rfc8785.dumps(json.loads(seed.read_bytes()))).hexdigest()
        self.release_deadline = time.monotonic() + _RELEASE_CHANGE_SECONDS

    def kill_worker(self, server: Server) -> None:
        """Kill a worker, if all are running. The server starts a new one."""
        workers = worker_pids(server.process.pid)
        if len(workers) == self.workers:
            self.statistics.killed_at = time.monotonic()
            os.kill(self.rng.choice(workers), signal.SIGKILL)
            self.statistics.kills += 1


@dataclass(slots=True)
class RateLimiter:
    """Limits requests to a constant rate per second. A rate of 0 means no limit."""

    rate: float = 0.0
    next_due: float = 0.0

    async def wait(self) -> None:
        """Wait until the next request is due. Delays beyond a second are not made up for."""
        if not self.rate:
            return
        now = time.monotonic()
        self.next_due = max(self.next_due + 1 / self.rate, now - 1.0)
        if self.next_due > now:
            await asyncio.sleep(self.next_due - now)


async def _load(soak: Soak, server: Server, seconds: float, rate: float = 0.0) -> float:
    """Load a server and return its responses per second."""
    before, started = sum(soak.statistics.responses.values()), time.monotonic()
    limiter = RateLimiter(rate)
    until = started + seconds
    clients = (soak.run_client(server.port, until, limiter) for _ in range(_CONNECTIONS))
    await asyncio.gather(*clients)
    return (sum(soak.statistics.responses.values()) - before) / (time.monotonic() - started)


async def _disturb(soak: Soak, server: Server, seconds: float) -> None:
    """Alternately change the release and kill a worker, until 20 s before the end."""
    until = time.monotonic() + seconds - 20
    while time.monotonic() < until:
        await asyncio.sleep(soak.rng.uniform(12, 22))
        if time.monotonic() < until:
            await soak.change_release(server)
        await asyncio.sleep(soak.rng.uniform(12, 22))
        if time.monotonic() < until:
            soak.kill_worker(server)


async def _monitor(
    soak: Soak, server: Server, seconds: float, samples: list[tuple[int, int]]
) -> None:
    """Sample the memory and open files of the workers and print progress, every minute."""
    until = time.monotonic() + seconds - 5
    while time.monotonic() < until:
        workers = worker_pids(server.process.pid)
        memory = max((resident_bytes(pid) for pid in workers), default=0)
        files = max((open_file_count(pid) for pid in workers), default=0)
        samples.append((memory, files))
        statistics = soak.statistics
        sys.stderr.write(
            f"{sum(statistics.responses.values())} responses, "
            f"{statistics.release_changes} release changes, {statistics.kills} kills, "
            f"{statistics.broken_connections} broken connections, "
            f"{len(statistics.errors)} errors; {memory / 2**20:.0f} MiB, {files} open files\n"
        )
        await asyncio.sleep(min(60, max(until - time.monotonic(), 0.1)))


async def run_soak(
    context: ScenarioContext, minutes: float, part: float, workers: int
) -> list[str]:
    """Run the soak test and return its report, line by line.

    Raises:
        CheckFailed: There were errors.
    """
    soak = Soak(context, workers)
    statistics = soak.statistics
    soak.record_expected()
    seconds = minutes * 60
    samples: list[tuple[int, int]] = []
    files = (soak.served_folder / "seed.json", soak.served_folder / "a.sqlite")
    server = context.start_server(*files, WORKERS=str(workers))
    server_cores = _split_cores(server)
    try:
        check(server.wait_until_ready(), f"the server exited: {server.output()[-500:]}")
        await _load(soak, server, 5)
        statistics.capacity = await _load(soak, server, min(15.0, seconds))
        before = busy_seconds(server_cores)
        statistics.rate, _, _ = await asyncio.gather(
            _load(soak, server, seconds, statistics.capacity * part),
            _disturb(soak, server, seconds),
            _monitor(soak, server, seconds, samples),
        )
        statistics.busy = (busy_seconds(server_cores) - before) / seconds
    except BaseException:
        server.process.kill()
        raise
    exit_code = server.stop()
    return _report(soak, samples, exit_code)


def _split_cores(server: Server) -> set[int]:
    """Pin the server to half of the cores, the clients to the rest. Returns the server's cores."""
    cores = sorted(os.sched_getaffinity(0))
    half = len(cores) // 2
    if not half:
        return set(cores)
    os.sched_setaffinity(server.process.pid, cores[:half])
    os.sched_setaffinity(0, cores[half:])
    return set(cores[:half])


def _report(soak: Soak, samples: Sequence[tuple[int, int]], exit_code: int) -> list[str]:
    """The report, line by line.

    Raises:
        CheckFailed: There were errors, or the exit code is not 0.
    """
    statistics = soak.statistics
    (memory, files), (last_memory, last_files) = samples[0], samples[-1]
    lines = [
        f"Capacity of {soak.workers} workers: {statistics.capacity:,.0f} responses/s.",
        f"Load: {statistics.rate:,.0f}/s, {statistics.rate / statistics.capacity:.0%} of capacity.",
        f"Server cores busy: {statistics.busy:.0%}.",
        f"Responses: {_format_counts(statistics.responses)}.",
        f"Responses by release: {_format_counts(statistics.releases)}.",
        f"Release changes: {statistics.release_changes}.",
        f"Restarts of all workers: {statistics.restarts}.",
        f"Workers killed: {statistics.kills}.",
        f"Connections broken by that: {statistics.broken_connections}.",
        f"Other errors: {len(statistics.errors)}.",
        f"Slowest response: {statistics.slowest_seconds * 1_000:.0f} ms.",
        f"Largest worker, first and last: {memory / 2**20:.0f} and {last_memory / 2**20:.0f} MiB.",
        f"Most open files of a worker, first and last: {files} and {last_files}.",
        f"Exit code of the server: {exit_code}.",
        *statistics.errors[:20],
    ]
    if statistics.errors or exit_code:
        raise CheckFailed("\n".join(lines))
    return lines


def _format_counts(counter: Counter[str]) -> str:
    return ", ".join(f"{count:,} {name}" for name, count in sorted(counter.items()))


def _unused_date(number: int) -> str:
    """A date after all awards, so that every date selects the same awards."""
    return f"{2100 + number // 336}-{number // 28 % 12 + 1:02}-{number % 28 + 1:02}"


def _without_date(target: str, body: bytes) -> bytes:
    """The body with the date of its own URL masked."""
    start = _UNCACHED_TARGET.partition("{}")[0]
    if not target.startswith(start):
        return body
    return body.replace(target[len(start) :].partition("&")[0].encode(), b"DATE")


def main() -> None:
    """Run the soak test. The exit code is 1 if there were errors."""
    parser = argparse.ArgumentParser(prog="python -m tests.torture.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=30, help="duration in minutes (30)")
    parser.add_argument(
        "--part", type=float, default=0.8, help="load as a share of the capacity (0.8)"
    )
    parser.add_argument("--workers", type=int, default=2, help="worker processes (2)")
    parser.add_argument("--seed", type=int, help="random seed (printed; default: random)")
    arguments = parser.parse_args()
    random_seed = secrets.randbelow(10**9) if arguments.seed is None else arguments.seed
    sys.stdout.write(f"Random seed {random_seed}.\n")
    sys.stdout.flush()
    with tempfile.TemporaryDirectory(prefix="soak-") as folder:
        rng = random.Random(random_seed)  # noqa: S311 - not for secrets
        context = ScenarioContext(
            Path(folder), prepare_corpus("shipped"), "shipped", rng, quick=False
        )
        try:
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                lines = runner.run(
                    run_soak(context, arguments.minutes, arguments.part, arguments.workers)
                )
        except CheckFailed as error:
            sys.exit(f"FAILED\n{error}")
    sys.stdout.write("\n".join(lines) + "\nPassed.\n")


if __name__ == "__main__":
    main()
