"""The record is verified against the archived page, and no change to the seed goes unnoticed."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from app.archive.release import check_archive
from app.seed.copies import PageCopy
from app.seed.errors import Issue, SeedError, format_value, name_differences
from app.seed.record import Record, load_record
from app.seed.report import Check
from app.seed.sentences import split_sentences
from app.seed.verification import check_source, verify_copies
from tests.conftest import SEED, SeedCopy, run_cli
from tests.support.web_archives import Response, write_warc

IDENTITY = "The copy is the cited text"
WORDS = "Quotes in the copy, in order"
POSITIONS = "Quotes at their position"
CONTEXTS = "Quotes that are unique"
FRAGMENTS = "Quotes that are fragments"
COVERAGE = "Coverage of the text"
FURNITURE = "Passages excluded from coverage"
CHECKS = [
    *(IDENTITY, WORDS, POSITIONS, CONTEXTS, FRAGMENTS, COVERAGE, FURNITURE),
    "Values that are cited",
]


@pytest.fixture(scope="session")
def page() -> Path:
    """A copy of the archived page."""
    path = os.environ.get("SOURCE_PAGE")
    if not path:
        pytest.skip("SOURCE_PAGE is not set to a copy of the archived page")
    return Path(path)


class SyntheticPage:
    """A text with every quote of a seed at its position and `x` elsewhere, cited by the seed.

    Attributes:
        text: The text; call `cite` after changing it.
    """

    def __init__(self, seed: SeedCopy) -> None:
        self.seed = seed
        source = seed.data["sources"][0]
        source["furniture"] = source["evidence"].pop("furniture") and None
        characters = ["x"] * source["characters"]
        for quote in quotes(seed.data):
            prefix, suffix = quote.get("prefix", ""), quote.get("suffix", "")
            start, end = quote["start"] - len(prefix), quote["end"] + len(suffix)
            characters[start:end] = prefix + quote["exact"] + suffix
        self.text = "".join(characters)

    def cite(self) -> Record:
        """Make the seed cite the text as it is now, and load the record."""
        content = self.text.encode()
        source = self.seed.data["sources"][0]
        source["sha256"] = hashlib.sha256(content).hexdigest()
        source["bytes"], source["characters"] = len(content), len(self.text)
        return load_record(self.seed.write())

    def put(self, start: int, text: str) -> None:
        """Overwrite part of the text."""
        self.text = self.text[:start] + text + self.text[start + len(text) :]


def quotes(data: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Every quote of a seed."""
    for pointer, value in leaves(data):
        if pointer.endswith("/quote/exact"):
            holder: Any = data
            for step in pointer.split("/")[1:-1]:
                holder = holder[int(step) if isinstance(holder, list) else step]
            assert holder["exact"] == value
            yield holder


def leaves(value: object, pointer: str = "") -> Iterator[tuple[str, object]]:
    """Every scalar value of a JSON document, with its JSON pointer."""
    if isinstance(value, dict):
        for key, member in value.items():
            yield from leaves(member, f"{pointer}/{key}")
    elif isinstance(value, list):
        for index, member in enumerate(value):
            yield from leaves(member, f"{pointer}/{index}")
    else:
        yield pointer, value


@pytest.fixture
def synthetic(seed: SeedCopy) -> SyntheticPage:
    """A page to verify a copy of the shipped seed against, without the archived page."""
    return SyntheticPage(seed)


def failures(record: Record, text: str) -> dict[str, list[Issue]]:
    """The issues of each check that failed."""
    checks = check_source(record, PageCopy(text))
    assert [check.name for check in checks] == CHECKS
    return {check.name: list(check.issues) for check in checks if check.issues}


def differences(record: Record, text: str) -> dict[str, list[Issue]]:
    """How a copy differs from the cited text, by check, if no check failed."""
    assert not failures(record, text)
    checks = check_source(record, PageCopy(text))
    return {check.name: list(check.differences) for check in checks if check.differences}


