"""Run the benchmarks, print the report and write it to RESULTS.md: `python -m benchmarks`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks import corpora, large_corpus, tools
from benchmarks.measurements import Benchmark
from benchmarks.picture import picture
from benchmarks.report import report
from benchmarks.scenarios import (
    cached,
    compile,  # noqa: A004
    compression,
    contention,
    earlier_version,
    mirror,
    scale,
    search,
    startup,
    uncached,
)

RESULTS = Path(__file__).parent / "RESULTS.md"
PICTURE = RESULTS.with_name("results.svg")
CORPUS_RESULTS = RESULTS.with_name("CORPUS.md")
SCENARIOS = {
    "cached": cached.measure,
    "earlier version": earlier_version.measure,
    "uncached": uncached.measure,
    "scale": scale.measure,
    "search": search.measure,
    "contention": contention.measure,
    "compile": compile.measure,
    "startup": startup.measure,
    "compression": compression.measure,
    "mirror": mirror.measure,
}


def main() -> None:
    """Run the scenarios selected on the command line; all of them by default."""
    arguments = _arguments()
    names = arguments.only or list(SCENARIOS)
    try:
        tools.pin_clients()
        tools.install()
    except tools.UnavailableError as error:
        sys.exit(f"Cannot run the benchmarks: {error}.")
    if arguments.corpus:
        _measure_corpus(arguments)
        return
    _log("preparing the corpora")
    benchmark = Benchmark(
        arguments.seconds,
        arguments.rounds,
        corpora.shipped(),
        corpora.generated(500),
        corpora.generated(100_000),
    )
    failed = _measure(benchmark, names)
    page = report(benchmark, names)
    sys.stdout.write(page)
    if failed:
        sys.exit(f"These scenarios failed: {', '.join(failed)}. RESULTS.md is not written.")
    if arguments.only is None:
        RESULTS.write_text(page, "utf-8")
        PICTURE.write_text(picture(benchmark.measurements), "utf-8")


def _measure_corpus(arguments: argparse.Namespace) -> None:
    """Measure a corpus of the size given on the command line, and write CORPUS.md."""
    shipped = corpora.shipped()
    benchmark = Benchmark(arguments.seconds, arguments.rounds, shipped, shipped, shipped)
    page = large_corpus.measure(benchmark, arguments.corpus)
    sys.stdout.write(page)
    CORPUS_RESULTS.write_text(page, "utf-8")


def _measure(benchmark: Benchmark, names: Sequence[str]) -> list[str]:
    """Run scenarios; returns the names of those that failed, so that the others are reported."""
    failed = []
    for name in names:
        _log(f"measuring: {name}")
        try:
            SCENARIOS[name](benchmark)
        except tools.UnavailableError as error:
            benchmark.measurements.skipped[name] = str(error)
        except AssertionError as error:
            _log(f"{name}: {error}")
            benchmark.measurements.skipped[name] = f"failed: {error}"
            failed.append(name)
    return failed


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "--seconds", type=_positive, default=1, help="duration of each load run (default 1)"
    )
    parser.add_argument("--rounds", type=_positive, default=11, help="rounds per load (default 11)")
    parser.add_argument(
        "--only",
        action="append",
        choices=SCENARIOS,
        help="run this scenario only (repeatable); RESULTS.md is not written",
    )
    parser.add_argument(
        "--corpus",
        type=_resources,
        metavar="RESOURCES",
        help="compare a corpus of this size with the shipped record instead, and write CORPUS.md",
    )
    return parser.parse_args()


def _resources(text: str) -> int:
    number = int(text)
    if not 10_000 <= number <= 10_000_000:
        raise argparse.ArgumentTypeError("expected an integer from 10000 to 10000000")
    return number


def _positive(text: str) -> int:
    number = int(text)
    if not 1 <= number <= 600:
        raise argparse.ArgumentTypeError("expected an integer from 1 to 600")
    return number


def _log(text: str) -> None:
    sys.stderr.write(f"{text}\n")


if __name__ == "__main__":
    main()
