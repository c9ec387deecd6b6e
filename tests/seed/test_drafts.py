"""Drafts are filled in from copies of their sources, and nothing else in them changes."""

from __future__ import annotations

import hashlib
import json
import os
import re
from pathlib import Path
from typing import Any

import pytest

from app.seed.copies import PageCopy
from app.seed.drafts import Draft, fill_in, match_copies, measure_draft_coverage
from app.seed.editing import report_coverage
from app.seed.errors import SeedError
from tests.conftest import SEED
from tests.support.records import FIJI, strip_positions

PAGE = "Banner. An award to Ana in Lima. An award to Ben in Lima.\n\nMore in Lima.\nBanner."
COPY = PageCopy(PAGE)


def draft_of(*quotes: dict[str, Any], **members: Any) -> Draft:
    """A draft with quotes, of one source unless others are given."""
    seed = {"sources": [{"id": "page"}], "quotes": [{"quote": quote} for quote in quotes]}
    return Draft(Path("seed.json"), json.dumps(seed | members, ensure_ascii=False))


def fill_quote(quote: dict[str, Any], **options: bool) -> tuple[Any, list[str]]:
    """A quote of the page filled in, and the issues as text."""
    filled = fill_in(draft_of(quote), {"page": COPY}, **options)
    return filled.draft.root.value["quotes"][0]["quote"], list(map(str, filled.issues))


@pytest.mark.parametrize(
    ("quote", "start", "added"),
    [
        ({"exact": "to Ana"}, 17, {}),
        ({"exact": "to Ana", "source": "page"}, 17, {}),
        ({"exact": "to Ana", "start": None, "end": None}, 17, {}),
        ({"exact": "to Ana", "end": 23}, 17, {}),
        ({"exact": "Lima", "prefix": "Ana in "}, 27, {}),
        ({"exact": "Lima", "suffix": ".\n\n"}, 52, {}),
        ({"exact": "in Lima", "start": 49}, 49, {"prefix": "Ben "}),
        ({"exact": "in Lima", "end": 31}, 24, {"suffix": ". An"}),
        ({"exact": "Banner", "start": 0}, 0, {"suffix": ". An"}),
    ],
)
def test_a_quote_gets_its_position(quote: dict[str, Any], start: int, added: Any) -> None:
    """Also the source if there is one, and a prefix or suffix if the words occur again."""
    filled, issues = fill_quote(quote)
    end = start + len(quote["exact"])
    assert filled == {**quote, "source": "page", "start": start, "end": end, **added}
    assert PAGE[start:end] == quote["exact"]
    assert issues == []


@pytest.mark.parametrize(
    ("quote", "issue"),
    [
        (
            {"exact": "Lima"},
            (
                '/quotes/0/quote: found "Lima", which occurs 3 times; expected '
                '"suffix": ". An" (at 27) or "prefix": "Ben in " (at 52) or '
                '"prefix": "More in " (at 67)'
            ),
        ),
        (
            {"exact": "in Lima", "prefix": "Bea "},
            (
                '/quotes/0/quote: found "in Lima", which occurs 3 times, but 0 times in its '
                'context; expected "suffix": ". An" (at 24) or "prefix": "Ben " (at 49) or '
                '"prefix": "More " (at 64)'
            ),
        ),
        (
            {"exact": "award for Ana"},
            '/quotes/0/quote/exact: found "award for Ana"; expected "award to Ana", at 11',
        ),
        (
            {"exact": "to\u00a0Ana"},
            (
                '/quotes/0/quote/exact: found "to\\u00a0Ana"; expected "to Ana", at 17 '
                "(found U+00A0 NO-BREAK SPACE instead of U+0020 SPACE)"
            ),
        ),
        (
            {"exact": "zebra"},
            '/quotes/0/quote/exact: found "zebra"; expected words that are on the page',
        ),
        (
            {"exact": "to Ana", "source": "other", "start": 1},
            (
                "/quotes/0/quote: found a quote without position; expected a copy of other: "
                "--source other=FILE"
            ),
        ),
    ],
)
def test_what_cannot_be_filled_in_is_reported(quote: dict[str, Any], issue: str) -> None:
    """The issue has the choices, or the nearest words; the quote stays as it is."""
    filled, issues = fill_quote(quote)
    assert filled == quote
    assert issues == [issue]


