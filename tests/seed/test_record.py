"""The seed file is parsed strictly and every issue is reported with its location."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
import rfc8785
from jsonschema import Draft202012Validator

from app.archive.archive import COLLECTIONS
from app.models import RESOURCES
from app.models.values import EXPECTED_BY_PATTERN, SLUG_PATTERN
from app.seed.errors import Issue, SeedError, format_value
from app.seed.reader import SeedReader
from app.seed.record import SeedStream, load_record, seed_schema
from tests.conftest import SEED, SeedCopy, run_cli

MISSING = object()
QUOTE = "/awards/0/evidence/ends/0/quote"


def issues_in(path: Path) -> tuple[Issue, ...]:
    """The issues of an invalid seed file."""
    with pytest.raises(SeedError) as caught:
        load_record(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert all(str(issue) in str(caught.value) for issue in caught.value.issues)
    return caught.value.issues


def change(seed: SeedCopy, changes: dict[str, object]) -> Path:
    """Write a seed with other values, by JSON pointer."""
    for pointer, value in changes.items():
        if value is MISSING:
            seed.take(pointer)
        else:
            seed.put(pointer, value)
    return seed.write()


def test_the_shipped_seed_is_valid() -> None:
    """It loads, its release is the SHA-256 of its JSON, and every resource of the file is in it."""
    stream, raw = SeedStream(SEED), json.loads(SEED.read_text("utf-8"))
    resources = list(stream)
    assert stream.release == hashlib.sha256(rfc8785.dumps(raw)).hexdigest()
    assert [resource.id for resource in resources] == [
        entry["id"] for name in raw if name in COLLECTIONS for entry in raw[name]
    ]
    regions = {resource.id for resource in resources if resource.type == "region"}
    assert set(stream.outlines) == regions


def test_a_record_has_all_resources_of_the_seed() -> None:
    """A loaded record has what the stream yields, grouped by type."""
    record, stream = load_record(SEED), SeedStream(SEED)
    resources = list(stream)
    assert (record.release, record.metadata) == (stream.release, stream.metadata)
    assert record.resources == {
        model.type: [resource for resource in resources if resource.type == model.type]
        for model in RESOURCES
    }
    assert sorted(resource.id for resource in record) == sorted(
        resource.id for resource in resources
    )


INVALID: dict[str, tuple[str, object, str, str]] = {
    "unknown key": ("/awards/0/color", "red", '"red"', "no such key"),
    "unknown top-level key": ("/color", "red", '"red"', "no such key"),
    "unknown key of a quote": (f"{QUOTE}/page", 1, "1", "no such key"),
    "key with characters to escape": ("/awards/0/a~1b~0c", 1, "1", "no such key"),
    "missing key": ("/awards/0/ends", MISSING, "nothing", "a value (null if"),
    "blank value": ("/awards/0/ends", "", '""', "a date such as"),
    "missing id": ("/awards/0/id", MISSING, "nothing", "a value"),
    "missing not_stated": ("/regions/0/not_stated", MISSING, "nothing", "a value"),
    "missing evidence": ("/regions/0/evidence", MISSING, "nothing", "a value"),
    "missing collection": ("/sources", MISSING, "nothing", "a list of resources"),
    "missing modification date": ("/modified", MISSING, "nothing", "a value"),
    "modification date without a day": ("/modified", "2026-02", '"2026-02"', "a day such as"),
    "modification date not in the calendar": (
        "/modified",
        "2026-02-30",
        '"2026-02-30"',
        "calendar",
    ),
    "outlines without a digest": ("/outlines/sha256", MISSING, "nothing", "a value"),
    "outlines file that is a number": ("/outlines/file", 1, "1", "text, in double quotes"),
    "missing description": ("/description", MISSING, "nothing", "a value"),
    "collection that is null": ("/awards", None, "null", "a list of resources"),
    "collection that is an object": ("/awards", {}, "{}", "a list of resources"),
    "resource that is null": ("/awards/2", None, "null", "an object"),
    "evidence that is null": ("/awards/0/evidence", None, "null", "an object"),
    "uppercase slug": ("/sources/0/id", "Page", '"Page"', "an id of lowercase letters"),
    "lowercase country": ("/regions/0/country", "pe", '"pe"', "such as FR"),
    "subdivision without hyphen": ("/regions/0/iso_3166_2", "PELMA", '"PELMA"', "such as FR-IDF"),
    "ubigeo of odd length": ("/regions/0/inei_ubigeo", "150", '"150"', "2, 4 or 6 digits"),
    "ubigeo as a number": ("/regions/2/inei_ubigeo", 16, "16", "text"),
    "unknown kind": ("/organizations/0/kind", "bank", '"bank"', '"government"'),
    "unknown role": ("/organizations/0/roles/0", "donor", '"donor"', '"signatory"'),
    "unknown form": ("/awards/0/trafficking_forms/0", "x", '"x"', '"sex" or "labor"'),
    "unknown scope": ("/partnerships/0/precedence/0/scope", "mars", '"mars"', '"americas"'),
    "truncated digest": ("/sources/0/sha256", "8ba5", '"8ba5"', "64 lowercase hexadecimal"),
    "URL without scheme": ("/license/url", "law.cornell.edu", '"law', "http:// or https://"),
    "empty list": ("/awards/0/regions", [], "[]", "at least 1 item"),
    "empty evidence": ("/awards/0/evidence/ends", [], "[]", "at least 1 item"),
    "empty text": ("/awards/0/title", "", '""', "at least 1 character"),
    "position zero": ("/objectives/0/position", 0, "0", "not less than 1"),
    "position as text": ("/objectives/0/position", "1", '"1"', "integer"),
    "number for a boolean": ("/awards/0/has_sub_recipients", 1, "1", "true or false"),
    "quote over 80 characters": (f"{QUOTE}/exact", "x" * 81, '"xxxx', "at most 80 characters"),
    "negative position": (f"{QUOTE}/start", -1, "-1", "not less than 0"),
    "day without leading zeros": (
        "/partnerships/0/signed",
        "2017-6-15",
        '"2017-6-15"',
        "2024-02-29",
    ),
    "day not in the calendar": ("/partnerships/0/signed", "2017-02-30", "02-30", "in the calendar"),
    "month not in the calendar": (
        "/partnerships/0/signed",
        "2017-13",
        "2017-13",
        "in the calendar",
    ),
    "date with a line break": ("/awards/0/ends", "2020-12\n", '"2020-12\\n"', "2024-02"),
    "date as a number": ("/awards/0/ends", 2020, "2020", "text, in double quotes"),
}


@pytest.mark.parametrize(("pointer", "value", "found", "expected"), INVALID.values(), ids=INVALID)
def test_an_invalid_value_is_rejected(
    seed: SeedCopy, pointer: str, value: object, found: str, expected: str
) -> None:
    """The issue has the exact location, the actual value and a description of a valid one."""
    issues = issues_in(change(seed, {pointer: value}))
    [issue] = [issue for issue in issues if issue.pointer == pointer]
    assert found in issue.found
    assert expected in issue.expected


@pytest.mark.parametrize(
    ("pointer", "value", "message"),
    [
        ("/awards/0/ends", MISSING, "nothing; expected a value (null if the source gives none)"),
        ("/awards/0/title", MISSING, "nothing; expected a value"),
        (
            "/awards/0/has_sub_recipients",
            "",
            '""; expected true or false, or null if the source gives none',
        ),
        (
            "/awards/0/trafficking_forms/0",
            "",
            '""; expected "sex" or "labor", or null in place of the list if the source gives none',
        ),
        (
            "/awards/0/evidence/ends/0/quote/start",
            MISSING,
            "nothing; expected a value, which cpc-record cite fills in",
        ),
        ("/awards/0/id", MISSING, "nothing; expected a value"),
        ("/awards/0/not_stated", MISSING, "nothing; expected a value"),
        ("/description", MISSING, "nothing; expected a value"),
        (f"{QUOTE}/exact", MISSING, "nothing; expected a value"),
        ("/awards/0/evidence/ends/0/basis", MISSING, "nothing; expected a basis, such as stated"),
        (
            "/awards/0/evidence/ends/0/basis",
            "guessed",
            '"guessed"; expected one of "stated", "derived", "editorial", "enriched"',
        ),
        ("/awards/0", [1], "[1]; expected an object"),
        ("/awards/0/regions", "loreto", '"loreto"; expected a list'),
        ("/awards/0/title", "", '""; expected at least 1 character'),
        ("/awards/0/regions", [], "[]; expected at least 1 item"),
        (
            "/awards/0/trafficking_forms/0",
            "forced",
            '"forced"; expected "sex" or "labor"',
        ),
        (
            "/organizations/0/id",
            "ILO",
            f'"ILO"; expected {EXPECTED_BY_PATTERN[SLUG_PATTERN]}',
        ),
        (
            "/license/url",
            "https://a.org/a b",
            '"https://a.org/a b"; expected a URI (RFC 3986), with U+0020 SPACE written as %20',
        ),
        ("/awards/0/color", "red", '"red"; expected no such key'),
        ("/awards/0/ends", 2020, "2020; expected text, in double quotes"),
        ("/modified", "2026-02", '"2026-02"; expected a day such as 2024-02-29'),
    ],
)
def test_an_issue_is_one_sentence(
    seed: SeedCopy, pointer: str, value: object, message: str
) -> None:
    """It has the location, the actual value and the expectation, each once."""
    assert f"{pointer}: found {message}" in map(str, issues_in(change(seed, {pointer: value})))


TITLE_CITATION = json.loads(SEED.read_bytes())["awards"][0]["evidence"]["title"][0]
MONEY = ["5000000.0", "5e6", "1e999", "NaN", "Infinity", "true", '"5000000"', "-5", str(2**53)]


@pytest.mark.parametrize("amount", [*MONEY, "9" * 5_000, "-" + "9" * 20])
def test_amounts_are_exact_integers(seed: SeedCopy, amount: str) -> None:
    """No float, no boolean, nothing that a client's double would round."""
    seed.path.write_text(seed.path.read_text("utf-8").replace("5000000", amount), "utf-8")
    [issue] = issues_in(seed.path)
    assert issue.pointer == "/partnerships/0/investment_amount"
    assert issue.expected.startswith(("an integer", "a number not "))
    assert len(issue.found) <= 80


