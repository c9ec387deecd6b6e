"""Load on a server: wrk, on a core of its own."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.tools import CLIENT_CORE, program

SCRIPT = Path(__file__).parent / "urls.lua"
CONNECTIONS = 16
_DATES = (9_999 - 2_031) * 336


class LoadError(Exception):
    """A load that measured something else than it should have."""


@dataclass(frozen=True, slots=True)
class Result:
    """What wrk saw.

    Attributes:
        requests: Answers received.
        rate: Answers a second.
        p50: Median latency in milliseconds.
        p99: 99th percentile of latency in milliseconds.
    """

    requests: int
    rate: float
    p50: float
    p99: float


@dataclass(slots=True)
class Load:
    """Requests to one server; where the template has a place, no address is sent twice.

    Attributes:
        base: Address of the server, without a path.
        template: Path and query; `{date}`, `{line}` and `{word}` change with every request.
        connections: Requests under way at once.
        headers: Request headers.
        lines: File of lines for `{line}` and `{word}`.
        spellings: For `{word}`, the fewest spellings in large and small letters of any line.
        sent: Addresses that may have been sent.
    """

    base: str
    template: str
    connections: int = CONNECTIONS
    headers: Mapping[str, str] = field(default_factory=dict)
    lines: Path | None = None
    spellings: int = 1
    sent: int = 0

    def command(self, seconds: float) -> list[str]:
        """The wrk command that goes on where the last one left off."""
        headers = [part for pair in self.headers.items() for part in ("-H", ": ".join(pair))]
        pinned = ["taskset", "-c", str(CLIENT_CORE), program("wrk")]
        bounds = [
            "-t1",
            f"-c{self.connections}",
            f"-d{max(round(seconds), 1)}s",
            "--timeout",
            "20s",
        ]
        script = ["-s", str(SCRIPT), self.base, "--", self.template, str(self.sent)]
        lines = [str(self.lines)] if self.lines is not None else []
        return [*pinned, *bounds, *headers, *script, *lines]

    def run(self, seconds: float) -> Result:
        """Send requests for some seconds.

        Raises:
            LoadError: A request failed, or addresses had to be sent twice.
        """
        done = subprocess.run(self.command(seconds), capture_output=True, text=True, check=False)
        return self.read(done.stdout, done.stderr)

    def read(self, output: str, errors: str) -> Result:
        """What a finished command measured.

        Raises:
            LoadError: A request failed, or addresses had to be sent twice.
        """
        told = next((one for one in output.splitlines() if one.startswith("RESULT ")), None)
        if told is None:
            raise LoadError(f"wrk on {self.base}{self.template}: {output}{errors}")
        requests, duration, p50, p99, failed = (int(part) for part in told.split()[1:])
        if failed or not requests:
            raise LoadError(f"{failed} of {requests} requests to {self.base}{self.template} failed")
        self.sent += requests + self.connections
        if self.sent > self._addresses():
            raise LoadError(f"{self.template} has no more addresses that were not sent")
        return Result(requests, requests / duration * 1e6, p50 / 1e3, p99 / 1e3)

    def _addresses(self) -> float:
        if "{date}" in self.template:
            return _DATES
        if "{word}" in self.template and self.lines is not None:
            return len(self.lines.read_text("utf-8").splitlines()) * self.spellings
        return float("inf")
