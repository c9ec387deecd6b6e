"""Measured values by name, and the parameters of a benchmark run."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from benchmarks.load import Load, Result


@dataclass(slots=True)
class Measurements:
    """Values of every round by name.

    Attributes:
        values: One value per round, in the order measured.
        units: The unit of each name's values.
        checks: Statements that were verified during the run.
        skipped: Reasons by scenario or name, for what was not measured.
    """

    values: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    units: dict[str, str] = field(default_factory=dict)
    checks: list[str] = field(default_factory=list)
    skipped: dict[str, str] = field(default_factory=dict)

    def add(self, name: str, value: float, unit: str) -> None:
        """Add the value of one round."""
        self.values[name].append(value)
        self.units[name] = unit

    def median(self, name: str) -> float:
        """The median over all rounds."""
        return median(self.values[name])

    def check(self, condition: bool, statement: str) -> None:
        """Add a verified statement to the report; a failed check makes the run invalid.

        Raises:
            AssertionError: The condition is false.
        """
        if not condition:
            raise AssertionError(f"check failed: {statement}")
        if statement not in self.checks:
            self.checks.append(statement)


@dataclass(frozen=True, slots=True)
class Benchmark:
    """Parameters of a run, and its measurements so far.

    Attributes:
        seconds: Duration of each load run.
        rounds: Number of rounds per load.
        shipped: Directory of the shipped record.
        small: Directory of a corpus of 500 resources.
        large: Directory of a corpus of 100,000 resources.
        measurements: The measured values.
    """

    seconds: float
    rounds: int
    shipped: Path
    small: Path
    large: Path
    measurements: Measurements = field(default_factory=Measurements)

    def run_interleaved(self, loads: Mapping[str, Load], *, latency: bool = False) -> None:
        """Run all loads in each round, after one unmeasured warm-up round.

        Interleaving spreads external slowdowns over all loads. The median latency is added to
        the measurements if `latency` is true, the request rate otherwise.
        """
        for load in loads.values():
            load.run(1)
        for _ in range(self.rounds):
            for name, load in loads.items():
                self._add(name, load.run(self.seconds), latency=latency)

    def _add(self, name: str, result: Result, *, latency: bool) -> None:
        if latency:
            self.measurements.add(name, result.p50, "ms")
        else:
            self.measurements.add(name, result.rate, "/s")