@pytest.mark.parametrize("number", [str(2**53), "-0", "9" * 5_000, "1.0", "1e2", "NaN"])
@pytest.mark.parametrize("position", ["/sources/0/bytes", "/modified", "/extra/0/x~1y"])
def test_every_number_of_a_seed_is_exact(seed: SeedCopy, position: str, number: str) -> None:
    """Wherever it is: so programs agree on the canonical form. Each has one issue at most."""
    if position.startswith("/extra"):
        seed.put("/extra", [{"x/y": None}])
    seed.put(position, "NUMBER")
    seed.path.write_text(json.dumps(seed.data).replace('"NUMBER"', number), "utf-8")
    issues = {issue.pointer: issue for issue in issues_in(seed.path)}
    assert len(issues_in(seed.path)) == len(issues)
    assert position in issues
    if position != "/modified":
        assert issues[position].expected.startswith("an integer")


INCONSISTENT: dict[str, tuple[dict[str, object], str, str, str]] = {
    "dangling reference": (
        {"/awards/0/recipient": "nobody"},
        "/awards/0/recipient",
        '"nobody"',
        "one of the organizations",
    ),
    "dangling reference in a list": (
        {"/awards/0/regions/1": "atlantis"},
        "/awards/0/regions",
        '"atlantis"',
        "one of the regions",
    ),
    "dangling parent": (
        {"/objectives/0/partnership": "us-mars-cpc"},
        "/objectives/0/partnership",
        '"us-mars-cpc"',
        "one of the partnerships",
    ),
    "dangling source": (
        {f"{QUOTE}/source": "other-page"},
        f"{QUOTE}/source",
        '"other-page"',
        "the id of a source",
    ),
    "objective of another partnership": (
        {"/partnerships/1": {"id": "us-peru-next"}, "/objectives/0/partnership": "us-peru-next"},
        "/awards/0/objectives",
        '"peru-prosecution"',
        "an objective of us-peru-cpc",
    ),
    "value without a citation": (
        {"/awards/0/evidence/ends": MISSING},
        "/awards/0/evidence/ends",
        "nothing",
        "at least one citation",
    ),
    "the same quote twice in a field": (
        {
            "/awards/0/evidence/title/0": TITLE_CITATION,
            "/awards/0/evidence/title/1": TITLE_CITATION,
        },
        "/awards/0/evidence/title/1",
        "the same quote or reference again",
        "another quote or reference than in title/0",
    ),
    "null with a citation": ({"/awards/0/ends": None}, "/awards/0/ends", "null", "no citation"),
    "citation of an unknown field": (
        {"/awards/0/evidence/color": [{"basis": "enriched", "reference": {}}]},
        "/awards/0/evidence/color/0/reference/url",
        "nothing",
        "a value",
    ),
    "not_stated with a value": (
        {"/awards/0/not_stated/0": "ends"},
        "/awards/0/not_stated/0",
        "ends, which has a value",
        "a field that is null",
    ),
    "not_stated of an unknown field": (
        {"/awards/0/not_stated/0": "color"},
        "/awards/0/not_stated/0",
        '"color"',
        "one of amount",
    ),
    "not_stated of a field that is never cited": (
        {"/awards/0/not_stated/0": "id"},
        "/awards/0/not_stated/0",
        '"id"',
        "one of amount",
    ),
    "duplicate value": (
        {"/awards/0/regions/1": "loreto"},
        "/awards/0/regions",
        '"loreto" more than once',
        "unique values",
    ),
    "quote longer than its positions": (
        {f"{QUOTE}/end": 1674},
        QUOTE,
        "1654 to 1674, 20 code points",
        "19 code points",
    ),
    "quote that ends before it starts": (
        {f"{QUOTE}/end": 1},
        QUOTE,
        "-1653 code points",
        "19 code points",
    ),
    "quote past the end": (
        {f"{QUOTE}/start": 3558, f"{QUOTE}/end": 3577},
        f"{QUOTE}/end",
        "3577",
        "at most 3558",
    ),
    "quote too long with its prefix and suffix": (
        {f"{QUOTE}/prefix": "x" * 50, f"{QUOTE}/suffix": "x" * 12},
        QUOTE,
        "a quote of 81 characters with its prefix and suffix",
        "at most 80 characters",
    ),
    "prefix longer than the text before": (
        {"/organizations/5/evidence/kind/0/quote/prefix": "x An "},
        "/organizations/5/evidence/kind/0/quote/prefix",
        "5 characters before 3",
        "the end of the text before the quote",
    ),
    "suffix past the end": (
        {f"{QUOTE}/start": 3539, f"{QUOTE}/end": 3558, f"{QUOTE}/suffix": "."},
        f"{QUOTE}/end",
        "3559",
        "at most 3558",
    ),
    "conflicting prefix": (
        {"/regions/0/evidence/name/0/quote/prefix": "in "},
        "/regions/0/evidence/name/0/quote/exact",
        "in metropolitan Lima",
        "the same text as ",
    ),
    "conflicting quotes": (
        {"/awards/1/evidence/ends/0/quote/exact": "until December 2021"},
        "/awards/1/evidence/ends/0/quote/exact",
        "until December 2021",
        f"the same text as {QUOTE}",
    ),
    "unknown country": (
        {"/partnerships/0/countries/1": "XX"},
        "/partnerships/0/countries",
        '"XX"',
        "ISO 3166-1",
    ),
    "unknown currency": (
        {"/partnerships/0/investment_currency": "USX"},
        "/partnerships/0/investment_currency",
        '"USX"',
        "ISO 4217",
    ),
    "unknown subdivision": (
        {"/regions/0/iso_3166_2": "PE-XXX"},
        "/regions/0/iso_3166_2",
        '"PE-XXX"',
        "an ISO 3166-2 code of PE",
    ),
    "subdivision of another country": (
        {"/regions/0/iso_3166_2": "US-CA"},
        "/regions/0/iso_3166_2",
        '"US-CA"',
        "an ISO 3166-2 code of PE",
    ),
    "subdivision other than in the outlines": (
        {"/regions/0/iso_3166_2": "PE-LIM"},
        "/regions/0/iso_3166_2",
        '"PE-LIM"',
        "PE-LMA, as in the outlines",
    ),
    "ubigeo other than in the outlines": (
        {"/regions/0/inei_ubigeo": "1401"},
        "/regions/0/inei_ubigeo",
        '"1401"',
        "1501, as in the outlines",
    ),
    "item other than in the outlines": (
        {"/regions/0/wikidata": "Q2868"},
        "/regions/0/wikidata",
        '"Q2868"',
        "Q579240, as in the outlines",
    ),
    "currency without amount": (
        {"/awards/0/currency": "USD"},
        "/awards/0/amount",
        "null",
        "an amount and its currency",
    ),
    "amount without currency": (
        {"/partnerships/0/investment_currency": None},
        "/partnerships/0/investment_currency",
        "null",
        "an amount and its currency",
    ),
    "end before the start": (
        {"/awards/0/ends": "2016"},
        "/awards/0/ends",
        '"2016"',
        "no earlier than announced, 2017-10",
    ),
    "positions that start at 2": (
        {"/objectives/0/position": 4},
        "/objectives/1/position",
        "2",
        "consecutive positions in us-peru-cpc, starting at 1",
    ),
    "duplicate position": (
        {"/objectives/1/position": 1},
        "/objectives/1/position",
        "1",
        "other than that of /objectives/0",
    ),
    "overlapping passages": (
        {"/sources/0/furniture/1/start": 500},
        "/sources/0/furniture/1",
        "500 to 1199",
        "in order, without overlap",
    ),
    "missing outlines file": (
        {"/outlines/file": "none.geojson"},
        "/outlines/file",
        "none.geojson: No such file",
        "a file next to the seed",
    ),
    "directory for the outlines file": (
        {"/outlines/file": ".."},
        "/outlines/file",
        "directory",
        "a file next to the seed",
    ),
    "outlines with another digest": (
        {"/outlines/sha256": "0" * 64},
        "/outlines/sha256",
        "0" * 64,
        "the SHA-256 of regions.geojson",
    ),
}


