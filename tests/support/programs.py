"""Programs that tests start: those that end by themselves, and servers."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.conftest import ROOT

_RUN_SECONDS = 120
_START_SECONDS = 60
_STOP_SECONDS = 60


def end(
    *command: object,
    cwd: Path | None = None,
    seconds: float = _RUN_SECONDS,
    with_stderr: bool = False,
    **environment: str,
) -> subprocess.CompletedProcess[str]:
    """Run a program until it ends, whatever its exit code.

    Args:
        command: The program and its arguments.
        cwd: Directory that it is run in.
        seconds: Time that it may take.
        with_stderr: Whether its stdout has what it writes to stderr, too.
        environment: Variables besides those of the test process.
    """
    return subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT if with_stderr else subprocess.PIPE,
        text=True,
        timeout=seconds,
        check=False,
    )


def run(*command: object, **options: Any) -> str:
    """What a program writes to stdout; it must succeed. The options are those of `end`."""
    done = end(*command, **options)
    assert done.returncode == 0, f"{done.args}\n{done.stdout}{done.stderr or ''}"
    return done.stdout


@contextmanager
def running(
    command: list[str],
    port: int,
    log: Path,
    cwd: Path = ROOT,
    environment: Mapping[str, str] | None = None,
) -> Iterator[str]:
    """Address of a server that is started with a command.

    Args:
        command: The program and its arguments.
        port: The port that it listens on.
        log: File for what it writes to stderr.
        cwd: Directory that it is run in.
        environment: Variables besides those of the test process.
    """
    address = f"http://127.0.0.1:{port}"
    variables = {**os.environ, **(environment or {})}
    with log.open("wb") as stderr:
        process = subprocess.Popen(command, env=variables, stderr=stderr, cwd=cwd)
    try:
        _wait_until_reachable(address, process, log)
        yield address
    finally:
        process.terminate()
        process.wait(timeout=_STOP_SECONDS)


def _wait_until_reachable(address: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            pytest.fail(f"the server exited: {log.read_text()}")
        try:
            httpx.get(f"{address}/v1")
        except httpx.TransportError:
            time.sleep(0.05)
        else:
            return
    pytest.fail(f"no response from {address} within {_START_SECONDS} seconds")