def test_an_identical_copy_passes(synthetic: SyntheticPage) -> None:
    """No check fails if every quote is at its position."""
    assert not differences(synthetic.cite(), synthetic.text)


def test_a_wrong_position_fails_in_the_cited_text(synthetic: SyntheticPage) -> None:
    """A quote that stands elsewhere in the cited text is an error of the seed."""
    [cited] = synthetic.seed.data["partnerships"][0]["evidence"]["signed"]
    cited["quote"].update(start=581, end=594)
    failed = failures(synthetic.cite(), synthetic.text)
    assert set(failed) == {POSITIONS}
    [issue] = failed[POSITIONS]
    assert issue.pointer == "/partnerships/0/evidence/signed/0/quote"
    assert issue.found == '"June 15, 2017" at 581'
    assert issue.expected == "position 580 (-1)"


def test_missing_words_fail_with_what_stands_there_instead(synthetic: SyntheticPage) -> None:
    """Words that are not in the copy are an issue; that their copy differs is not another one."""
    record = synthetic.cite()
    failed = failures(record, synthetic.text.replace("June 15", "June 16"))
    assert set(failed) == {WORDS}
    [issue] = failed[WORDS]
    assert issue.pointer == "/partnerships/0/evidence/signed/0/quote"
    assert issue.found == '"June 15, 2017" at 580'
    assert "June 16, 2017" in issue.expected


def test_a_length_that_is_not_that_of_the_cited_text_fails(synthetic: SyntheticPage) -> None:
    """The digest decides which text is cited; the length must be that of the text."""
    synthetic.cite()
    synthetic.seed.put("/sources/0/bytes", 3_559)
    record = load_record(synthetic.seed.write())
    [issue] = failures(record, synthetic.text)[IDENTITY]
    assert issue.pointer == "/sources/0/bytes"


def test_a_shifted_copy_is_different_and_has_the_new_positions(synthetic: SyntheticPage) -> None:
    """An extra character at the start moves every quote, which is reported once."""
    record = synthetic.cite()
    found = differences(record, "x" + synthetic.text)
    assert {issue.pointer for issue in found[IDENTITY]} == {
        "/sources/0/sha256",
        "/sources/0/bytes",
        "/sources/0/characters",
    }
    [moved] = found[POSITIONS]
    others = len(list(quotes(synthetic.seed.data))) - 1
    words = "official website of the United States government"
    assert moved.found == f'"{words}" at 3, and {others} quotes after it'
    assert moved.expected == "position 4 (+1)"


def test_only_the_cited_text_shows_what_needs_its_lines(synthetic: SyntheticPage) -> None:
    """In another text, sentences are not those that the record was checked with."""
    record = synthetic.cite()
    checks = {check.name: check for check in check_source(record, PageCopy("x" + synthetic.text))}
    assert {name for name, check in checks.items() if check.skipped} == {
        CONTEXTS,
        FRAGMENTS,
        FURNITURE,
    }


@pytest.mark.parametrize(
    ("space", "name"), [("\u00a0", "U+00A0 NO-BREAK SPACE"), ("\n", "U+000A LINE FEED")]
)
def test_characters_that_look_alike_are_named(
    synthetic: SyntheticPage, space: str, name: str
) -> None:
    """Two texts that look the same are not just shown as found and expected."""
    record = synthetic.cite()
    copy = synthetic.text.replace("June 15, 2017", f"June{space}15, 2017")
    [issue] = differences(record, copy)[POSITIONS]
    assert issue.expected.endswith(f" (found U+0020 SPACE instead of {name})")


