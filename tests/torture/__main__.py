"""Run all scenarios and print a table of results: `python -m tests.torture`."""

from __future__ import annotations

import argparse
import secrets
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.torture.context import prepare_corpus
from tests.torture.runner import FAILED, PASSED, Outcome, run_here, run_isolated
from tests.torture.scenario import BOTH, SCENARIOS, Scenario

_DEFAULT_LIMIT_SECONDS = 600.0
_MIN_SCENARIO_SECONDS = 5.0


def main() -> None:
    """Run the scenarios that the command line selects. The exit code is 1 if any failed."""
    arguments = _parse_arguments()
    if arguments.run_here:
        run_here(
            arguments.run_here,
            arguments.record[0],
            arguments.seed,
            arguments.folder,
            quick=arguments.quick,
        )
        return
    random_seed = secrets.randbelow(10**9) if arguments.seed is None else arguments.seed
    sys.stdout.write(f"Random seed {random_seed}. Repeat this run with --seed {random_seed}.\n\n")
    sys.stdout.flush()
    outcomes = list(_run_all(arguments, random_seed))
    failed = sum(outcome.result == FAILED for outcome in outcomes)
    passed = sum(outcome.result == PASSED for outcome in outcomes)
    skipped = len(outcomes) - passed - failed
    sys.stdout.write(
        f"\n{passed} passed, {failed} failed, {skipped} skipped. Random seed {random_seed}.\n"
    )
    sys.exit(1 if failed else 0)


def _run_all(arguments: argparse.Namespace, random_seed: int) -> Iterator[Outcome]:
    """Run the selected scenarios, printing a table row for each as it finishes."""
    for record in arguments.record:
        sys.stderr.write(f"preparing the {record} record\n")
        prepare_corpus(record)
    _print_row(("scenario", "record", "what was done", "result", "seconds"))
    _print_row(("---", "---", "---", "---", "---:"))
    deadline = time.monotonic() + arguments.minutes * 60
    runs = [
        (scenario, record)
        for record in arguments.record
        for scenario in SCENARIOS.values()
        if record in scenario.records and scenario.name in (arguments.only or SCENARIOS)
    ]

    def run(selected: tuple[Scenario, str]) -> Outcome:
        scenario, record = selected
        remaining = max(deadline - time.monotonic(), _MIN_SCENARIO_SECONDS)
        return run_isolated(
            scenario.name, record, random_seed, quick=arguments.quick, seconds=remaining
        )

    with ThreadPoolExecutor(arguments.jobs) as pool:
        for (scenario, _), outcome in zip(runs, pool.map(run, runs), strict=True):
            details = f"{scenario.promise}: {outcome.details}"
            details = details.replace("|", "\\|").replace("\n", " ")
            result = outcome.result if outcome.result == PASSED else f"**{outcome.result}**"
            seconds = f"{outcome.seconds:.1f}"
            _print_row((scenario.name, outcome.record, details, result, seconds))
            yield outcome


def _print_row(cells: Sequence[str]) -> None:
    sys.stdout.write(f"| {' | '.join(cells)} |\n")
    sys.stdout.flush()


def _parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.torture", description=__doc__)
    parser.add_argument("--seed", type=int, help="random seed (printed; default: random)")
    parser.add_argument("--only", action="append", choices=SCENARIOS, help="only this scenario")
    parser.add_argument("--record", action="append", choices=BOTH, help="only on this record")
    parser.add_argument("--quick", action="store_true", help="few rounds")
    parser.add_argument(
        "--minutes",
        type=float,
        default=_DEFAULT_LIMIT_SECONDS / 60,
        help="time limit in minutes (10)",
    )
    parser.add_argument("--jobs", type=int, default=2, help="scenarios run in parallel (2)")
    parser.add_argument("--run-here", choices=SCENARIOS, help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    arguments.record = arguments.record or list(BOTH)
    return arguments


if __name__ == "__main__":
    main()
