"""The walk through making a record: its commands are run, and print what it shows."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import textwrap
from itertools import islice
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.support.records import MONGOLIA
from tests.support.serving import TIMEOUT_SECONDS

GUIDE = (ROOT / "docs" / "curating.md").read_text("utf-8")
COMMANDS = [
    (command, output)
    for block in re.findall(r"```console\n(.*?)```", GUIDE, re.DOTALL)
    for command, output in re.findall(r"^\$ (.+)\n((?:(?!\$ ).*\n)*)", block, re.MULTILINE)
]
SNIPPETS = re.findall(r"```json\n(.*?)```", GUIDE, re.DOTALL)
VARYING = ((r"[━─]+", "─"), (r" +", " "), (r"[\d,]+ bytes", "N bytes"), (r"\d+\.\d s\b", "N s"))
"""What depends on the machine or on versions of libraries."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the text of the page, from which the paths of the guide lead to the draft."""
    folder = tmp_path / "mongolia"
    folder.mkdir()
    [copy] = MONGOLIA.copies()
    (folder / "mongolia.txt").write_bytes(Path(copy.rpartition("=")[2]).read_bytes())
    (tmp_path / "tests").symlink_to(ROOT / "tests")
    return folder


@pytest.mark.process
def test_each_command_prints_what_is_shown(folder: Path) -> None:
    """One after the other, as a reader would run them."""
    assert len(COMMANDS) > 10
    scripts = Path(sys.executable).parent
    environment = {**os.environ, "PATH": f"{scripts}:{os.environ['PATH']}", "COLUMNS": "80"}
    for command, expected in COMMANDS:
        process = subprocess.Popen(  # noqa: S602 - the guide's own line
            command if "|" in command else f"exec {command}",
            shell=True,
            cwd=folder,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert process.stdout is not None
        if command.startswith("cpc-record edit"):
            printed = "".join(islice(process.stdout, expected.count("\n")))
            process.send_signal(signal.SIGINT)
            assert process.wait(timeout=TIMEOUT_SECONDS) == 0
        else:
            printed = process.communicate(timeout=TIMEOUT_SECONDS)[0]
        process.stdout.close()
        assert comparable(printed) == comparable(expected), command


def comparable(output: str) -> str:
    """The output without what varies."""
    for pattern, replacement in VARYING:
        output = re.sub(pattern, replacement, output)
    return output


def test_each_snippet_is_a_part_of_the_draft() -> None:
    """The JSON that is shown is that of the draft, but for its indentation."""
    assert len(SNIPPETS) == 3
    lines = [line.strip() for line in MONGOLIA.draft.read_text("utf-8").splitlines()]
    draft = "\n".join(lines)
    for snippet in SNIPPETS:
        part = "\n".join(line.strip() for line in textwrap.dedent(snippet).strip().splitlines())
        assert part in draft, snippet


def test_the_draft_has_no_positions() -> None:
    """It is written by hand: `cite` fills in every position, digest and length."""
    draft = json.loads(MONGOLIA.draft.read_text("utf-8"))
    text = json.dumps(draft)
    assert not any(f'"{key}":' in text for key in ("start", "end", "sha256", "bytes", "characters"))