@pytest.mark.parametrize(
    ("changes", "pointer", "found", "expected"), INCONSISTENT.values(), ids=INCONSISTENT
)
def test_inconsistent_parts_are_rejected(
    seed: SeedCopy, changes: dict[str, object], pointer: str, found: str, expected: str
) -> None:
    """Contradictions between the parts of a record are reported with their location."""
    reported = [issue for issue in issues_in(change(seed, changes)) if issue.pointer == pointer]
    assert any(found in issue.found and expected in issue.expected for issue in reported), reported


def test_positions_beside_an_invalid_resource_are_not_reported(seed: SeedCopy) -> None:
    """Its position is not known to be wrong, so nothing follows for those of its siblings."""
    [issue] = issues_in(change(seed, {"/objectives/0/title": ""}))
    assert issue.pointer == "/objectives/0/title"


@pytest.mark.parametrize(
    ("pointer", "value", "expected"),
    [
        ("/partnerships/0/signed", "2017-06-16", "June 16, 2017"),
        ("/partnerships/0/signed", "2017-07-15", "July 15, 2017"),
        ("/partnerships/0/signed", "2017-06", "June 2017"),
        ("/partnerships/0/planned_years", 5, "five"),
        ("/partnerships/0/investment_amount", 6_000_000, "6 million"),
        ("/partnerships/0/investment_amount", 50_000_000, "50 million"),
        ("/partnerships/0/investment_amount", 5, "5"),
        ("/partnerships/0/precedence/1/ordinal", 4, "fourth"),
        ("/partnerships/0/precedence/0/ordinal", 2, "second"),
        ("/partnerships/0/short_name", "U.S.-Peru CPC Compact", "Compact"),
        ("/partnerships/0/investor", "ilo", "International Labor Organization"),
        ("/awards/0/announced", "2017-11", "November 2017"),
        ("/awards/1/announced", "2018-10", "October 2018"),
        ("/awards/0/ends", "2021-12", "December 2021"),
        ("/awards/0/recipient", "centro-yanapanakusun", "Centro Yanapanakusun"),
        ("/awards/1/regions/0", "loreto", "Loreto"),
        ("/activities/4/supports", "2017-2022 National Plan", "2022"),
        ("/regions/2/name", "Lima", "Lima"),
        ("/organizations/3/name", "International Labour Organization", "Labour"),
        ("/sources/0/archived_to", "2021-01-21", "January 21, 2021"),
    ],
)
def test_a_quote_must_support_the_value(
    seed: SeedCopy, pointer: str, value: object, expected: str
) -> None:
    """A date, number, ordinal, name or reference that is not in its quotes is rejected."""
    field = "/".join(pointer.split("/")[:4])
    issues = issues_in(change(seed, {pointer: value}))
    [issue] = [issue for issue in issues if issue.pointer == field]
    assert "not supported by its quotes: " in issue.found
    assert expected in issue.expected