def test_a_position_that_is_wrong_is_reported_or_renewed() -> None:
    """What is there is replaced only if that is asked for."""
    quote = {"source": "page", "start": 18, "end": 24, "exact": "to Ana"}
    filled, issues = fill_quote(quote)
    assert filled == quote
    assert issues == [
        "/quotes/0/quote/start: found 18; expected 17, as in the copy",
        "/quotes/0/quote/end: found 24; expected 23, as in the copy",
    ]
    filled, issues = fill_quote(quote, renew=True)
    assert filled == {**quote, "start": 17, "end": 23}
    assert issues == []


def test_a_source_gets_its_digest_and_lengths() -> None:
    """Of the bytes and the code points of the copy."""
    draft = draft_of(sources=[{"id": "page", "not_stated": []}])
    copy = PageCopy("año\n")
    [source] = fill_in(draft, {"page": copy}).draft.root.value["sources"]
    assert list(source) == ["id", "sha256", "bytes", "characters", "not_stated"]
    assert source["sha256"] == hashlib.sha256("año\n".encode()).hexdigest()
    assert (source["bytes"], source["characters"]) == (5, 4)


@pytest.mark.parametrize(
    ("furniture", "spans"),
    [
        ([{"starts_with": "An award to Ana"}], [(8, 32)]),
        ([{"starts_with": "An award to Ana", "ends_with": "Lima."}], [(8, 32)]),
        ([{"starts_with": "An award to Ana", "ends_with": "Ben in Lima."}], [(8, 57)]),
        ([{"starts_with": "An award to B", "ends_with": "Banner."}], [(33, len(PAGE))]),
        ([{"start": 0, "end": 7}, {"starts_with": "Banner"}], [(0, 7), (73, len(PAGE))]),
    ],
)
def test_furniture_gets_its_position(furniture: Any, spans: list[tuple[int, int]]) -> None:
    """From its first and last words; the same line again is the next one after other furniture."""
    draft = draft_of(sources=[{"id": "page", "furniture": furniture}])
    filled = fill_in(draft, {"page": COPY})
    [source] = filled.draft.root.value["sources"]
    assert [(passage["start"], passage["end"]) for passage in source["furniture"]] == spans
    assert filled.issues == []


@pytest.mark.parametrize(
    ("passage", "issue"),
    [
        (
            {"starts_with": "An award"},
            (
                'starts_with: found "An award", with which 2 sentences or lines start; expected '
                "the first words of one"
            ),
        ),
        (
            {"starts_with": "award"},
            (
                'starts_with: found "award", with which 0 sentences or lines start; expected the '
                "first words of one"
            ),
        ),
        (
            {"starts_with": "More", "ends_with": "Ana"},
            (
                'ends_with: found "Ana"; expected the last words of that sentence or line, or of '
                "one after it"
            ),
        ),
    ],
)
def test_furniture_that_is_not_found_is_reported(passage: Any, issue: str) -> None:
    """The first words must be those of one sentence or line."""
    draft = draft_of(sources=[{"id": "page", "furniture": [passage]}])
    issues = fill_in(draft, {"page": COPY}).issues
    assert list(map(str, issues)) == [f"/sources/0/furniture/0/{issue}"]


def test_outlines_get_the_digest_of_their_file(tmp_path: Path) -> None:
    """The file is next to the seed; one that is missing is reported."""
    draft = Draft(tmp_path / "seed.json", '{"outlines": {"file": "map.geojson"}}')
    [issue] = fill_in(draft, {}).issues
    assert str(issue).startswith("/outlines/file: found map.geojson: No such file")
    (tmp_path / "map.geojson").write_bytes(b"{}")
    filled = fill_in(draft, {}).draft.root.value
    assert filled["outlines"]["sha256"] == hashlib.sha256(b"{}").hexdigest()


TWO = [{"id": "a"}, {"id": "b"}]
TWO_COPIES = {"a": PageCopy("Ana in Lima"), "b": PageCopy("Ben in Lima")}


def test_the_source_of_a_quote_is_the_one_with_its_words() -> None:
    """With several sources; if both have the words, it must be given."""
    draft = draft_of({"exact": "Ben"}, {"exact": "Lima"}, sources=TWO)
    filled = fill_in(draft, TWO_COPIES)
    first, second = (entry["quote"] for entry in filled.draft.root.value["quotes"])
    assert first == {"source": "b", "start": 0, "end": 3, "exact": "Ben"}
    assert second == {"exact": "Lima"}
    assert [str(issue) for issue in filled.issues] == [
        '/quotes/1/quote/source: found nothing; expected the source of "Lima": a or b'
    ]