@pytest.mark.parametrize(
    ("found", "expected", "named"),
    [
        ("Peru", "\u0420eru", "U+0050 LATIN CAPITAL LETTER P instead of U+0420 CYRILLIC CAPITAL"),
        ("June 15", "June \u200b15", "nothing instead of U+200B ZERO WIDTH SPACE"),
        ("June 15", "June  15", "nothing instead of U+0020 SPACE"),
        ("Caf\u00e9", "Cafe\u0301", "U+0301 COMBINING ACUTE ACCENT"),
        ("June 15", "June 16", ""),
        (" June 15", "June 15,", ""),
        ("June 15", "June 15", ""),
    ],
)
def test_only_what_cannot_be_seen_is_named(found: str, expected: str, named: str) -> None:
    """A difference that can be seen is not explained."""
    differences = name_differences(found, expected)
    assert named in differences
    assert bool(named) == bool(differences)


def test_invisible_characters_are_shown() -> None:
    """They are escaped as in JSON; letters of any script are not."""
    assert format_value("a\u00a0b\u200b\u2028\u202e") == '"a\\u00a0b\\u200b\\u2028\\u202e"'
    assert format_value("Perú, 国际 \u0440") == '"Perú, 国际 \u0440"'


@pytest.fixture
def two_sources(synthetic: SyntheticPage) -> Record:
    """A record that also cites a second page, with one word."""
    synthetic.cite()
    seed = synthetic.seed
    quote = {"source": "other-page", "start": 0, "end": 6, "exact": "Centro"}
    seed.put("/sources/1", {**seed.data["sources"][0], "id": "other-page", "sha256": "0" * 64})
    seed.data["organizations"][4]["evidence"]["kind"] = [{"basis": "editorial", "quote": quote}]
    return load_record(seed.write())


def test_a_copy_is_compared_with_the_source_that_it_fits_best(
    synthetic: SyntheticPage, two_sources: Record
) -> None:
    """Without the digest of a source, the share of quotes that the copy contains decides."""
    for text, index in ((f"x{synthetic.text}", 0), ("Centro, edited", 1), ("nothing", 0)):
        [identity, *_] = check_source(two_sources, PageCopy(text))
        assert {issue.pointer.split("/")[2] for issue in identity.differences} == {str(index)}
        assert identity.summary.startswith(("us-peru-cpc-page, ", "other-page, ")[index])


def test_the_source_of_a_copy_can_be_given(two_sources: Record) -> None:
    """A given source is used even if another fits better; an unknown one is an error."""
    [identity, *_] = check_source(two_sources, PageCopy("Centro"), "us-peru-cpc-page")
    assert identity.summary.startswith("us-peru-cpc-page, ")
    with pytest.raises(ValueError, match="no source page, only us-peru-cpc-page, other-page"):
        check_source(two_sources, PageCopy("Centro"), "page")


@pytest.mark.usefixtures("two_sources")
def test_a_web_archive_is_compared_with_every_source_in_it(
    synthetic: SyntheticPage, tmp_path: Path
) -> None:
    """Each source is compared with the capture of its URL, or only the one that is given."""
    seed, other = synthetic.seed, "https://agency.example/other"
    seed.put("/sources/1/url", other)
    record = load_record(seed.write())
    texts = {seed.data["sources"][0]["url"]: synthetic.text, other: "Centro"}
    responses = [
        Response(url, "2021-01-20T00:00:00Z", text.encode()) for url, text in texts.items()
    ]
    copy = str(write_warc(tmp_path / "copy", responses))
    checks = verify_copies(record, copy)
    assert [check.name for check in checks] == CHECKS * 2
    assert [check.summary.partition(",")[0] for check in checks if check.name == IDENTITY] == [
        "us-peru-cpc-page",
        "other-page",
    ]
    assert not any(check.issues for check in checks)
    [identity, *_] = verify_copies(record, copy, "other-page")
    assert identity.summary.startswith("other-page, ")
    with pytest.raises(ValueError, match="no source page"):
        verify_copies(record, copy, "page")