@pytest.mark.parametrize(
    ("ordinal", "quote", "supported"),
    [
        (3, "the third in the world", True),
        (3, "the 3rd in the world", True),
        (3, "the 3th in the world", False),
        (3, "the twenty-third in the world", False),
        (21, "the twenty-first in the world", True),
        (21, "the 21st in the world", True),
        (21, "the 21th in the world", False),
        (21, "the first in twenty", False),
        (20, "the twentieth in the world", True),
        (20, "the twenty-first in the world", False),
        (112, "the 112th in the world", True),
        (112, "the 112nd in the world", False),
    ],
)
def test_an_ordinal_is_quoted_in_words_or_digits(
    seed: SeedCopy, ordinal: int, quote: str, *, supported: bool
) -> None:
    """`third` and `3rd` support 3; a misspelling or a part of another ordinal does not."""
    start = 10_000
    seed.data["sources"][0]["characters"] = 20_000
    seed.put("/partnerships/0/precedence", [{"scope": "world", "ordinal": ordinal}])
    quoted = {"source": "us-peru-cpc-page", "start": start, "end": start + len(quote)}
    citation = {"basis": "stated", "quote": {**quoted, "exact": quote}}
    seed.put("/partnerships/0/evidence/precedence", [citation])
    if supported:
        load_record(seed.write())
    else:
        [issue] = issues_in(seed.write())
        assert issue.pointer == "/partnerships/0/precedence"
        assert f'[{{"scope": "world", "ordinal": {ordinal}}}], not supported' in issue.found


