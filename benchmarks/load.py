"""Load generation: wrk on a core of its own."""

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
    """A load run whose result is not valid."""


@dataclass(frozen=True, slots=True)
class Result:
    """The result of one wrk run.

    Attributes:
        requests: Completed requests.
        rate: Requests per second.
        p50: Median latency in milliseconds.
        p99: 99th percentile of latency in milliseconds.
    """

    requests: int
    rate: float
    p50: float
    p99: float


@dataclass(slots=True)
class Load:
    """Requests to one server. A template with a placeholder never produces a URL twice.

    Attributes:
        base_url: Scheme, host and port of the server.
        template: Path and query; `{date}`, `{line}` and `{word}` change with every request.
        connections: Concurrent connections.
        headers: Request headers.
        lines: File with the values of `{line}` and `{word}`.
        spellings: For `{word}`, the smallest number of upper- and lowercase spellings of any line.
        sent: Upper bound of the URLs sent so far.
    """

    base_url: str
    template: str
    connections: int = CONNECTIONS
    headers: Mapping[str, str] = field(default_factory=dict)
    lines: Path | None = None
    spellings: int = 1
    sent: int = 0

    def command(self, seconds: float) -> list[str]:
        """The wrk command line, which continues with the URLs after those already sent."""
        headers = [part for header in self.headers.items() for part in ("-H", ": ".join(header))]
        wrk = ["taskset", "-c", str(CLIENT_CORE), program("wrk")]
        options = [
            "-t1",
            f"-c{self.connections}",
            f"-d{max(round(seconds), 1)}s",
            "--timeout",
            "20s",
        ]
        script = ["-s", str(SCRIPT), self.base_url, "--", self.template, str(self.sent)]
        lines = [str(self.lines)] if self.lines is not None else []
        return [*wrk, *options, *headers, *script, *lines]

    def run(self, seconds: float) -> Result:
        """Send requests for `seconds` and return the result.

        Raises:
            LoadError: A request failed, or the template ran out of distinct URLs.
        """
        done = subprocess.run(self.command(seconds), capture_output=True, text=True, check=False)
        return self.parse(done.stdout, done.stderr)

    def parse(self, output: str, errors: str) -> Result:
        """The result in the output of a finished wrk command.

        Raises:
            LoadError: A request failed, or the template ran out of distinct URLs.
        """
        lines = (line for line in output.splitlines() if line.startswith("RESULT "))
        summary = next(lines, None)
        if summary is None:
            raise LoadError(f"wrk on {self.base_url}{self.template}: {output}{errors}")
        requests, duration, p50, p99, failed = (int(part) for part in summary.split()[1:])
        if failed or not requests:
            raise LoadError(
                f"{failed} of {requests} requests to {self.base_url}{self.template} failed"
            )
        self.sent += requests + self.connections
        if self.sent > self._distinct_urls():
            raise LoadError(f"{self.template} ran out of distinct URLs")
        return Result(requests, requests / duration * 1e6, p50 / 1e3, p99 / 1e3)

    def _distinct_urls(self) -> float:
        if "{date}" in self.template:
            return _DATES
        if "{word}" in self.template and self.lines is not None:
            return len(self.lines.read_text("utf-8").splitlines()) * self.spellings
        return float("inf")