@pytest.mark.process
def test_the_command_accepts_a_copy_of_each_source(archive_file: Path, tmp_path: Path) -> None:
    """`--source` can be repeated, with the id of the source before the path."""
    copy = tmp_path / "a=b.txt"
    copy.write_text("x" * 3558, "utf-8")
    copies = ("--source", str(copy), "--source", f"us-peru-cpc-page={copy}")
    result = run_cli("verify", *copies, ARCHIVE_FILE=str(archive_file))
    assert result.returncode == 1
    assert result.stdout.count(IDENTITY) == 2
    result = run_cli("verify", "--source", f"page={copy}", ARCHIVE_FILE=str(archive_file))
    assert result.returncode == 2
    assert "no source page, only us-peru-cpc-page" in result.stderr


def test_a_truncated_copy_fails(synthetic: SyntheticPage) -> None:
    """Quotes past the end of the copy fail without a crash, also if it is empty."""
    record = synthetic.cite()
    for length in (0, 1, 1_000):
        assert WORDS in failures(record, synthetic.text[:length])


def test_uncited_text_is_reported(synthetic: SyntheticPage) -> None:
    """A sentence with letters that no citation overlaps is reported with its position."""
    start = synthetic.text.index("x" * 60)
    synthetic.put(start, ".\n2,000!\nUncited (2,000)?\n- 3\n")
    [gap] = failures(synthetic.cite(), synthetic.text)[COVERAGE]
    assert gap.pointer == "/sources/0"
    assert gap.found == f'no citation from {start + 9} to {start + 25}, "Uncited (2,000)?"'


@pytest.mark.parametrize("field", ["signed", "planned_years"])
def test_a_short_line_may_be_quoted_whole(synthetic: SyntheticPage, field: str) -> None:
    """A date or a name on a line of its own is not a sentence."""
    [cited] = synthetic.seed.data["partnerships"][0]["evidence"][field]
    synthetic.put(cited["quote"]["start"] - 1, "\n")
    synthetic.put(cited["quote"]["end"], "\n")
    assert FRAGMENTS not in failures(synthetic.cite(), synthetic.text)


def test_a_whole_sentence_must_not_be_quoted(synthetic: SyntheticPage) -> None:
    """A long quote must be a fragment of its sentence."""
    synthetic.text = synthetic.text.replace("x", "\n")
    failed = failures(synthetic.cite(), synthetic.text)[FRAGMENTS]
    assert {issue.found for issue in failed} == {"a whole sentence"}


def test_quotes_must_be_unique(synthetic: SyntheticPage) -> None:
    """One that occurs more than once fails without a prefix or suffix, which is suggested."""
    [cited] = synthetic.seed.data["regions"][2]["evidence"]["name"]
    assert cited["quote"].pop("suffix") == "."
    record = synthetic.cite()
    count = synthetic.text.count("Loreto")
    [issue] = failures(record, synthetic.text)[CONTEXTS]
    assert issue.pointer == "/regions/2/evidence/name/0/quote"
    assert issue.found == f'"Loreto", which occurs {count} times'
    assert issue.expected.startswith('a context such as {"')


def test_prefix_and_suffix_must_be_those_of_the_page(synthetic: SyntheticPage) -> None:
    """A wrong suffix fails even if it makes the quote unique."""
    record = synthetic.cite()
    synthetic.put(synthetic.text.index("Loreto.") + 6, ",")
    synthetic.seed.put("/regions/2/evidence/name/0/quote/suffix", ";")
    record = synthetic.cite()
    [issue] = failures(record, synthetic.text)[CONTEXTS]
    assert issue.found == '"Loreto;" at 1897'
    assert issue.expected == "the text before and after the quote"