NOTATIONS = [
    ("signed", "2020-04-02", "on the 2nd of April, 2020", True),
    ("signed", "2020-04-02", "Apr. 2, 2020", True),
    ("signed", "2020-04-02", "April 3, 2020", False),
    ("signed", "2020-04", "April 2, 2020", False),
    ("signed", "2020", "2020-04-02", False),
    ("investment_amount", 500_000, "$0.5 million", True),
    ("investment_amount", 5_000_000, "$5M", True),
    ("investment_amount", 5_000_000, "$5.1 million", False),
    ("investment_amount", 5, "$5M", False),
    ("planned_years", 12, "a twelve-year plan", True),
    ("planned_years", 2, "a twelve-year plan", False),
    ("countries", ["US", "MM"], "the U.S. and Burma signed", True),
    ("countries", ["US", "MM"], "told us about Burma", False),
    ("countries", ["GN"], "Papua New Guinea", False),
]


@pytest.mark.parametrize(("field", "value", "quote", "supported"), NOTATIONS)
def test_a_value_may_be_quoted_in_other_notations(
    seed: SeedCopy, field: str, value: object, quote: str, *, supported: bool
) -> None:
    """A quote supports the value that it means, and no other."""
    seed.data["sources"][0]["characters"] = 20_000
    quoted = {"source": "us-peru-cpc-page", "start": 10_000, "end": 10_000 + len(quote)}
    citation = {"basis": "stated", "quote": {**quoted, "exact": quote}}
    seed.put(f"/partnerships/0/{field}", value)
    seed.put(f"/partnerships/0/evidence/{field}", [citation])
    if supported:
        load_record(seed.write())
    else:
        [issue] = issues_in(seed.write())
        assert issue.pointer == f"/partnerships/0/{field}"
        suggested = issue.expected.removeprefix("a quote with ").split(" or ")
        assert len(suggested) == len(set(suggested)), "each notation once"


