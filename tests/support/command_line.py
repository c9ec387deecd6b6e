"""The command line, run in this process, for commands that end without listening."""

from __future__ import annotations

import os
import subprocess

from typer.testing import CliRunner

from app.cli import cli


def invoke_cli(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run `cpc-record` in process; an unexpected exception is raised, not printed."""
    before = dict(os.environ)
    try:
        result = CliRunner().invoke(cli, arguments, env=environment)
    finally:  # options are written to the environment, for worker processes
        os.environ.clear()
        os.environ.update(before)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return subprocess.CompletedProcess(arguments, result.exit_code, result.stdout, result.stderr)
