"""Runs one scenario in a process of its own and reports the outcome."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from tests.torture.context import (
    ROOT,
    CheckFailed,
    ScenarioContext,
    Skipped,
    prepare_corpus,
)
from tests.torture.scenario import SCENARIOS
from tests.torture.scenarios import damage, floods, inputs, protocol, seeds, starts

SCENARIO_MODULES = (floods, starts, damage, inputs, protocol, seeds)
"""Imported to register their scenarios."""
PASSED, FAILED, SKIPPED = "passed", "FAILED", "skipped"


@dataclass(frozen=True, slots=True)
class Outcome:
    """Result of a scenario.

    Attributes:
        name: Name of the scenario.
        record: Record it ran on.
        result: `PASSED`, `FAILED` or `SKIPPED`.
        details: What was done, how it failed, or why it was skipped.
        seconds: Duration.
    """

    name: str
    record: str
    result: str
    details: str
    seconds: float


def run_isolated(
    name: str, record: str, random_seed: int, *, quick: bool, seconds: float
) -> Outcome:
    """Run a scenario in a new process, then kill everything that it started."""
    folder = Path(tempfile.mkdtemp(prefix="torture-"))
    command = [sys.executable, "-m", "tests.torture", "--run-here", name, "--record", record]
    command += ["--seed", str(random_seed), "--folder", str(folder)]
    command += ["--quick"] if quick else []
    started = time.monotonic()
    process = subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    try:
        output, _ = process.communicate(timeout=seconds)
        result, details = _parse_output(output, process.returncode)
    except subprocess.TimeoutExpired:
        result, details = FAILED, f"timed out after {seconds:.0f} s"
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        shutil.rmtree(folder, ignore_errors=True)
    return Outcome(name, record, result, details, time.monotonic() - started)


def run_here(name: str, record: str, random_seed: int, folder: Path, *, quick: bool) -> None:
    """Run a scenario in this process and print the outcome as a line of JSON."""
    rng = random.Random(f"{random_seed} {name} {record}")  # noqa: S311 - not for secrets
    context = ScenarioContext(folder, prepare_corpus(record), record, rng, quick)
    try:
        result, details = PASSED, SCENARIOS[name].run(context)
    except CheckFailed as error:
        result, details = FAILED, str(error)
    except Skipped as error:
        result, details = SKIPPED, str(error)
    except Exception as error:  # noqa: BLE001 - any exception is a failure
        result, details = FAILED, f"{type(error).__name__}: {error}"
    sys.stdout.write(json.dumps([result, details]) + "\n")


def _parse_output(output: str, exit_code: int) -> tuple[str, str]:
    """Result and details from the last line that a scenario's process printed."""
    lines = output.splitlines()
    if exit_code or not lines:
        return FAILED, f"its process ended with exit code {exit_code}"
    result, details = json.loads(lines[-1])
    return result, details
