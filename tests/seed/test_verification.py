"""The record held against the archived page, and every leaf of the seed against a change."""

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
from app.seed.errors import Issue, SeedError
from app.seed.record import Record, load_record
from app.seed.verification import Check, check_source, split_sentences
from tests.conftest import SEED, SeedCopy, run_cli

CHECKS = [
    "The copy is the page that was cited",
    "Quotes at their position",
    "Quotes that are fragments",
    "Coverage of the text",
    "Stretches left out of it",
    "Values that are cited",
]


@pytest.fixture(scope="session")
def page() -> Path:
    """A copy of the archived page."""
    named = os.environ.get("SOURCE_PAGE")
    if not named:
        pytest.skip("SOURCE_PAGE names no copy of the archived page")
    return Path(named)


class Imitation:
    """A text with every quote of a seed at its place and else only `x`, and a seed that cites it.

    Attributes:
        text: The text; changing it and calling `cite` lets the seed cite it as it is then.
    """

    def __init__(self, seed: SeedCopy) -> None:
        self.seed = seed
        source = seed.data["sources"][0]
        source["furniture"] = source["evidence"].pop("furniture") and None
        characters = ["x"] * source["characters"]
        for quote in quotes(seed.data):
            characters[quote["start"] : quote["end"]] = quote["exact"]
        self.text = "".join(characters)

    def cite(self) -> Record:
        """Let the seed cite the text and load it."""
        content = self.text.encode()
        source = self.seed.data["sources"][0]
        source["sha256"] = hashlib.sha256(content).hexdigest()
        source["bytes"], source["characters"] = len(content), len(self.text)
        return load_record(self.seed.write())

    def put(self, start: int, text: str) -> None:
        """Write over the text."""
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
    """Every value of a JSON document that holds no other, with its JSON pointer."""
    if isinstance(value, dict):
        for key, member in value.items():
            yield from leaves(member, f"{pointer}/{key}")
    elif isinstance(value, list):
        for index, member in enumerate(value):
            yield from leaves(member, f"{pointer}/{index}")
    else:
        yield pointer, value


@pytest.fixture
def imitation(seed: SeedCopy) -> Imitation:
    """A text that a copy of the shipped seed can be held against without the archived page."""
    return Imitation(seed)


def missed(record: Record, text: str) -> dict[str, list[Issue]]:
    """The misses of each check that found any."""
    checks = check_source(record, text.encode())
    assert [check.name for check in checks] == CHECKS
    return {check.name: list(check.issues) for check in checks if check.issues}


def test_a_true_copy_passes(imitation: Imitation) -> None:
    """Nothing is missed where every quote stands at its place."""
    assert not missed(imitation.cite(), imitation.text)


def test_another_copy_is_told(imitation: Imitation) -> None:
    """One other character shows in the digest, and in the quotes that hold it."""
    record = imitation.cite()
    misses = missed(record, imitation.text.replace("June 15", "June 16"))
    assert set(misses) == {CHECKS[0], CHECKS[1]}
    [digest] = misses[CHECKS[0]]
    assert digest.pointer == "/sources/0/sha256"
    [quote] = misses[CHECKS[1]]
    assert quote.pointer == "/partnerships/0/evidence/signed/0/quote"
    assert quote.found == '"June 15, 2017" at 580'
    assert quote.expected == '"June 16, 2017"'


def test_a_shifted_copy_is_told_where_quotes_stand(imitation: Imitation) -> None:
    """One character more at the start shifts every quote, and the report says whereto."""
    record = imitation.cite()
    misses = missed(record, "x" + imitation.text)
    assert {issue.pointer for issue in misses[CHECKS[0]]} == {
        "/sources/0/sha256",
        "/sources/0/bytes",
        "/sources/0/characters",
    }
    assert len(misses[CHECKS[1]]) == len(list(quotes(imitation.seed.data)))
    assert misses[CHECKS[1]][0].expected.endswith("; the quote stands at 596")


def test_a_copy_cut_short_is_told(imitation: Imitation) -> None:
    """Quotes past the end of a copy are missed, without a crash; so is an empty copy."""
    record = imitation.cite()
    for length in (0, 1, 1_000):
        assert CHECKS[1] in missed(record, imitation.text[:length])