def test_copies_are_matched_with_their_sources() -> None:
    """By id, by digest, or by the quotes that they contain; an unknown id is an error."""
    copy = PageCopy("Ben in Lima")
    digest = hashlib.sha256(copy.content).hexdigest()
    by_digest = draft_of(sources=[{"id": "a"}, {"id": "b", "sha256": digest}])
    by_quotes = draft_of({"source": "b", "exact": "Ben"}, sources=TWO)
    for draft in (by_digest, by_quotes):
        assert match_copies(draft, [("", copy)]) == {"b": copy}
    assert match_copies(by_digest, [("a", copy)]) == {"a": copy}
    with pytest.raises(ValueError, match="the seed has no source c, only a, b"):
        match_copies(by_digest, [("c", copy)])
    with pytest.raises(ValueError, match="the seed has no source yet"):
        match_copies(draft_of(sources=[]), [("", copy)])


def test_nothing_else_changes() -> None:
    """All characters of a draft stay, in order; filling in again changes nothing."""
    text = FIJI.draft.read_text("utf-8").replace("\n", "\r\n")
    draft = Draft(FIJI.draft, text)
    copies = {"fiji-page": PageCopy(FIJI.page.read_text("utf-8"))}
    filled = fill_in(draft, copies)
    assert filled.issues == []
    assert len(filled.added) > 150
    rest = iter(filled.draft.text)
    assert all(character in rest for character in text)
    again = fill_in(filled.draft, copies)
    assert (again.added, again.draft.text) == ((), filled.draft.text)


def test_the_shipped_seed_is_what_filling_it_in_gives() -> None:
    """Without positions, digests and lengths, these are filled in to the same bytes."""
    page = os.environ.get("SOURCE_PAGE")
    if not page:
        pytest.skip("SOURCE_PAGE is not set to a copy of the archived page")
    shipped = SEED.read_bytes().decode()
    stripped = strip_positions(shipped)
    assert len(stripped) < len(shipped) - 5_000
    copy = PageCopy(Path(page).read_bytes().decode())
    filled = fill_in(Draft(SEED, stripped), {"us-peru-cpc-page": copy})
    assert list(map(str, filled.issues)) == []
    assert filled.draft.text == shipped


def test_sentences_that_nothing_cites_are_listed() -> None:
    """Furniture need not be cited, and a quote without a position cites nothing yet."""
    source = {"id": "page", "furniture": [{"start": 0, "end": 7}]}
    draft = draft_of({"exact": "to Ana"}, {"exact": "Lima"}, sources=[source])
    copies = {"page": COPY}
    assert len(measure_draft_coverage(draft, copies)["page"].uncited) == 4
    report = report_coverage(fill_in(draft, copies).draft, copies)
    assert report.failed
    assert report.output == [
        "page: 1 of 4 sentences cited, 25%",
        "  33 to 57: An award to Ben in Lima.",
        "  59 to 72: More in Lima.",
        "  73 to 80: Banner.",
    ]


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"", "line 1, column 1: Expecting value"),
        (b'{\n"a": }', "line 2, column 6: Expecting value"),
        (b"[]", "[]; expected an object"),
        (b"\xff", "byte 0 is not UTF-8"),
        (b"[" * 100_000, "nesting too deep to parse"),
        (b"\xef\xbb\xbf{}", "line 1, column 1: "),
    ],
)
def test_a_draft_that_is_no_json_object_is_rejected(
    tmp_path: Path, content: bytes, found: str
) -> None:
    """The message has the line and the column."""
    path = tmp_path / "seed.json"
    path.write_bytes(content)
    with pytest.raises(SeedError, match=re.escape(f"(whole file): found {found}")):
        Draft.read(path)


def test_a_draft_that_does_not_exist_is_rejected(tmp_path: Path) -> None:
    """The message has the path."""
    with pytest.raises(SeedError, match=r"absent\.json: 1 issue\n.*No such file"):
        Draft.read(tmp_path / "absent.json")


@pytest.mark.parametrize(
    "seed",
    [
        {},
        {"sources": None, "quote": 1},
        {"sources": ["x", {}], "quote": {"exact": 1}},
        {"sources": [{"id": 1, "furniture": [1, {"starts_with": 1}]}], "outlines": []},
        {"outlines": {"file": 1}, "a": {"quote": {"exact": ""}}},
    ],
)
def test_values_of_the_wrong_type_are_left_to_the_build(seed: Any) -> None:
    """A draft may have anything anywhere."""
    draft = Draft(Path("seed.json"), json.dumps(seed))
    filled = fill_in(draft, {})
    assert filled.draft.text == draft.text
    assert filled.issues == []
