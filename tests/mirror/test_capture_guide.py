"""The capture of docs/mirror.md: its program is run, and its result read as an archivist does."""

from __future__ import annotations

import json
import re
import sys
from importlib.metadata import version
from pathlib import Path
from zipfile import ZipFile

import pytest
from warcio.archiveiterator import ArchiveIterator

from app.pages.guide.context import DEFAULT_BASE_URL
from tests.conftest import ROOT
from tests.support.programs import run
from tests.support.serving import fetch
from tests.support.tools_table import check_outcome

GUIDE = (ROOT / "docs" / "mirror.md").read_text("utf-8")
SECTION = GUIDE.partition("## Capture for a web archive\n")[2].partition("\n## ")[0]
PROGRAM, COMMAND = re.findall(r"^```(?:python)?\n(.*?)^```", SECTION, re.DOTALL | re.MULTILINE)
TOOLS = Path(sys.executable).parent

pytestmark = pytest.mark.process


@pytest.fixture(scope="module")
def capture(server: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder in which the program and the command of the page were run."""
    folder = tmp_path_factory.mktemp("capture")
    tool, *arguments = COMMAND.replace(DEFAULT_BASE_URL, server).split()
    run(sys.executable, "-c", PROGRAM.replace(DEFAULT_BASE_URL, server), cwd=folder)
    run(TOOLS / tool, *arguments, cwd=folder)
    return folder


def test_the_capture_is_valid_and_names_its_page(capture: Path, server: str) -> None:
    """`warcio check` and `wacz validate` accept it, and viewers open it at the record page."""
    run(TOOLS / "warcio", "check", "record.warc.gz", cwd=capture)
    validation = run(TOOLS / "wacz", "validate", "-f", "record.wacz", cwd=capture)
    with ZipFile(capture / "record.wacz") as archive:
        lines = archive.read("pages/pages.jsonl").splitlines()
    pages = [json.loads(line) for line in lines[1:]]
    assert [page["url"] for page in pages] == [f"{server}/"]
    assert "valid" in validation
    check_outcome(
        "archives",
        "wacz",
        version("wacz"),
        "capture the site as docs/mirror.md says, `create --url`, `validate`",
        f"valid, {len(pages)} page",
    )


def test_every_response_can_be_read_from_the_capture(capture: Path, server: str) -> None:
    """Bodies are those of the server, decoded: the page as HTML, lists as JSON, all downloads."""
    captured: dict[str, tuple[str, bytes]] = {}
    with (capture / "record.warc.gz").open("rb") as file:
        for record in ArchiveIterator(file):
            if record.rec_type == "response":
                assert record.http_headers.get_statuscode() == "200"
                path = record.rec_headers.get_header("WARC-Target-URI").removeprefix(server)
                media_type = record.http_headers.get_header("Content-Type")
                captured[path] = media_type, record.content_stream().read()
    assert captured["/"][0].startswith("text/html")
    assert captured["/v1"][0] == "application/json"
    exports = [export["path"] for export in fetch(f"{server}/v1/exports").json()["data"]]
    assert {"/docs", "/history", "/v1/awards", *exports} <= set(captured)
    for path, (media_type, body) in captured.items():
        response = fetch(server + path, headers={"Accept": media_type.partition(";")[0]})
        assert body == response.content, path
    check_outcome(
        "archives",
        "warcio",
        version("warcio"),
        "capture the site as docs/mirror.md says, `check`, read back",
        "every body as the API sends it",
    )