@pytest.mark.parametrize(
    ("years", "quote", "supported"),
    [
        (4, "a four-year plan", True),
        (4, "a 4-year plan", True),
        (4, "a twenty-four-year plan", False),
        (4, "a plan for four hundred years", False),
        (24, "a twenty-four-year plan", True),
        (20, "a twenty-year plan", True),
        (20, "a twenty-four-year plan", False),
        (12, "a twelve-year plan", True),
    ],
)
def test_a_number_is_quoted_in_words_or_digits(
    seed: SeedCopy, years: int, quote: str, *, supported: bool
) -> None:
    """A number in words must be quoted completely."""
    start = 10_000
    seed.data["sources"][0]["characters"] = 20_000
    seed.put("/partnerships/0/planned_years", years)
    quoted = {"source": "us-peru-cpc-page", "start": start, "end": start + len(quote)}
    citation = {"basis": "stated", "quote": {**quoted, "exact": quote}}
    seed.put("/partnerships/0/evidence/planned_years", [citation])
    if supported:
        load_record(seed.write())
    else:
        [issue] = issues_in(seed.write())
        assert issue.pointer == "/partnerships/0/planned_years"


SLUGS = {
    "organizations": "world-vision",
    "activities": "corrected-title",
    "regions": "c-9",
    "sources": "a" * 100,
}


@pytest.mark.parametrize(("collection", "id_"), SLUGS.items())
def test_an_id_is_any_free_slug(seed: SeedCopy, collection: str, id_: str) -> None:
    """An id need not be made of words of the name or title, which may be corrected."""
    last = len(seed.data[collection])
    resource = {**seed.data[collection][last - 1], "id": id_}
    if collection == "activities":
        resource["position"] += 1
    seed.put(f"/{collection}/{last}", resource)
    load_record(seed.write())


@pytest.mark.parametrize(
    "name",
    ["World Vision, Inc.", "Save the Children (UK)", "Côte d'Ivoire", "国际移民组织", "منظمة"],
)
def test_names_may_have_any_script(seed: SeedCopy, name: str) -> None:
    """Punctuation, accents and other scripts are fine in names that their quotes contain."""
    quoted = {"source": "us-peru-cpc-page", "start": 10_000, "end": 10_000 + len(name)}
    seed.data["sources"][0]["characters"] = 20_000
    seed.put("/organizations/3/name", name)
    seed.put(
        "/organizations/3/evidence/name", [{"basis": "stated", "quote": {**quoted, "exact": name}}]
    )
    seed.put("/awards/0/evidence/recipient/0/basis", "editorial")
    load_record(seed.write())


PERIODS = [
    ("/partnerships/0", "signed", "ends"),
    ("/awards/0", "announced", "ends"),
    ("/sources/0", "archived_from", "archived_to"),
]
ENRICHED = [
    {
        "basis": "enriched",
        "reference": {"title": "A list", "url": "https://example.org/", "license": "CC0"},
    }
]


@pytest.mark.parametrize("fields", PERIODS)
@pytest.mark.parametrize(
    ("first", "last", "valid"),
    [
        ("2020-04-02", "2020", True),
        ("2020-04-02", "2020-04", True),
        ("2020-04", "2020", True),
        ("2020-04-02", "2020-04-02", True),
        ("2020", "2020-04-02", True),
        ("0001", "9999", True),
        ("2020-04-02", "2020-03", False),
        ("2020-04-02", "2020-04-01", False),
        ("2020-04-02", "2019", False),
        ("2020", "2019-12-31", False),
    ],
)
def test_a_period_may_end_on_any_day_of_its_last_date(
    seed: SeedCopy, fields: tuple[str, str, str], first: str, last: str, *, valid: bool
) -> None:
    """The first day of the start must not be after the last day of the end."""
    resource, start, end = fields
    for field, value in ((start, first), (end, last)):
        seed.put(f"{resource}/{field}", value)
        seed.put(f"{resource}/evidence/{field}", ENRICHED)
    if resource == "/partnerships/0":
        seed.put("/partnerships/0/not_stated", [])
    if valid:
        load_record(seed.write())
    else:
        [issue] = issues_in(seed.write())
        assert issue.pointer == f"{resource}/{end}"
        assert issue.expected == f"no earlier than {start}, {first}"


def test_ids_are_unique_per_type(seed: SeedCopy) -> None:
    """A duplicate id is reported together with the first; other types may use the id."""
    seed.put("/organizations/6", seed.data["organizations"][2])
    [issue] = issues_in(seed.write())
    assert issue.pointer == "/organizations/6/id"
    assert issue.found == '"tip-office"'
    assert issue.expected == "an id other than that of /organizations/2"


@pytest.mark.parametrize(
    ("before", "after", "pointer"),
    [
        ('"archive_notice"', '"license": {}, "archive_notice"', "/license"),
        ('"announced": "2017-10"', '"announced": "2017-10", "announced": "2017-10"', "announced"),
        ('"start": 580', '"start": 580, "start": 580', "/partnerships/0/evidence/signed/0/quote"),
    ],
)
def test_duplicate_keys_are_rejected(seed: SeedCopy, before: str, after: str, pointer: str) -> None:
    """A duplicate key is an issue at any depth, even with equal values."""
    text = json.dumps(seed.data, ensure_ascii=False)
    seed.path.write_text(text.replace(before, after, 1), "utf-8")
    issues = issues_in(seed.path)
    assert any(pointer in issue.pointer and issue.found == "a duplicate key" for issue in issues)
    assert all(issue.expected == "unique keys" for issue in issues)