def test_excluded_passages_must_be_whole_sentences(synthetic: SyntheticPage) -> None:
    """A passage that ends within a sentence fails: no part of a sentence may be excluded."""
    synthetic.put(56, ".\n")
    synthetic.seed.put("/sources/0/furniture", [{"start": 0, "end": 57, "reason": "banner"}])
    evidence = synthetic.seed.data["sources"][0]["evidence"]
    evidence["furniture"] = evidence["archived_from"]
    assert FURNITURE not in failures(synthetic.cite(), synthetic.text)
    synthetic.seed.put("/sources/0/furniture/0/end", 50)
    [issue] = failures(synthetic.cite(), synthetic.text)[FURNITURE]
    assert issue.pointer == "/sources/0/furniture/0"
    assert issue.found == "50"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("One. Two! Three? Four; five", ["One.", "Two!", "Three?", "Four;", "five"]),
        ("U.S.-Peru at 3.5 million", ["U.S.-Peru at 3.5 million"]),
        ("line\nline\r\nline", ["line", "line", "line"]),
        ("one.\u00a0Two", ["one.", "Two"]),
        ("one, two: three", ["one, two: three"]),
        ("end.", ["end."]),
        ("", [""]),
    ],
)
def test_a_text_is_split_into_lines_and_sentences(text: str, expected: list[str]) -> None:
    """A split is at a line break, or after punctuation that is followed by white space."""
    found = [text[start:end] for start, end in split_sentences(text, 0, len(text))]
    assert found == expected


def test_a_record_without_a_source_cannot_be_verified(record: Record) -> None:
    """Having nothing to check is not a success."""
    bare = replace(record, resources={**record.resources, "source": []})
    with pytest.raises(ValueError, match="cites no source"):
        check_source(bare, PageCopy("text"))