def test_text_that_nothing_cites_is_told(imitation: Imitation) -> None:
    """A sentence with a letter that no citation touches is a gap, told with its positions."""
    start = imitation.text.index("x" * 60)
    imitation.put(start, ".\n2,000!\nUncited (2,000)?\n- 3\n")
    [gap] = missed(imitation.cite(), imitation.text)[CHECKS[3]]
    assert gap.pointer == "/sources/0"
    assert gap.found == f"nothing cited from {start + 9} to {start + 25}"


@pytest.mark.parametrize("field", ["signed", "planned_years"])
def test_a_short_line_may_be_quoted_whole(imitation: Imitation, field: str) -> None:
    """A date or a name that stands alone in its line is no sentence."""
    [cited] = imitation.seed.data["partnerships"][0]["evidence"][field]
    imitation.put(cited["quote"]["start"] - 1, "\n")
    imitation.put(cited["quote"]["end"], "\n")
    assert CHECKS[2] not in missed(imitation.cite(), imitation.text)


def test_a_whole_sentence_must_not_be_quoted(imitation: Imitation) -> None:
    """A long quote is a fragment of its sentence, never all of it."""
    imitation.text = imitation.text.replace("x", "\n")
    misses = missed(imitation.cite(), imitation.text)[CHECKS[2]]
    assert {issue.found for issue in misses} == {"a whole sentence"}


def test_what_is_left_out_must_be_whole_sentences(imitation: Imitation) -> None:
    """A stretch that ends amid a sentence is told: no half sentence escapes the coverage."""
    imitation.put(56, ".\n")
    imitation.seed.put("/sources/0/furniture", [{"start": 0, "end": 57, "reason": "banner"}])
    evidence = imitation.seed.data["sources"][0]["evidence"]
    evidence["furniture"] = evidence["archived_from"]
    assert CHECKS[4] not in missed(imitation.cite(), imitation.text)
    imitation.seed.put("/sources/0/furniture/0/end", 50)
    [miss] = missed(imitation.cite(), imitation.text)[CHECKS[4]]
    assert miss.pointer == "/sources/0/furniture/0"
    assert miss.found == "50"


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
def test_a_text_falls_into_lines_and_sentences(text: str, expected: list[str]) -> None:
    """A piece ends at a line end, and after a stop that white space follows."""
    found = [text[start:end] for start, end in split_sentences(text, 0, len(text))]
    assert found == expected


def test_a_copy_that_is_no_text_is_told(imitation: Imitation) -> None:
    """Bytes that are not UTF-8 are no copy of the page."""
    with pytest.raises(ValueError, match="utf-8"):
        check_source(imitation.cite(), b"\xff")


def test_a_record_without_source_cannot_be_held_against_one(record: Record) -> None:
    """Nothing to check is not passed as all well."""
    bare = replace(record, resources={**record.resources, "source": []})
    with pytest.raises(ValueError, match="cites no source"):
        check_source(bare, b"text")