@pytest.mark.parametrize("pad", range(8))
@pytest.mark.parametrize(
    "ending", ["1", "12.5", "1e5", "1.5E-07", "true", '"\\ud83d\\ude00"', '"é"']
)
def test_values_may_cross_the_end_of_a_chunk(seed: SeedCopy, pad: int, ending: str) -> None:
    """A value is read completely wherever the file is split for reading."""
    start = f'{{"$schema": "s", "modified": {" " * ((1 << 20) - 28 - pad)}'
    seed.path.write_text(f"{start}{ending}}}", "utf-8")
    [issue] = [issue for issue in issues_in(seed.path) if issue.pointer == "/modified"]
    assert issue.found == format_value(json.loads(ending))


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b'{\n"a": ' + b" " * (3 << 20) + b"\n  x}", "line 3, column 3: Expecting value"),
        (b'{"a": "' + b"\xc3\xa9" * (1 << 20) + b'\xff"}', "byte 2097159 is not UTF-8"),
        (b'{"a": "' + b"x" * (1 << 20) + b'\n"}', "line 1, column 1048584: Invalid control"),
    ],
)
def test_errors_are_located_in_the_whole_file(seed: SeedCopy, content: bytes, found: str) -> None:
    """Lines, columns and bytes are counted from the start of the file, however large it is."""
    seed.path.write_bytes(content)
    [issue] = issues_in(seed.path)
    assert found in issue.found


BYTES: dict[str, tuple[bytes, str, str]] = {
    "empty": (b"", "line 1, column 1", "valid JSON"),
    "white space": (b" \n", "line 2, column 1", "valid JSON"),
    "not JSON": (b'{"awards": [}', "line 1, column 13", "valid JSON"),
    "truncated": (SEED.read_bytes()[:1_000], "line", "valid JSON"),
    "text after the end": (SEED.read_bytes() + b"{}", "Extra data", "valid JSON"),
    "byte order mark": (b"\xef\xbb\xbf" + SEED.read_bytes(), "BOM", "valid JSON"),
    "UTF-16": (SEED.read_text("utf-8").encode("utf-16"), "byte 0 is not UTF-8", "UTF-8"),
    "Latin-1": (b'{"title": "\xe9"}', "byte 11 is not UTF-8", "UTF-8"),
    "a list": (b"[]", "[]", "an object"),
    "a number": (b"1e999", "Infinity", "an object"),
    "null": (b"null", "null", "an object"),
    "100,000 lists": (b"[" * 100_000 + b"]" * 100_000, "nesting too deep", "structure"),
    "100,000 objects": (b'{"a":' * 100_000, "nesting too deep", "structure"),
}


@pytest.mark.parametrize(("content", "found", "expected"), BYTES.values(), ids=BYTES)
def test_a_file_that_is_not_a_seed_is_rejected(
    seed: SeedCopy, content: bytes, found: str, expected: str
) -> None:
    """Any content results in one issue for the whole file."""
    seed.path.write_bytes(content)
    [issue] = issues_in(seed.path)
    assert issue.pointer == ""
    assert str(issue).startswith("(whole file): ")
    assert found in issue.found
    assert expected in issue.expected


@pytest.mark.parametrize("name", ["missing.json", "."])
def test_an_unreadable_seed_is_rejected(tmp_path: Path, name: str) -> None:
    """The issue says whether the file is missing or is a directory."""
    [issue] = issues_in(tmp_path / name)
    assert issue.found in {"No such file or directory", "Is a directory"}
    assert issue.expected == "a readable file"


@pytest.mark.parametrize("depth", [100, 500, 900, 980, 990, 995, 1_000])
def test_nesting_never_crashes(seed: SeedCopy, depth: int) -> None:
    """A value nested close to the parser's limit is rejected like any other."""
    text = json.dumps(seed.data)[:-1] + ', "color": ' + "[" * depth + "]" * depth + "}"
    seed.path.write_text(text, "utf-8")
    [issue] = issues_in(seed.path)
    assert issue.pointer in {"/color", ""}


@pytest.mark.parametrize(
    "pointer", ["/archive_notice", "/awards/0/title", "/awards/0/evidence/ends/0/note"]
)
def test_a_lone_surrogate_is_rejected(seed: SeedCopy, pointer: str) -> None:
    """Half of a surrogate pair is not valid text."""
    seed.put(pointer, "\ud800")
    seed.path.write_text(json.dumps(seed.data), "ascii")
    issues = issues_in(seed.path)
    [issue] = [issue for issue in issues if issue.pointer == pointer]
    assert "surrogates" in issue.expected or "control characters" in issue.expected