def test_a_modified_archive_is_detected(archive_file: Path, tmp_path: Path) -> None:
    """A flipped bit anywhere in the archive is an issue."""
    assert not check_archive(SEED, archive_file).issues
    content = bytearray(archive_file.read_bytes())
    for place in (0, len(content) // 2, len(content) - 1):
        content[place] ^= 1
        other = tmp_path / "archive.sqlite"
        other.write_bytes(content)
        assert isinstance(check := check_archive(SEED, other), Check)
        assert len(check.issues) == 1


@pytest.mark.process
def test_the_command_reports_every_issue(archive_file: Path, tmp_path: Path) -> None:
    """It prints a table and each issue with its pointer, and fails."""
    copy = tmp_path / "page.txt"
    copy.write_text("x" * 3558, "utf-8")
    result = run_cli("verify", "--source", str(copy), ARCHIVE_FILE=str(archive_file))
    assert result.returncode == 1
    assert all(name in result.stdout for name in CHECKS)
    assert "/sources/0/sha256: found " in result.stderr
    assert "/partnerships/0/evidence/signed/0/quote: found " in result.stderr


@pytest.mark.process
@pytest.mark.parametrize("name", ["missing.txt", ".", "picture.png"])
def test_an_unreadable_copy_is_a_usage_error(archive_file: Path, tmp_path: Path, name: str) -> None:
    """A path that is not a text file results in a message, without a traceback."""
    (tmp_path / "picture.png").write_bytes(b"\x89PNG")
    result = run_cli("verify", "--source", str(tmp_path / name), ARCHIVE_FILE=str(archive_file))
    assert result.returncode == 2
    assert "cannot be read as the archived page" in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.process
def test_the_record_matches_the_archived_page(page: Path, archive_file: Path) -> None:
    """All quotes are at their position, the text is covered and every value is cited."""
    result = run_cli("verify", "--source", str(page), ARCHIVE_FILE=str(archive_file))
    assert result.returncode == 0, result.stderr
    assert all(name in result.stdout for name in CHECKS)
    assert "100%" in result.stdout
    assert not any(
        check.issues for check in check_source(load_record(SEED), PageCopy(page.read_text("utf-8")))
    )


SHIPPED = json.loads(SEED.read_text("utf-8"))

UNCHECKED = {
    r"/\$schema": "a hint for editors, which is not served",
    r"/modified": "about the record, not the page",
    r"/release/.*": "the stamp of a release; without its content, the seed is a draft",
    r"/title|/description|/keywords/\d+|/archive_notice": "own wording about the whole",
    r"/(wording_)?license/title|/outlines/note": "own wording about the whole",
    r"/(partnerships|objectives|awards|activities|sources)/\d+/(title|summary)": "own wording",
    r"/partnerships/\d+/name": "own wording: the page gives its parts in two places",
    r"/organizations/[01]/name": "own wording: the page names the countries",
    r"/sources/\d+/notices/\d+": "own wording of notices on the page",
    r"/sources/\d+/furniture/\d+/reason": "own wording",
    r"/(activities|organizations)/\d+/id": "any free slug, which nothing may refer to",
    r".*/note": "own wording of a rule or a comment",
    r".*/reference/(title|license)": "about another publication, which a reader must look up",
    r".*/url": "an external link, which only a reader can follow",
}
"""Values that cannot be checked automatically, each with the reason. All others must be."""

WITH_PAGE = {
    r".*/quote/(exact|prefix|suffix)": "the text at a position is on the page",
    r"/sources/\d+/(sha256|bytes|characters)": "describe the page",
    r"/sources/\d+/furniture/\d+/(start|end)": "edges of sentences of the page",
    r"/sources/\d+/furniture/\d+/(starts|ends)_with": "words of the page",
}
"""Values that can only be checked against the archived page."""


def matches(pointer: str, patterns: dict[str, str]) -> bool:
    """Whether a pointer matches one of the patterns."""
    return any(re.fullmatch(pattern, pointer) for pattern in patterns)


def checkable_values() -> dict[str, list[tuple[str, object]]]:
    """The values that can be checked, grouped by pointer without numbers and cited fields."""
    groups = defaultdict(list)
    for pointer, value in leaves(SHIPPED):
        if value is not None and not matches(pointer, UNCHECKED):
            group = re.sub(r"/\d+", "/*", re.sub(r"/evidence/\w+", "/evidence/*", pointer))
            groups[group].append((pointer, value))
    return groups


GROUPS = checkable_values()


def changed(value: object) -> object:
    """The value with one digit or letter changed: the last digit, else the last letter."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value + 1
    text = str(value)
    indexes = [index for index, character in enumerate(text) if character in "0123456789"]
    indexes = indexes or [index for index, character in enumerate(text) if character.isalpha()]
    if not indexes:
        return f"{text}x"
    last = indexes[-1]
    other = {"9": "0", "z": "a", "Z": "A"}.get(text[last], chr(ord(text[last]) + 1))
    return text[:last] + other + text[last + 1 :]


def is_undetected(seed: SeedCopy, leaf: tuple[str, object], content: bytes | None) -> bool:
    """Whether a seed with one value changed passes all checks."""
    pointer, value = leaf
    seed.put(pointer, changed(value))
    try:
        record = load_record(seed.write())
    except SeedError as error:
        return not all(issue.pointer for issue in error.issues)
    finally:
        seed.put(pointer, value)
    if content is None:
        return True
    checks = check_source(record, PageCopy(content.decode()))
    return not any(check.issues or check.differences for check in checks)


@pytest.mark.parametrize(
    "group", [group for group, [first, *_] in GROUPS.items() if not matches(first[0], WITH_PAGE)]
)
def test_every_change_is_detected(seed: SeedCopy, group: str) -> None:
    """If one digit or letter of any value changes, the seed is rejected with the pointer."""
    assert [leaf for leaf in GROUPS[group] if is_undetected(seed, leaf, None)] == []


@pytest.mark.parametrize(
    "group", [group for group, [first, *_] in GROUPS.items() if matches(first[0], WITH_PAGE)]
)
def test_every_change_is_detected_with_the_page(seed: SeedCopy, page: Path, group: str) -> None:
    """What can only be checked against the page is detected by verification."""
    content = page.read_bytes()
    assert [leaf for leaf in GROUPS[group] if is_undetected(seed, leaf, content)] == []


@pytest.mark.parametrize("pattern", [*UNCHECKED, *WITH_PAGE])
def test_every_exception_is_needed(pattern: str) -> None:
    """Every exception matches a value of the seed."""
    assert any(re.fullmatch(pattern, pointer) for pointer, _ in leaves(SHIPPED))
