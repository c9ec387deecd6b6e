"""Schemathesis with three random seeds, at least 3,000 cases in all: `make fuzz`."""

from __future__ import annotations

import argparse
import json
import random
import secrets
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.support.published import ENVIRONMENT
from tests.torture.context import (
    ROOT,
    CheckFailed,
    ScenarioContext,
    Server,
    check,
    prepare_corpus,
)

_SEEDS = 3
_MIN_CASES = 3_000


def run_schemathesis(server: Server, random_seed: int, folder: Path) -> int:
    """Test all operations in all phases with a random seed and return the number of cases.

    Raises:
        CheckFailed: A check failed, or an operation was not tested.
    """
    report_path = folder / f"{random_seed}.json"
    command = [sys.executable, "-m", "schemathesis.cli", "--no-color", "run"]
    command += ["--seed", str(random_seed)]
    command += ["--report", "json", "--report-json-path", str(report_path)]
    result = subprocess.run(
        [*command, f"http://127.0.0.1:{server.port}/openapi.json"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    output = f"{result.stdout[-5_000:]}{result.stderr[-2_000:]}"
    check(result.returncode == 0, f"seed {random_seed}: {output}")
    report = json.loads(report_path.read_text("utf-8"))
    operations = report["operations"]
    check(operations["tested"] == operations["total"] > 0, f"seed {random_seed}: {operations}")
    cases: int = report["test_cases"]["generated"]
    return cases


def main() -> None:
    """Run schemathesis with three random seeds. The exit code is 1 if a check failed."""
    parser = argparse.ArgumentParser(prog="python -m tests.torture.schema", description=__doc__)
    parser.add_argument(
        "--seed", type=int, help="first of three random seeds (printed; default: random)"
    )
    arguments = parser.parse_args()
    first = secrets.randbelow(10**9) if arguments.seed is None else arguments.seed
    total = 0
    with tempfile.TemporaryDirectory(prefix="schema-") as folder:
        rng = random.Random(first)  # noqa: S311 - not for secrets
        corpus = prepare_corpus("shipped")
        context = ScenarioContext(Path(folder), corpus, "shipped", rng, quick=False)
        try:
            with context.serve(**ENVIRONMENT) as server:
                for random_seed in range(first, first + _SEEDS):
                    cases = run_schemathesis(server, random_seed, Path(folder))
                    sys.stdout.write(f"Seed {random_seed}: {cases:,} cases, all checks passed.\n")
                    sys.stdout.flush()
                    total += cases
            check(total >= _MIN_CASES, f"only {total:,} cases")
        except CheckFailed as error:
            sys.exit(f"FAILED: {error}")
    sys.stdout.write(f"{total:,} cases in total.\n")


if __name__ == "__main__":
    main()
