"""The commands for editing a seed: on drafts that do not build yet, and on every save."""

from __future__ import annotations

import json
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import pytest

from app.seed.copies import PageCopy
from app.seed.drafts import Draft
from app.seed.editing import report_state
from app.seed.errors import Issue
from app.seed.messages import FILLED_IN_BY_CITE
from app.seed.record import load_record
from tests.conftest import ROOT
from tests.support.command_line import invoke_cli
from tests.support.records import FIJI
from tests.support.serving import TIMEOUT_SECONDS
from tests.support.web_archives import Response, to_html, write_warc


@pytest.fixture
def draft(tmp_path: Path) -> Path:
    """A copy of a draft without positions, to be changed."""
    return Path(shutil.copy(FIJI.draft, tmp_path / "seed.json"))


def invoke(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run a command on the page of the draft."""
    return invoke_cli(*map(str, arguments), "--source", str(FIJI.page))


def test_a_quote_is_ready_to_paste() -> None:
    """It is JSON with the position, and with the source if it is given."""
    result = invoke("quote", "two awards in March 2016")
    assert (result.returncode, result.stderr) == (0, "")
    quote = json.loads(result.stdout)
    text = FIJI.page.read_text("utf-8")
    assert text[quote["start"] : quote["end"]] == quote["exact"] == "two awards in March 2016"
    result = invoke_cli("quote", "in March 2016", "--source", f"fiji-page={FIJI.page}")
    assert json.loads(result.stdout)["source"] == "fiji-page"


def test_every_occurrence_of_words_is_printed() -> None:
    """One line of JSON each, with a context; what is around them goes to stderr."""
    result = invoke("quote", "Links may not work")
    assert result.returncode == 0
    quotes = [json.loads(line) for line in result.stdout.splitlines()]
    assert [quote["prefix"] for quote in quotes] == ["updated. ", "Children.\n\n"]
    assert result.stderr.startswith("2 occurrences; use the one that supports the value:\n")
    assert "no longer updated. [Links may not work]." in result.stderr


@pytest.mark.parametrize(
    ("words", "exact", "named"),
    [
        ("23 June 2015", "23\u00a0June 2015", "U+0020 SPACE instead of U+00A0 NO-BREAK SPACE"),
        (
            "Office for Children's Affairs",
            "Office for Children\u2019s Affairs",
            "U+0027 APOSTROPHE instead of U+2019 RIGHT SINGLE QUOTATION MARK",
        ),
    ],
)
def test_words_that_look_alike_are_quoted_as_they_are(words: str, exact: str, named: str) -> None:
    """The quote has the characters of the page, and a message names them."""
    result = invoke("quote", words)
    assert result.returncode == 0
    assert json.loads(result.stdout)["exact"] == exact
    assert f"(found {named})" in result.stderr


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("two awards in May 2016", 'expected "two awards in March 2016", at '),
        ("zebras", 'found no "zebras"; expected words that are on the page'),
        ("x" * 81, "A quote has at most 80 characters, not 81."),
        ("", "expected words that are on the page"),
    ],
)
def test_words_that_cannot_be_quoted_are_reported(words: str, message: str) -> None:
    """Exit code 1, and nothing to paste."""
    result = invoke("quote", words)
    assert (result.returncode, result.stdout) == (1, "")
    assert message in result.stderr


def test_a_whole_sentence_is_named(tmp_path: Path) -> None:
    """It would fail in `verify`; a short line may be quoted whole."""
    page = tmp_path / "page.txt"
    page.write_text("A short line.\nThis sentence is somewhat longer than a line may be.", "utf-8")
    sentence = "This sentence is somewhat longer than a line may be."
    result = invoke_cli("quote", sentence, "--source", str(page))
    assert result.stderr == "This is a whole sentence; quote only a part of it.\n"
    assert invoke_cli("quote", "A short line.", "--source", str(page)).stderr == ""


def test_few_of_many_occurrences_are_listed() -> None:
    """Longer words tell occurrences apart."""
    result = invoke("quote", "e")
    assert len(result.stdout.splitlines()) == 10
    assert re.search(r"\n  and \d+ more: quote more words\n$", result.stderr)


def test_cite_makes_a_seed_of_a_draft(draft: Path) -> None:
    """It builds then; a second run changes nothing, and no temporary file is left."""
    result = invoke("cite", "--seed", draft)
    assert (result.returncode, result.stderr) == (0, "")
    assert re.fullmatch(rf"{draft}: \d+ values filled in\n", result.stdout)
    load_record(draft)
    content, number = draft.read_bytes(), draft.stat().st_ino
    assert "0 values filled in" in invoke("cite", "--seed", draft).stdout
    assert (draft.read_bytes(), draft.stat().st_ino) == (content, number)
    assert [path.name for path in draft.parent.iterdir()] == ["seed.json"]


def test_cite_keeps_links_and_permissions(draft: Path, tmp_path: Path) -> None:
    """A link to a seed still links to it, and who may read and write it stays the same."""
    draft.chmod(0o640)
    link = tmp_path / "link" / "seed.json"
    link.parent.mkdir()
    link.symlink_to(draft)
    assert invoke("cite", "--seed", link).returncode == 0
    assert link.is_symlink()
    assert draft.stat().st_mode & 0o777 == 0o640
    load_record(draft)


def test_a_file_that_cannot_be_written_is_reported(tmp_path: Path) -> None:
    """The message has the directory, and there is no traceback."""
    result = invoke("new", tmp_path / "absent" / "seed.json", "--url", "https://example.org/")
    assert result.returncode == 3
    assert f"{tmp_path}/absent cannot be written to: No such file or directory." in result.stderr


def test_cite_only_checks_if_that_is_asked_for(draft: Path) -> None:
    """With `--check`, it lists what is left out, fails and writes nothing."""
    before = draft.read_bytes()
    result = invoke("cite", "--check", "--seed", draft)
    assert result.returncode == 1
    assert "/partnerships/0/evidence/signed/0/quote/start: left out\n" in result.stderr
    assert draft.read_bytes() == before
    invoke("cite", "--seed", draft)
    assert invoke("cite", "--check", "--seed", draft).returncode == 0


def test_cite_fills_in_what_it_can(draft: Path) -> None:
    """It fails if a quote is not on the page, after filling in the others."""
    draft.write_text(draft.read_text("utf-8").replace("receives $3 million", "gets $3 million"))
    result = invoke("cite", "--seed", draft)
    assert result.returncode == 1
    assert '/awards/0/evidence/amount/0/quote/exact: found "gets $3 million"' in result.stderr
    assert '"start":' in draft.read_text("utf-8")


def test_cite_can_renew_positions(draft: Path, tmp_path: Path) -> None:
    """After a change of the copy, positions that are wrong are reported, or replaced."""
    invoke("cite", "--seed", draft)
    page = tmp_path / "page.txt"
    page.write_text(f"\n{FIJI.page.read_text('utf-8')}", "utf-8")
    arguments = ("cite", "--seed", str(draft), "--source", str(page))
    result = invoke_cli(*arguments)
    assert result.returncode == 1
    assert "/sources/0/characters: found 810; expected 811, as in the copy" in result.stderr
    result = invoke_cli(*arguments, "--renew")
    assert (result.returncode, result.stderr) == (0, "")
    assert invoke_cli(*arguments, "--check").returncode == 0


def test_coverage_lists_sentences_that_are_not_cited(draft: Path) -> None:
    """With their position and their first words, also for a draft that does not build."""
    result = invoke("coverage", "--seed", draft)
    assert (result.returncode, result.stdout) == (0, "fiji-page: 9 of 9 sentences cited, 100%\n")
    seed = json.loads(draft.read_text("utf-8"))
    seed["awards"], seed["regions"] = [], None
    draft.write_text(json.dumps(seed), "utf-8")
    result = invoke("coverage", "--seed", draft)
    assert result.returncode == 1
    assert result.stdout.splitlines()[0] == "fiji-page: 7 of 9 sentences cited, 78%"
    assert "The Office for Children\u2019s Affairs announced two awards" in result.stdout


def test_new_writes_a_skeleton(tmp_path: Path) -> None:
    """Everything that has to be written is listed by `build`; the rest is there already."""
    seed = tmp_path / "seed.json"
    url = "https://example.org/a/Compact%20with%20Fiji/index.html"
    result = invoke("new", seed, "--url", url)
    assert (result.returncode, result.stderr) == (0, "")
    data = json.loads(seed.read_text("utf-8"))
    [source] = data["sources"]
    assert source["id"] == "compact-with-fiji"
    assert (source["url"], source["characters"]) == (url, 810)
    schema = json.loads((tmp_path / data["$schema"]).read_text("utf-8"))
    assert set(schema["required"]) <= set(data)
    result = invoke_cli("build", "--seed", str(seed), ARCHIVE_FILE=str(tmp_path / "archive"))
    assert result.returncode == 1
    listed = {line.partition(": found")[0].strip() for line in result.stderr.splitlines()[1:]}
    assert [pointer for pointer in blanks(data) if not is_listed(pointer, listed)] == []
    assert invoke("coverage", "--seed", seed).returncode == 1


def blanks(value: object, pointer: str = "") -> Iterator[str]:
    """The pointer of every empty text."""
    if isinstance(value, dict):
        for key, member in value.items():
            yield from blanks(member, f"{pointer}/{key}")
    elif isinstance(value, list):
        for index, member in enumerate(value):
            yield from blanks(member, f"{pointer}/{index}")
    elif value == "":
        yield pointer


def is_listed(pointer: str, listed: set[str]) -> bool:
    """Whether a pointer is listed; for a citation without a basis, only that is."""
    return pointer in listed or pointer.replace("/quote/exact", "/basis") in listed


@pytest.mark.parametrize(
    ("url", "slug"),
    [
        ("https://example.org/compact-with-fiji/", "compact-with-fiji"),
        ("https://example.org/Compact_(Fiji).html?x=1", "compact-fiji"),
        ("https://example.org/", "page"),
        ("https://example.org/%E5%9B%BD", "page"),
    ],
)
def test_the_id_of_a_source_is_made_of_its_url(tmp_path: Path, url: str, slug: str) -> None:
    """Unless it is given before the file."""
    for name, source, expected in (
        ("a.json", str(FIJI.page), slug),
        ("b.json", f"given-id={FIJI.page}", "given-id"),
    ):
        seed = tmp_path / name
        invoke_cli("new", str(seed), "--url", url, "--source", source)
        assert json.loads(seed.read_text("utf-8"))["sources"][0]["id"] == expected


@pytest.mark.parametrize("prefix", ["", "fiji-page="])
def test_a_record_is_made_from_a_web_archive(tmp_path: Path, prefix: str) -> None:
    """`new` finds the page by its URL, and `cite` by that of the source."""
    url = "https://example.org/fiji"
    body = to_html(FIJI.page.read_text("utf-8")).encode()
    responses = [Response(url, "2026-01-01T00:00:00Z", body)]
    source = f"{prefix}{write_warc(tmp_path / 'page.warc.gz', responses)}"
    seed = tmp_path / "seed.json"
    assert invoke_cli("new", str(seed), "--url", url, "--source", source).returncode == 0
    words = "23\xa0June 2015"
    quoted = invoke_cli("quote", words, "--url", url, "--source", source)
    assert (quoted.returncode, json.loads(quoted.stdout)["exact"]) == (0, words)
    unnamed = invoke_cli("quote", words, "--source", source)
    assert (unnamed.returncode, "--url" in unnamed.stderr) == (2, True)
    [entry] = json.loads(seed.read_text("utf-8"))["sources"]
    draft = json.loads(FIJI.draft.read_text("utf-8"))
    draft["sources"][0] |= {"url": url, "id": entry["id"]}
    seed.write_text(json.dumps(draft), "utf-8")
    result = invoke_cli("cite", "--seed", str(seed), "--source", source)
    assert (result.returncode, result.stderr) == (0, "")
    assert json.loads(seed.read_text("utf-8"))["sources"][0]["sha256"] == entry["sha256"]
    load_record(seed)


def test_new_overwrites_nothing(draft: Path) -> None:
    """A file that exists is a usage error."""
    before = draft.read_bytes()
    result = invoke("new", draft, "--url", "https://example.org/")
    assert result.returncode == 2
    assert result.stderr == f"{draft} exists already; choose another name.\n"
    assert draft.read_bytes() == before


@pytest.mark.parametrize("command", ["cite", "coverage"])
def test_a_draft_that_is_not_json_is_rejected(draft: Path, command: str) -> None:
    """The message has the line and the column, and the file stays as it is."""
    draft.write_text(draft.read_text("utf-8").replace('"shape": 2,', '"shape": 2'), "utf-8")
    before = draft.read_bytes()
    result = invoke(command, "--seed", draft)
    assert result.returncode == 1
    assert "line 4, column 3: expected ','; expected valid JSON" in result.stderr
    assert draft.read_bytes() == before


def test_an_unknown_source_is_a_usage_error(draft: Path) -> None:
    """The message has the ids of the draft."""
    result = invoke_cli("cite", "--seed", str(draft), "--source", f"page={FIJI.page}")
    assert result.returncode == 2
    assert "the seed has no source page, only fiji-page" in result.stderr


@pytest.mark.parametrize("command", ["new", "quote", "cite", "coverage", "edit"])
def test_help_has_an_example(command: str) -> None:
    """Each of the commands shows a call that works."""
    result = invoke_cli(command, "--help", COLUMNS="200")
    assert result.returncode == 0
    assert f"Example: cpc-record {command} --source page.txt" in result.stdout


def test_a_quote_that_is_not_found_is_reported_once(draft: Path) -> None:
    """What `cite` cannot fill in because of it is not listed as missing, too."""
    draft.write_text(draft.read_text("utf-8").replace("receives $3 million", "gets $3 million"))
    missing = Issue("/awards/0/evidence/amount/0/quote/start", "nothing", FILLED_IN_BY_CITE)
    other = Issue("/awards/0/evidence/ends/0/quote/start", "nothing", FILLED_IN_BY_CITE)
    copies = {"fiji-page": PageCopy(FIJI.page.read_text("utf-8"))}
    output = report_state(Draft.read(draft), copies, lambda _: [missing, other]).output
    assert f"  {other}" in output
    assert f"  {missing}" not in output


@pytest.mark.process
@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_edit_reports_on_every_save(draft: Path, stop: signal.Signals) -> None:
    """Errors and coverage are shown again after a save, also of a broken file, until a signal."""
    command = [sys.executable, "-m", "app", "edit"]
    command += ["--seed", str(draft), "--source", str(FIJI.page)]
    with running(command) as process:
        output = process.stdout
        assert output is not None
        complete = draft.read_text("utf-8")
        assert read_until(output, "sentences cited")[0] == f"{draft}: 0 issues\n"
        save(draft, complete.replace("2015-06-23", "2015-06-24"))
        changed = "".join(read_until(output, "sentences cited"))
        assert f"{draft}: 1 issue\n" in changed
        assert '/partnerships/0/signed: found "2015-06-24"' in changed
        sentence = "The lessons follow the National Plan for Children."
        save(draft, complete.replace("follow the National Plan for Children", sentence))
        assert "a whole sentence" in "".join(read_until(output, "sentences cited"))
        save(draft, complete[:-9])
        assert "valid JSON" in "".join(read_until(output, "valid JSON"))
        save(draft, complete)
        assert read_until(output, "sentences cited")[0] == f"{draft}: 0 issues\n"
        process.send_signal(stop)
        assert process.wait(timeout=TIMEOUT_SECONDS) == 0
        assert "Traceback" not in output.read()
        assert sorted(path.name for path in draft.parent.iterdir()) == ["seed.json"]


@contextmanager
def running(command: Sequence[str]) -> Iterator[subprocess.Popen[str]]:
    """A program whose output can be read; it is killed if it still runs at the end."""
    with subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def save(path: Path, text: str) -> None:
    """Replace a file as editors do."""
    new = path.with_name("new")
    new.write_text(text, "utf-8")
    new.replace(path)


def read_until(output: IO[str], words: str) -> list[str]:
    """The next lines, up to the one with these words."""
    lines = []
    deadline = time.monotonic() + TIMEOUT_SECONDS
    while time.monotonic() < deadline and (line := output.readline()):
        lines.append(line)
        if words in line:
            return lines
    pytest.fail(f"no {words!r} in {lines}")
