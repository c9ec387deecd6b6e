"""An earlier version of this server, to compare with: checked out and installed for benchmarks."""

from __future__ import annotations

import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

from benchmarks.servers import Server
from benchmarks.tools import PEERS, ROOT, UnavailableError

COMMIT = "644dea8"
FOLDER = PEERS / f"commit-{COMMIT}"
PYTHON = FOLDER / ".venv" / "bin" / "python"
_PRINT_CORPUS = "from benchmarks import corpora; print(corpora.{call})"
COMPILE = "import sys, pathlib, app.release as r; r.build(*map(pathlib.Path, sys.argv[1:]))"
"""Code that compiles a seed, with the paths of the seed and of the archive as arguments."""


def install() -> None:
    """Check out the commit and install its dependencies, unless that was done before.

    Raises:
        UnavailableError: The commit is not in this repository, or pip failed.
    """
    if FOLDER.exists():
        return
    unfinished = FOLDER.with_suffix(".unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    pip = [str(PYTHON), "-m", "pip", "--quiet", "--disable-pip-version-check"]
    requirements = str(FOLDER / "requirements.txt")
    try:
        _run("git", "clone", "--quiet", "--no-checkout", str(ROOT), str(unfinished))
        _run("git", "-C", str(unfinished), "checkout", "--quiet", COMMIT)
        unfinished.rename(FOLDER)
        _run(sys.executable, "-m", "venv", str(PYTHON.parents[1]))
        _run(*pip, "install", "--require-hashes", "-r", requirements)
    except (OSError, subprocess.CalledProcessError) as error:
        shutil.rmtree(FOLDER, ignore_errors=True)
        raise UnavailableError(f"commit {COMMIT} cannot be installed: {error}") from error


def generated(resources: int) -> Path:
    """Directory of a corpus as large as today's, which the commit has generated and compiled."""
    return _corpus(f"made_up({resources})")


def shipped() -> Path:
    """Directory of the record that was shipped with the commit, compiled by it."""
    return _corpus("shipped()")


def _corpus(call: str) -> Path:
    command = [str(PYTHON), "-c", _PRINT_CORPUS.format(call=call)]
    done = subprocess.run(command, cwd=FOLDER, stdout=subprocess.PIPE, text=True, check=True)
    return Path(done.stdout.strip())


def server(today: Server) -> Server:
    """The same server in the earlier version."""
    return replace(today, command=[str(PYTHON), *today.command[1:]], folder=FOLDER)


def _run(*command: str) -> None:
    subprocess.run(command, check=True)
