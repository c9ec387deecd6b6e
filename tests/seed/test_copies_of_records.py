"""Records are verified against copies of their pages: the cited text, and copies unlike it."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from app.seed.copies import read_copies
from app.seed.sentences import split_sentences
from tests.conftest import ROOT, SEED
from tests.seed.test_verification import COVERAGE, IDENTITY, POSITIONS, WORDS, quotes
from tests.support.command_line import invoke_cli
from tests.support.records import FIJI, MONGOLIA
from tests.support.web_archives import Response, to_html, write_wacz, write_warc

VALID, INVALID, USAGE, DIFFERENT = 0, 1, 2, 5
OTHERS = {"Fiji": FIJI, "Mongolia": MONGOLIA}


@dataclass(frozen=True)
class CitedPage:
    """A record and the page that it cites.

    Attributes:
        seed: Its seed file.
        html: The page.
        text: The text of the page that it cites.
    """

    seed: Path
    html: str
    text: str

    @property
    def data(self) -> dict[str, Any]:
        """The seed."""
        data: dict[str, Any] = json.loads(self.seed.read_text("utf-8"))
        return data

    @property
    def quotes(self) -> list[dict[str, Any]]:
        """Every quote."""
        return list(quotes(self.data))

    def capture(self, time: str, html: str = "") -> Response:
        """A capture of the page, or of another one in its place."""
        [source] = self.data["sources"]
        return Response(source["url"], time, (html or self.html).encode())

    def overlapping(self, start: int, end: int) -> list[dict[str, Any]]:
        """Quotes that overlap a passage of the text."""
        return [quote for quote in self.quotes if quote["start"] < end and start < quote["end"]]


@dataclass(frozen=True)
class Report:
    """What the command reports.

    Attributes:
        code: The exit code.
        table: The table of checks.
        listed: What is listed below it.
    """

    code: int
    table: str
    listed: str

    def row(self, check: str) -> tuple[str, str]:
        """What a check found, and its result."""
        row: tuple[str, str]
        [row] = re.findall(rf"^│ {check} +│ (.*?) +│ (.*?) +│$", self.table, re.MULTILINE)
        return row


@pytest.fixture(scope="module", params=["Peru", *OTHERS])
def page(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> CitedPage:
    """The shipped record, or another one with the text that is extracted from a page."""
    folder = tmp_path_factory.mktemp("cited")
    if request.param == "Peru":
        path = os.environ.get("SOURCE_PAGE") or pytest.skip("SOURCE_PAGE is not set")
        text = Path(path).read_bytes().decode()
        return CitedPage(SEED, to_html(text), text)
    other = OTHERS[request.param]
    seed, copy = other.write_draft(folder), folder / "page.txt"
    [option] = other.copies()
    id_, _, source = option.removeprefix("--source=").partition("=")
    html = to_html(Path(source).read_text("utf-8"))
    copy.write_text(html, "utf-8")
    [extracted] = read_copies(str(copy), ())
    copy.write_bytes(extracted.content)
    result = invoke_cli("cite", "--seed", str(seed), "--source", f"{id_}={copy}")
    assert result.returncode == 0, result.stderr
    return CitedPage(seed, html, extracted.text)


def verify(page: CitedPage, copy: Path, *options: str) -> Report:
    """Verify a record against a copy."""
    result = invoke_cli(
        *("verify", "--seed", str(page.seed), "--source", str(copy), *options),
        ARCHIVE_FILE=str(copy.with_name("none.sqlite")),
        COLUMNS="500",
    )
    return Report(result.returncode, result.stdout, result.stderr)


def verify_text(page: CitedPage, folder: Path, text: str) -> Report:
    """Verify a record against a copy with a text."""
    copy = folder / "copy"
    copy.write_bytes(text.encode())
    return verify(page, copy)


def assert_valid(page: CitedPage, report: Report) -> None:
    """The copy is the cited text: every quote is at its position."""
    assert (report.code, report.listed) == (VALID, "")
    count = len(page.quotes)
    assert report.row(IDENTITY)[1] == "ok"
    assert report.row(WORDS) == (f"{count} of {count}", "ok")
    assert report.row(POSITIONS) == (f"{count} of {count}", "ok")
    assert report.row(COVERAGE)[0].endswith("100%")


def test_the_cited_text_is_found_in_every_format(page: CitedPage, tmp_path: Path) -> None:
    """Text, HTML, WARC and WACZ give the very digest, and the report says how."""
    assert_valid(page, verify_text(page, tmp_path, page.text))
    assert_valid(page, verify_text(page, tmp_path, page.html))
    for gzip in (True, False):
        warc = write_warc(tmp_path / "1", [page.capture("2021-01-25T03:14:07Z")], gzip=gzip)
        for copy in (warc, write_wacz(tmp_path / "2", warc)):
            report = verify(page, copy)
            assert_valid(page, report)
            assert "; capture 20210125031407, text extracted by" in report.row(IDENTITY)[0]


@pytest.mark.process
@pytest.mark.parametrize("page", ["Peru"], indirect=True)
def test_a_wacz_of_the_webrecorder_tools_is_read(page: CitedPage, tmp_path: Path) -> None:
    """Such as `wacz create` writes it, with an index and a list of pages."""
    warc = write_warc(tmp_path / "page.warc.gz", [page.capture("2021-01-25T03:14:07Z")])
    copy = tmp_path / "page.wacz"
    command = [sys.executable, "-m", "wacz", "create", "--output", str(copy), str(warc)]
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    assert_valid(page, verify(page, copy))


@pytest.mark.process
@pytest.mark.parametrize("page", ["Fiji"], indirect=True)
def test_a_copy_may_come_from_standard_input(page: CitedPage, tmp_path: Path) -> None:
    """`-` is standard input, also for a WACZ, which is not read from its start to its end."""
    warc = write_warc(tmp_path / "page.warc.gz", [page.capture("2021-01-25T03:14:07Z")])
    with write_wacz(tmp_path / "page.wacz", warc).open("rb") as file:
        result = subprocess.run(
            [sys.executable, "-m", "app", "verify", "--seed", str(page.seed), "--source", "-"],
            stdin=file,
            cwd=ROOT,
            env={**os.environ, "ARCHIVE_FILE": str(tmp_path / "none.sqlite"), "COLUMNS": "500"},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
    assert_valid(page, Report(result.returncode, result.stdout, result.stderr))


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace("\n", "\r\n"),
        lambda text: f"\ufeff{text}",
        lambda text: text.replace("\n\n", "\n\n\n", 1),
        lambda text: f"{text}\n",
        lambda text: f"\n{text}",
        lambda text: re.sub(r"[ \u00a0]+", " ", f"  {text}"),
        lambda text: re.sub(r"(.{40}\S*) ", r"\1\n", text),
    ],
    ids=["CRLF", "BOM", "newline", "end", "start", "spaces", "wrapped"],
)
def test_words_at_other_places_are_told_from_missing_ones(
    page: CitedPage, tmp_path: Path, change: Callable[[str], str]
) -> None:
    """White space and a byte order mark move words, but none of them is missing."""
    assert_moved(page, tmp_path, change(page.text))


@pytest.mark.parametrize("bullet", ["*", "-"])
@pytest.mark.parametrize("page", ["Peru", "Fiji"], indirect=True)
def test_other_bullets_are_no_other_words(page: CitedPage, tmp_path: Path, bullet: str) -> None:
    """Lists may have them in the copy; the page of Mongolia has no list."""
    assert_moved(page, tmp_path, page.text.replace("•", bullet))


def assert_moved(page: CitedPage, folder: Path, text: str) -> None:
    """A copy with this text is another one, but has all words; the report says which are moved."""
    assert text != page.text
    report = verify_text(page, folder, text)
    count = len(page.quotes)
    assert report.code == DIFFERENT
    assert report.row(IDENTITY)[1] == "different"
    assert report.row(WORDS) == (f"{count} of {count}", "ok")
    in_place = sum(text.startswith(quote["exact"], quote["start"]) for quote in page.quotes)
    assert report.row(POSITIONS)[0] == f"{in_place} of {count}"
    assert "/sources/0/sha256: found " in report.listed


def test_each_shift_is_listed(page: CitedPage, tmp_path: Path) -> None:
    """Quotes that are moved by as much are one line, with how far and where the first is now."""
    first, *_, last = sorted(page.quotes, key=lambda quote: quote["start"])
    text = f"{page.text[: last['start']]}\n\n{page.text[last['start'] :]}"
    moved = [quote for quote in page.quotes if quote["start"] >= last["start"]]
    report = verify_text(page, tmp_path, f" {text}")
    assert report.row(POSITIONS) == (f"0 of {len(page.quotes)}", "different")
    before = len(page.quotes) - len(moved) - 1
    assert (
        f" at {first['start']}, and {before} quotes after it; expected position " in report.listed
    )
    assert f"expected position {first['start'] + 1} (+1)\n" in report.listed
    assert f"expected position {last['start'] + 3} (+3)\n" in report.listed


def test_a_changed_word_is_missing(page: CitedPage, tmp_path: Path) -> None:
    """The quotes with it are listed with what stands in their place, and nothing else is wrong."""
    quote = max(page.quotes, key=lambda quote: len(quote["exact"].split()))
    word = max(quote["exact"].split(), key=len)
    start = page.text.index(word, quote["start"])
    missing = page.overlapping(start, start + len(word))
    report = verify_text(
        page, tmp_path, f"{page.text[:start]}otherwise{page.text[start + len(word) :]}"
    )
    assert report.code == INVALID
    count = len(page.quotes)
    assert report.row(WORDS) == (f"{count - len(missing)} of {count}", f"{len(missing)} wrong")
    for quote in missing:
        found = json.dumps(quote["exact"], ensure_ascii=False)
        [line] = {line for line in report.listed.splitlines() if f": found {found} at " in line}
        assert "otherwise" in line.partition("; expected ")[2]


def test_a_missing_sentence_is_reported_with_what_is_there(page: CitedPage, tmp_path: Path) -> None:
    """Its quotes are missing, unless their words stand next to it, and the others are moved."""
    sentences = split_sentences(page.text, 0, len(page.text))
    start, end = max(sentences, key=lambda span: len(page.overlapping(*span)) * (span[0] > 0))
    gone = page.overlapping(start, end)
    report = verify_text(page, tmp_path, page.text[:start] + page.text[end:].lstrip())
    assert report.code == INVALID
    count = len(page.quotes)
    found = int(report.row(WORDS)[0].partition(" ")[0])
    assert count - len(gone) <= found < count
    assert report.listed.count("; expected other words; in the copy, there is ") > 0


def test_an_added_sentence_is_a_difference(page: CitedPage, tmp_path: Path) -> None:
    """The record does not cite it, but that is not its fault."""
    [source] = page.data["sources"]
    furniture = [(passage["start"], passage["end"]) for passage in source["furniture"] or ()]
    start = next(
        start
        for start, _ in split_sentences(page.text, 0, len(page.text))
        if start > 0 and not any(first <= start < last for first, last in furniture)
    )
    report = verify_text(page, tmp_path, f"{page.text[:start]}New here. {page.text[start:]}")
    assert report.code == DIFFERENT
    assert report.row(WORDS)[1] == "ok"
    assert report.row(COVERAGE)[1] == "different"
    assert f'no citation from {start} to {start + 9}, "New here."' in report.listed


def test_of_two_captures_the_one_that_fits_the_record_is_taken(
    page: CitedPage, tmp_path: Path
) -> None:
    """By default, the one nearest to when the page was archived; else the one that is chosen."""
    quote = max(page.quotes, key=lambda quote: len(quote["exact"]))
    edited = page.html.replace(quote["exact"].split()[1], "otherwise")
    captures = [page.capture("1999-01-01T00:00:00Z", edited), page.capture("2100-01-01T00:00:00Z")]
    copy = write_warc(tmp_path / "copy", captures)
    assert verify(page, copy, "--capture", "1999").code == INVALID
    assert_valid(page, verify(page, copy, "--capture", "21000101"))
    assert verify(page, copy, "--capture", "2050").code == USAGE


def test_the_capture_that_the_record_states_is_taken(page: CitedPage, tmp_path: Path) -> None:
    """If a source says when it was captured and how its text was extracted, that is cited."""
    data = page.data
    [source] = data["sources"]
    reference = {"title": "Archive", "url": "https://archive.example/", "license": "CC0"}
    stated = {
        "captured": "2100-01-01T00:00:00Z",
        "memento": "https://archive.example/21000101000000/page",
        "extraction_tool": "resiliparse",
        "extraction_version": "2.0.1",
    }
    for field, value in stated.items():
        source[field] = value
        source["evidence"][field] = [{"basis": "enriched", "reference": reference}]
    source["not_stated"] = [field for field in source["not_stated"] if field not in stated]
    seed = tmp_path / "seed.json"
    seed.write_text(json.dumps(data), "utf-8")
    shutil.copy(SEED.with_name("regions.geojson"), tmp_path)
    edited = page.html.replace("</p>", " Edited.</p>")
    captures = [page.capture("2020-01-01T00:00:00Z", edited), page.capture("2100-01-02T00:00:00Z")]
    copy = write_warc(tmp_path / "copy", captures)
    assert_valid(page, verify(replace(page, seed=seed), copy))


def test_another_page_fails(page: CitedPage, tmp_path: Path) -> None:
    """A copy of something else has next to none of the quotes, and the command ends."""
    report = verify_text(page, tmp_path, "<p>Another page, of another year.</p>" * 200)
    assert report.code == INVALID
    assert report.row(WORDS)[0].startswith("0 of ")
    report = verify(
        page,
        write_warc(
            tmp_path / "copy", [Response("https://b.example/", "2020-01-01T00:00:00Z", b"b")]
        ),
    )
    assert report.code == USAGE
    assert "cannot be read as the archived page: it has no complete capture of " in report.listed


def test_a_capture_is_chosen_in_a_copy(page: CitedPage, tmp_path: Path) -> None:
    """The option alone, or with text, is an error."""
    copy = tmp_path / "copy"
    copy.write_text(page.text, "utf-8")
    assert verify(page, copy, "--capture", "2020").code == USAGE
    assert invoke_cli("verify", "--capture", "2020").returncode == USAGE
