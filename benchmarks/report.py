"""The Markdown report of a run."""

from __future__ import annotations

import platform
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from benchmarks.comparisons import COMPARISONS, Comparison
from benchmarks.measurements import Benchmark, Measurements


def report(benchmark: Benchmark, scenarios: Sequence[str]) -> str:
    """The report as Markdown, with the comparisons of the given scenarios."""
    measurements = benchmark.measurements
    comparisons = [comparison for comparison in COMPARISONS if comparison.scenario in scenarios]
    lines = [*_head(benchmark), *comparison_table(measurements, comparisons)]
    return "\n".join([*lines, *measured_values(measurements)]) + "\n"


def _head(benchmark: Benchmark) -> Iterator[str]:
    yield "# Results"
    yield ""
    yield "![Requests per second of each server, and latency by size of the corpus](results.svg)"
    yield ""
    yield (
        f"Written by `make bench`: {benchmark.rounds} rounds of {benchmark.seconds:g} s per load, "
        "interleaved. Ratios compare medians of this run; ranges are over its rounds. For the "
        "method, see the [README](README.md)."
    )
    yield ""
    yield machine()
    yield ""


def machine() -> str:
    """Processor, Python and system of this machine."""
    return f"{_processor()}; Python {platform.python_version()}; {platform.system()}."


def comparison_table(
    measurements: Measurements, comparisons: Iterable[Comparison]
) -> Iterator[str]:
    """A row for each comparison."""
    yield "| comparison | result | baseline | ratio | range | target | met |"
    yield "| --- | ---: | ---: | ---: | ---: | --- | --- |"
    for comparison in comparisons:
        yield f"| {' | '.join(_row(comparison, measurements))} |"
    yield ""


def _row(comparison: Comparison, measurements: Measurements) -> tuple[str, ...]:
    names = [name for name in (comparison.result, comparison.baseline) if name]
    target = "" if comparison.target is None else f"{comparison.bound} {comparison.target:,g}"
    if not all(measurements.values[name] for name in names):
        skipped = [key for key in (comparison.scenario, *names) if key in measurements.skipped]
        reasons = "; ".join(measurements.skipped[key] for key in skipped)
        return comparison.label, "", "", "not run", reasons, target, ""
    medians = [_with_unit(measurements, name) for name in names]
    ratio = measurements.median(names[0])
    ratio /= measurements.median(names[1]) if comparison.baseline else 1
    results = measurements.values[names[0]]
    baselines = measurements.values[names[1]] if comparison.baseline else [1.0] * len(results)
    ratios = [result / baseline for result, baseline in zip(results, baselines, strict=True)]
    spread = f"{_number(min(ratios))} to {_number(max(ratios))}"
    met = _met(comparison, ratio)
    return comparison.label, medians[0], "".join(medians[1:]), _number(ratio), spread, target, met


def _met(comparison: Comparison, ratio: float) -> str:
    target = comparison.target
    if target is None:
        return ""
    met = ratio >= target if comparison.bound == "at least" else ratio <= target
    return "yes" if met else "**no**"


def measured_values(measurements: Measurements) -> Iterator[str]:
    """A row for each measurement, what was not measured, and the checks."""
    yield "## Measurements"
    yield ""
    yield "| | median | lowest | highest | rounds |"
    yield "| --- | ---: | ---: | ---: | ---: |"
    for name, values in measurements.values.items():
        if values:
            extremes = f"{_number(min(values))} | {_number(max(values))}"
            yield f"| {name} | {_with_unit(measurements, name)} | {extremes} | {len(values)} |"
    yield ""
    for name, reason in measurements.skipped.items():
        yield f"- Not run: {name}: {reason}."
    yield "## Checks"
    yield ""
    for statement in measurements.checks:
        yield f"- {statement}"


def _with_unit(measurements: Measurements, name: str) -> str:
    unit = measurements.units[name]
    return f"{_number(measurements.median(name))}{'' if unit == '/s' else ' '}{unit}"


def _number(value: float) -> str:
    """Three significant digits, or the whole integer part if it is longer."""
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.{2 if value >= 1 else 3}f}"


def _processor() -> str:
    try:
        model = re.search(r"model name\s*:\s*(.+)", Path("/proc/cpuinfo").read_text("utf-8"))
    except OSError:
        model = None
    return model[1].strip() if model else platform.machine()