def test_the_archive_is_held_against_the_record(archive_file: Path, tmp_path: Path) -> None:
    """One flipped bit anywhere in the archive is found."""
    assert not check_archive(SEED, archive_file).issues
    content = bytearray(archive_file.read_bytes())
    for place in (0, len(content) // 2, len(content) - 1):
        content[place] ^= 1
        other = tmp_path / "archive.sqlite"
        other.write_bytes(content)
        assert isinstance(check := check_archive(SEED, other), Check)
        assert len(check.issues) == 1


def test_the_command_tells_every_miss(archive_file: Path, tmp_path: Path) -> None:
    """It prints a table, each miss with its pointer, and fails."""
    copy = tmp_path / "page.txt"
    copy.write_text("x" * 3558, "utf-8")
    said = run_cli("verify", "--source", str(copy), ARCHIVE_FILE=str(archive_file))
    assert said.returncode == 1
    assert all(name in said.stdout for name in CHECKS)
    assert "/sources/0/sha256: found " in said.stderr
    assert "/partnerships/0/evidence/signed/0/quote: found " in said.stderr


@pytest.mark.parametrize("name", ["absent.txt", ".", "picture.png"])
def test_a_copy_that_cannot_be_read_is_wrong_usage(
    archive_file: Path, tmp_path: Path, name: str
) -> None:
    """A path that leads to no text is told in a sentence, without a traceback."""
    (tmp_path / "picture.png").write_bytes(b"\x89PNG")
    said = run_cli("verify", "--source", str(tmp_path / name), ARCHIVE_FILE=str(archive_file))
    assert said.returncode == 2
    assert "cannot be read as the archived page" in said.stderr
    assert "Traceback" not in said.stderr


def test_the_record_is_what_the_page_says(page: Path, archive_file: Path) -> None:
    """All quotes stand at their place, everything is covered, and nothing is uncited."""
    said = run_cli("verify", "--source", str(page), ARCHIVE_FILE=str(archive_file))
    assert said.returncode == 0, said.stderr
    assert all(name in said.stdout for name in CHECKS)
    assert "100%" in said.stdout
    assert not any(check.issues for check in check_source(load_record(SEED), page.read_bytes()))


SHIPPED = json.loads(SEED.read_text("utf-8"))

UNCHECKED = {
    r"/\$schema": "a hint for editors, which is not served",
    r"/modified": "of the record itself, not of the page",
    r"/archive_notice|/license/title|/outlines/note": "own wording about the whole",
    r"/(partnerships|objectives|awards|activities|sources)/\d+/(title|summary)": "own wording",
    r"/partnerships/\d+/name": "own wording: the page gives its parts in two places",
    r"/organizations/[01]/name": "own wording: the page names the countries",
    r"/sources/\d+/notices/\d+": "own wording of what the page says of itself",
    r"/sources/\d+/furniture/\d+/reason": "own wording",
    r".*/note": "own wording of a rule or a remark",
    r".*/reference/(title|license)": "of another publication, which a reader must look up",
    r".*/url": "leads out of the record, where only a reader can follow",
}
"""Leaves that no machine can check, each kind with its reason. Nothing else may slip through."""

WITH_PAGE = {
    r".*/quote/exact": "what stands at a place is on the page",
    r"/sources/\d+/(sha256|bytes|characters)": "describe the page",
    r"/sources/\d+/furniture/\d+/(start|end)": "edges of sentences of the page",
}
"""Leaves that only the archived page can check."""


def matches(pointer: str, patterns: dict[str, str]) -> bool:
    """Whether a leaf is of one of some kinds."""
    return any(re.fullmatch(pattern, pointer) for pattern in patterns)


def by_kind() -> dict[str, list[tuple[str, object]]]:
    """The leaves that can be checked, by their pointer without its numbers and cited fields."""
    kinds = defaultdict(list)
    for pointer, value in leaves(SHIPPED):
        if value is not None and not matches(pointer, UNCHECKED):
            kind = re.sub(r"/\d+", "/*", re.sub(r"/evidence/\w+", "/evidence/*", pointer))
            kinds[kind].append((pointer, value))
    return kinds


KINDS = by_kind()


def changed(value: object) -> object:
    """The value with one digit or letter changed: the last digit, else the last letter."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value + 1
    text = str(value)
    places = [index for index, one in enumerate(text) if one in "0123456789"]
    places = places or [index for index, one in enumerate(text) if one.isalpha()]
    last = places[-1]
    other = {"9": "0", "z": "a", "Z": "A"}.get(text[last], chr(ord(text[last]) + 1))
    return text[:last] + other + text[last + 1 :]


def slips(seed: SeedCopy, leaf: tuple[str, object], content: bytes | None) -> bool:
    """Whether a seed with one leaf changed is taken for the record of the page."""
    pointer, value = leaf
    seed.put(pointer, changed(value))
    try:
        record = load_record(seed.write())
    except SeedError as error:
        return not all(issue.pointer for issue in error.issues)
    finally:
        seed.put(pointer, value)
    return content is None or not any(check.issues for check in check_source(record, content))


@pytest.mark.parametrize(
    "kind", [kind for kind, [first, *_] in KINDS.items() if not matches(first[0], WITH_PAGE)]
)
def test_no_change_slips_through(seed: SeedCopy, kind: str) -> None:
    """Change one digit or letter of any leaf and the seed is refused, with the pointer."""
    assert [leaf for leaf in KINDS[kind] if slips(seed, leaf, None)] == []


@pytest.mark.parametrize(
    "kind", [kind for kind, [first, *_] in KINDS.items() if matches(first[0], WITH_PAGE)]
)
def test_no_change_slips_past_the_page(seed: SeedCopy, page: Path, kind: str) -> None:
    """What only the page can tell is told when the record is held against it."""
    content = page.read_bytes()
    assert [leaf for leaf in KINDS[kind] if slips(seed, leaf, content)] == []


@pytest.mark.parametrize("pattern", [*UNCHECKED, *WITH_PAGE])
def test_every_exception_is_needed(pattern: str) -> None:
    """The lists of exceptions hold nothing that the seed does not."""
    assert any(re.fullmatch(pattern, pointer) for pointer, _ in leaves(SHIPPED))
