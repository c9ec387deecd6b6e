"""The outputs in docs/verify.md are those of the command."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from tests.conftest import ROOT, SEED
from tests.support.command_line import invoke_cli
from tests.support.published import copy_archive
from tests.support.web_archives import Response, to_html, write_warc

GUIDE = (ROOT / "docs" / "verify.md").read_text("utf-8")
EXAMPLES = re.findall(r"```console\n\$ cpc-record (.*)\n((?s:.*?))```", GUIDE)
URL = "https://2017-2021.state.gov/child-protection-compact-partnerships-peru/index.html"
WIDTH_CHARACTERS = 100


@pytest.fixture
def copies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The files of the examples, in the current directory."""
    path = os.environ.get("SOURCE_PAGE") or pytest.skip("SOURCE_PAGE is not set")
    text = Path(path).read_bytes().decode()
    monkeypatch.chdir(tmp_path)
    pages = {"2021-01-25T03:14:07Z": text, "2023-05-01T10:00:00Z": text.replace("four-", "five-")}
    captures = [Response(URL, time, to_html(page).encode()) for time, page in pages.items()]
    write_warc(tmp_path / "page.warc.gz", captures)
    (tmp_path / "windows.txt").write_bytes(text.replace("\n", "\r\n").encode())


@pytest.mark.usefixtures("copies")
@pytest.mark.parametrize(("command", "output"), EXAMPLES)
def test_the_examples_show_real_output(
    archive_file: Path, tmp_path: Path, command: str, output: str
) -> None:
    """The report on each copy, with versions of the locked packages."""
    result = invoke_cli(
        *command.split(),
        SEED_FILE=str(SEED),
        ARCHIVE_FILE=str(copy_archive(archive_file, tmp_path)),  # without exports
        COLUMNS=str(WIDTH_CHARACTERS),
    )
    assert without_size(result.stdout + result.stderr) == without_size(output)


def without_size(report: str) -> str:
    """A report without the size of the archive, which changes with the code."""
    return re.sub(r"\d[\d,]* bytes +", "", report)


def test_every_exit_code_has_an_example() -> None:
    """The cited text, another one, and one without some of the words."""
    assert len(EXAMPLES) == 3