@pytest.mark.process
def test_a_lone_surrogate_can_be_reported(seed: SeedCopy) -> None:
    """Printing an issue with a lone surrogate, in a key or a value, does not fail."""
    seed.put("/awards/0/title", "\ud800")
    seed.put("/awards/0/\ud800", 1)
    seed.path.write_text(json.dumps(seed.data), "ascii")
    result = run_cli("build", SEED_FILE=str(seed.path), ARCHIVE_FILE=f"{seed.path}.sqlite")
    assert result.returncode == 1
    assert "/awards/0: found " in result.stderr
    assert "Traceback" not in result.stderr


def test_all_issues_are_reported_at_once(seed: SeedCopy) -> None:
    """One run reports every issue of the file, of any type and at any place."""
    changes: dict[str, object] = {
        "/color": "red",
        "/partnerships/0/signed": "2017-02-30",
        "/objectives/2/position": 5,
        "/awards/0/recipient": "nobody",
        "/awards/0/evidence/ends": MISSING,
        "/awards/1/ends": None,
        "/awards/1/not_stated/0": "color",
        "/regions/1/iso_3166_2": "PE-XXX",
        f"{QUOTE.replace('ends', 'announced')}/end": 1,
        "/sources/0/archived_to": "2021-01-21",
    }
    issues = issues_in(change(seed, changes))
    pointers = {issue.pointer for issue in issues}
    assert {pointer.removesuffix("/end") for pointer in changes} <= pointers
    assert len(issues) == len({str(issue) for issue in issues})
    with pytest.raises(SeedError, match=f"{len(issues)} issues"):
        load_record(seed.path)


@pytest.mark.parametrize(
    ("value", "text"),
    [("Perú", '"Perú"'), (None, "null"), ({1}, "{1}"), ("x" * 200, '"' + "x" * 78 + "…")],
)
def test_values_are_formatted_and_truncated(value: object, text: str) -> None:
    """A value is format_value as JSON, and cut to a readable length."""
    assert format_value(value) == text


SCHEMA = SEED.with_name("seed.schema.json")


@pytest.mark.process
def test_the_committed_schema_is_current() -> None:
    """The committed schema is the output of the command, to the byte."""
    printed = run_cli("schema")
    assert printed.returncode == 0
    assert SCHEMA.read_text("utf-8") == printed.stdout
    assert json.loads(printed.stdout) == seed_schema()


def test_the_seed_references_its_schema() -> None:
    """`$schema` is the file next to the seed, and the seed is valid under it."""
    seed = json.loads(SEED.read_text("utf-8"))
    assert seed["$schema"] == SCHEMA.name
    schema = json.loads(SCHEMA.read_text("utf-8"))
    Draft202012Validator.check_schema(schema)
    assert not list(Draft202012Validator(schema).iter_errors(seed))


@pytest.mark.parametrize(
    ("pointer", "value"),
    [
        ("/awards/0/color", "red"),
        ("/awards/0/ends", MISSING),
        ("/awards/0/ends", "2020-1"),
        ("/awards/0/regions", []),
        ("/partnerships/0/investment_amount", 0.5),
        ("/partnerships/0/investment_amount", 2**53),
        ("/organizations/0/kind", "bank"),
        (f"{QUOTE}/exact", "x" * 81),
        ("/awards/0/evidence/ends/0/basis", "guessed"),
        ("/awards/0/evidence/ends/0/note", MISSING),
    ],
)
def test_the_schema_rejects_invalid_seeds(seed: SeedCopy, pointer: str, value: object) -> None:
    """An editor reports the value itself or an object that contains it."""
    change(seed, {pointer: value})
    validator = Draft202012Validator(json.loads(SCHEMA.read_text("utf-8")))
    errors = list(validator.iter_errors(seed.data))
    assert errors
    paths = ["/" + "/".join(str(step) for step in error.absolute_path) for error in errors]
    assert all(pointer.startswith(path) for path in paths)


def test_an_entry_is_bounded(tmp_path: Path) -> None:
    """A string that would take all memory is rejected before it is read to its end."""
    path = tmp_path / "seed.json"
    path.write_text('{"awards": [{"title": "' + "a" * (5 << 20) + '"}]}', "utf-8")
    reader = SeedReader(path, ["awards"], max_entry_characters=1 << 20)
    with pytest.raises(SeedError, match="an entry of more than 1,048,576 characters"):
        list(reader.entries())
    assert reader.bytes_read < 4 << 20


def test_a_syntax_error_is_located_before_the_rest_is_read(tmp_path: Path) -> None:
    """An error early in a large file is reported at its line and column, however long the rest."""
    path = tmp_path / "seed.json"
    path.write_text('{"awards": [\n{"id": wrong}, "' + "a" * (5 << 20) + '"]}', "utf-8")
    reader = SeedReader(path, ["awards"], max_entry_characters=1 << 20)
    with pytest.raises(SeedError, match="line 2, column 8: Expecting value"):
        list(reader.entries())
    assert reader.bytes_read <= 1 << 20
