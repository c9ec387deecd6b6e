"""The seed file: read strictly, as a whole, and every issue told with its place."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from app.models import RESOURCES
from app.seed.errors import Issue, SeedError, format_value
from app.seed.record import SeedStream, load_record, seed_schema
from tests.conftest import SEED, SeedCopy, run_cli

ABSENT = object()
QUOTE = "/awards/0/evidence/ends/0/quote"


def issues_in(path: Path) -> tuple[Issue, ...]:
    """What is wrong with a seed file that must not load."""
    with pytest.raises(SeedError) as caught:
        load_record(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert all(str(issue) in str(caught.value) for issue in caught.value.issues)
    return caught.value.issues


def spoil(seed: SeedCopy, changes: dict[str, object]) -> Path:
    """Write a seed with other values, by JSON pointer."""
    for pointer, value in changes.items():
        if value is ABSENT:
            seed.take(pointer)
        else:
            seed.put(pointer, value)
    return seed.write()


def test_the_shipped_seed_is_sound() -> None:
    """It loads, its release is its digest, and every resource of the file is in it."""
    reading, raw = SeedStream(SEED), json.loads(SEED.read_text("utf-8"))
    resources = list(reading)
    assert reading.release == hashlib.sha256(SEED.read_bytes()).hexdigest()
    assert [one.id for one in resources] == [
        entry["id"] for group in raw.values() if isinstance(group, list) for entry in group
    ]
    assert set(reading.outlines) == {one.id for one in resources if one.type == "region"}


def test_a_record_is_all_of_the_seed() -> None:
    """Read at once there is the same as one by one, under the types of the resources."""
    record, reading = load_record(SEED), SeedStream(SEED)
    resources = list(reading)
    assert (record.release, record.header) == (reading.release, reading.header)
    assert record.resources == {
        model.type: [one for one in resources if one.type == model.type] for model in RESOURCES
    }
    assert sorted(one.id for one in record) == sorted(one.id for one in resources)


SHAPE: dict[str, tuple[str, object, str, str]] = {
    "unknown key": ("/awards/0/colour", "red", '"red"', "no such key"),
    "unknown key of the whole": ("/colour", "red", '"red"', "no such key"),
    "unknown key of a quote": (f"{QUOTE}/page", 1, "1", "no such key"),
    "key that needs escaping": ("/awards/0/a~1b~0c", 1, "1", "no such key"),
    "missing key": ("/awards/0/ends", ABSENT, "nothing", "a value (null where"),
    "missing id": ("/awards/0/id", ABSENT, "nothing", "a value"),
    "missing not_stated": ("/regions/0/not_stated", ABSENT, "nothing", "a value"),
    "missing evidence": ("/regions/0/evidence", ABSENT, "nothing", "a value"),
    "missing collection": ("/sources", ABSENT, "nothing", "a list of resources"),
    "missing day of change": ("/modified", ABSENT, "nothing", "a value"),
    "day of change that is a month": ("/modified", "2026-02", '"2026-02"', "a day such as"),
    "day of change out of the calendar": ("/modified", "2026-02-30", '"2026-02-30"', "calendar"),
    "missing outlines": ("/outlines", ABSENT, "nothing", "a value"),
    "outlines without a digest": ("/outlines/sha256", ABSENT, "nothing", "a value"),
    "file of outlines that is a number": ("/outlines/file", 1, "1", "string"),
    "missing notice": ("/archive_notice", ABSENT, "nothing", "a value"),
    "collection that is null": ("/awards", None, "null", "a list of resources"),
    "collection that is an object": ("/awards", {}, "{}", "a list of resources"),
    "resource that is null": ("/awards/2", None, "null", "dictionary"),
    "evidence that is null": ("/awards/0/evidence", None, "null", "dictionary"),
    "slug in capitals": ("/sources/0/id", "Page", '"Page"', "pattern"),
    "country in small letters": ("/regions/0/country", "pe", '"pe"', "pattern"),
    "subdivision without hyphen": ("/regions/0/iso_3166_2", "PELMA", '"PELMA"', "pattern"),
    "ubigeo of odd length": ("/regions/0/inei_ubigeo", "150", '"150"', "pattern"),
    "ubigeo as a number": ("/regions/2/inei_ubigeo", 16, "16", "string"),
    "kind out of the set": ("/organizations/0/kind", "bank", '"bank"', "'government'"),
    "role out of the set": ("/organizations/0/roles/0", "donor", '"donor"', "'signatory'"),
    "form out of the set": ("/awards/0/trafficking_forms/0", "x", '"x"', "'sex' or 'labor'"),
    "scope out of the set": ("/partnerships/0/precedence/0/scope", "mars", '"mars"', "americas"),
    "digest cut short": ("/sources/0/sha256", "8ba5", '"8ba5"', "pattern"),
    "address without scheme": ("/license/url", "law.cornell.edu", '"law', "pattern"),
    "empty list": ("/awards/0/regions", [], "[]", "at least 1 item"),
    "empty evidence": ("/awards/0/evidence/ends", [], "[]", "at least 1 item"),
    "empty text": ("/awards/0/title", "", '""', "at least 1 character"),
    "position zero": ("/objectives/0/position", 0, "0", "greater than or equal to 1"),
    "position as text": ("/objectives/0/position", "1", '"1"', "integer"),
    "truth as a number": ("/awards/0/has_sub_recipients", 1, "1", "boolean"),
    "quote over 80 characters": (f"{QUOTE}/exact", "x" * 81, '"xxxx', "at most 80 characters"),
    "negative position": (f"{QUOTE}/start", -1, "-1", "greater than or equal to 0"),
    "day without zeros": ("/partnerships/0/signed", "2017-6-15", '"2017-6-15"', "2017-06-15"),
    "day out of the calendar": ("/partnerships/0/signed", "2017-02-30", "02-30", "in the calendar"),
    "month out of the calendar": (
        "/partnerships/0/signed",
        "2017-13",
        "2017-13",
        "in the calendar",
    ),
    "date with a line end": ("/awards/0/ends", "2020-12\n", '"2020-12\\n"', "2017-10"),
    "date as a number": ("/awards/0/ends", 2020, "2020", "string"),
}


@pytest.mark.parametrize(("pointer", "value", "found", "expected"), SHAPE.values(), ids=SHAPE)
def test_a_wrong_shape_is_refused(
    seed: SeedCopy, pointer: str, value: object, found: str, expected: str
) -> None:
    """The issue names the very place, what stands there and what would be right."""
    issues = issues_in(spoil(seed, {pointer: value}))
    [issue] = [issue for issue in issues if issue.pointer == pointer]
    assert found in issue.found
    assert expected in issue.expected


@pytest.mark.parametrize(
    ("pointer", "value", "told"),
    [
        ("/awards/0/ends", ABSENT, "nothing; expected a value (null where the source gives none)"),
        ("/awards/0/colour", "red", '"red"; expected no such key'),
        ("/awards/0/ends", 2020, "2020; expected input should be a valid string"),
        ("/modified", "2026-02", '"2026-02"; expected a day such as 2017-06-15'),
    ],
)
def test_a_fault_is_told_in_a_sentence(
    seed: SeedCopy, pointer: str, value: object, told: str
) -> None:
    """It says where, what stands there and what would be right, and nothing twice."""
    assert f"{pointer}: found {told}" in map(str, issues_in(spoil(seed, {pointer: value})))


MONEY = ["5000000.0", "5e6", "1e999", "NaN", "Infinity", "true", '"5000000"', "-5", str(2**53)]


@pytest.mark.parametrize("amount", [*MONEY, "9" * 5_000, "-" + "9" * 20])
def test_money_is_a_whole_number_that_json_can_carry(seed: SeedCopy, amount: str) -> None:
    """No float, no truth value, nothing that a client's double would round."""
    seed.path.write_text(seed.path.read_text("utf-8").replace("5000000", amount), "utf-8")
    [issue] = issues_in(seed.path)
    assert issue.pointer == "/partnerships/0/investment_amount"
    assert "input should be" in issue.expected
    assert len(issue.found) <= 80


TOGETHER: dict[str, tuple[dict[str, object], str, str, str]] = {
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
    "activity not named after its award": (
        {"/activities/0/id": "justice"},
        "/activities/0/id",
        '"justice"',
        "peru-ilo-",
    ),
    "value without a citation": (
        {"/awards/0/evidence/ends": ABSENT},
        "/awards/0/evidence/ends",
        "nothing",
        "at least one citation",
    ),
    "null, yet cited": ({"/awards/0/ends": None}, "/awards/0/ends", "null", "no citation"),
    "citation of an unknown field": (
        {"/awards/0/evidence/colour": [{"basis": "enriched", "reference": {}}]},
        "/awards/0/evidence/colour/0/reference/url",
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
        {"/awards/0/not_stated/0": "colour"},
        "/awards/0/not_stated/0",
        '"colour"',
        "one of amount",
    ),
    "not_stated of a field that is never cited": (
        {"/awards/0/not_stated/0": "id"},
        "/awards/0/not_stated/0",
        '"id"',
        "one of amount",
    ),
    "member twice": (
        {"/awards/0/regions/1": "loreto"},
        "/awards/0/regions",
        "loreto twice",
        "each member once",
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
    "quotes that disagree": (
        {"/awards/1/evidence/ends/0/quote/exact": "until December 2021"},
        "/awards/1/evidence/ends/0/quote/exact",
        "until December 2021",
        f"what {QUOTE} has there",
    ),
    "country that is none": (
        {"/partnerships/0/countries/1": "XX"},
        "/partnerships/0/countries",
        '"XX"',
        "ISO 3166-1",
    ),
    "currency that is none": (
        {"/partnerships/0/investment_currency": "USX"},
        "/partnerships/0/investment_currency",
        '"USX"',
        "ISO 4217",
    ),
    "subdivision that is none": (
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
    "subdivision other than drawn": (
        {"/regions/0/iso_3166_2": "PE-LIM"},
        "/regions/0/iso_3166_2",
        '"PE-LIM"',
        "PE-LMA, as drawn",
    ),
    "ubigeo other than drawn": (
        {"/regions/0/inei_ubigeo": "1401"},
        "/regions/0/inei_ubigeo",
        '"1401"',
        "1501, as drawn",
    ),
    "item other than drawn": (
        {"/regions/0/wikidata": "Q2868"},
        "/regions/0/wikidata",
        '"Q2868"',
        "Q579240, as drawn",
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
    "positions from two": (
        {"/objectives/0/position": 4},
        "/objectives/1/position",
        "2",
        "positions of us-peru-cpc counted from 1",
    ),
    "position twice": (
        {"/objectives/1/position": 1},
        "/objectives/1/position",
        "1",
        "/objectives/0 does not have",
    ),
    "stretches that overlap": (
        {"/sources/0/furniture/1/start": 500},
        "/sources/0/furniture/1",
        "500 to 1199",
        "in order and apart",
    ),
    "outlines that are absent": (
        {"/outlines/file": "none.geojson"},
        "/outlines/file",
        "none.geojson: No such file",
        "a file beside the seed",
    ),
    "outlines that are a folder": (
        {"/outlines/file": ".."},
        "/outlines/file",
        "directory",
        "a file beside the seed",
    ),
    "outlines of another digest": (
        {"/outlines/sha256": "0" * 64},
        "/outlines/sha256",
        "0" * 64,
        "as regions.geojson has",
    ),
}


@pytest.mark.parametrize(
    ("changes", "pointer", "found", "expected"), TOGETHER.values(), ids=TOGETHER
)
def test_parts_that_do_not_agree_are_refused(
    seed: SeedCopy, changes: dict[str, object], pointer: str, found: str, expected: str
) -> None:
    """What holds between the parts of a record is checked, and the place is told."""
    told = [issue for issue in issues_in(spoil(seed, changes)) if issue.pointer == pointer]
    assert any(found in issue.found and expected in issue.expected for issue in told), told


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
def test_a_quote_must_bear_out_the_value(
    seed: SeedCopy, pointer: str, value: object, expected: str
) -> None:
    """A date, number, ordinal, name or reference that its quotes do not say is refused."""
    field = "/".join(pointer.split("/")[:4])
    issues = issues_in(spoil(seed, {pointer: value}))
    [issue] = [issue for issue in issues if issue.pointer == field]
    assert "not borne out by" in issue.found
    assert expected in issue.expected


def test_an_id_stands_once_in_its_type(seed: SeedCopy) -> None:
    """A second resource of one id is told with the first; other types may use the id."""
    seed.put("/organizations/6", seed.data["organizations"][2])
    [issue] = issues_in(seed.write())
    assert issue.pointer == "/organizations/6/id"
    assert issue.found == '"tip-office"'
    assert "compare /organizations/2/id" in issue.expected


@pytest.mark.parametrize(
    ("before", "after", "pointer"),
    [
        ('"archive_notice"', '"license": {}, "archive_notice"', "/license"),
        ('"announced": "2017-10"', '"announced": "2017-10", "announced": "2017-10"', "announced"),
        ('"start": 580', '"start": 580, "start": 580', "/partnerships/0/evidence/signed/0/quote"),
    ],
)
def test_a_key_stands_once_in_its_object(
    seed: SeedCopy, before: str, after: str, pointer: str
) -> None:
    """JSON that gives a key twice is refused wherever it does, even with one value."""
    text = json.dumps(seed.data, ensure_ascii=False)
    seed.path.write_text(text.replace(before, after, 1), "utf-8")
    issues = issues_in(seed.path)
    assert any(pointer in issue.pointer and "twice" in issue.found for issue in issues)
    assert all(issue.expected == "each key once" for issue in issues)


BYTES: dict[str, tuple[bytes, str, str]] = {
    "empty": (b"", "line 1, column 1", "valid JSON"),
    "blank": (b" \n", "line 2, column 1", "valid JSON"),
    "not JSON": (b'{"awards": [}', "line 1, column 13", "valid JSON"),
    "cut short": (SEED.read_bytes()[:1_000], "line", "valid JSON"),
    "more after the end": (SEED.read_bytes() + b"{}", "Extra data", "valid JSON"),
    "byte order mark": (b"\xef\xbb\xbf" + SEED.read_bytes(), "BOM", "valid JSON"),
    "UTF-16": (SEED.read_text("utf-8").encode("utf-16"), "byte 0 is not UTF-8", "UTF-8"),
    "Latin-1": (b'{"title": "\xe9"}', "byte 11 is not UTF-8", "UTF-8"),
    "a list": (b"[]", "[]", "an object"),
    "a number": (b"1e999", "Infinity", "an object"),
    "null": (b"null", "null", "an object"),
    "100,000 lists": (b"[" * 100_000 + b"]" * 100_000, "nesting too deep", "shape"),
    "100,000 objects": (b'{"a":' * 100_000, "nesting too deep", "shape"),
}


@pytest.mark.parametrize(("content", "found", "expected"), BYTES.values(), ids=BYTES)
def test_a_file_that_is_no_seed_is_refused(
    seed: SeedCopy, content: bytes, found: str, expected: str
) -> None:
    """Any bytes at all end in one issue of the whole file."""
    seed.path.write_bytes(content)
    [issue] = issues_in(seed.path)
    assert issue.pointer == ""
    assert str(issue).startswith("(whole file): ")
    assert found in issue.found
    assert expected in issue.expected


@pytest.mark.parametrize("name", ["absent.json", "."])
def test_a_seed_that_cannot_be_read_is_refused(tmp_path: Path, name: str) -> None:
    """An absent file and a folder are told as what they are."""
    [issue] = issues_in(tmp_path / name)
    assert issue.found in {"No such file or directory", "Is a directory"}
    assert issue.expected == "a readable file"


@pytest.mark.parametrize("depth", [100, 500, 900, 980, 990, 995, 1_000])
def test_nesting_never_crashes(seed: SeedCopy, depth: int) -> None:
    """A value nested as deep as the parser bears is refused like any other."""
    text = json.dumps(seed.data)[:-1] + ', "colour": ' + "[" * depth + "]" * depth + "}"
    seed.path.write_text(text, "utf-8")
    [issue] = issues_in(seed.path)
    assert issue.pointer in {"/colour", ""}


@pytest.mark.parametrize(
    "pointer", ["/archive_notice", "/awards/0/title", "/awards/0/evidence/ends/0/note"]
)
def test_half_a_character_is_refused(seed: SeedCopy, pointer: str) -> None:
    """A lone surrogate is no text."""
    seed.put(pointer, "\ud800")
    seed.path.write_text(json.dumps(seed.data), "ascii")
    issues = issues_in(seed.path)
    [issue] = [issue for issue in issues if issue.pointer == pointer]
    assert "unicode" in issue.expected or "pattern" in issue.expected


def test_half_a_character_can_be_told(seed: SeedCopy) -> None:
    """Telling of a lone surrogate, in a key or a value, does not fail on it."""
    seed.put("/awards/0/title", "\ud800")
    seed.put("/awards/0/\ud800", 1)
    seed.path.write_text(json.dumps(seed.data), "ascii")
    said = run_cli("build", SEED_FILE=str(seed.path), ARCHIVE_FILE=f"{seed.path}.sqlite")
    assert said.returncode == 1
    assert "/awards/0: found " in said.stderr
    assert "Traceback" not in said.stderr


def test_all_faults_are_told_at_once(seed: SeedCopy) -> None:
    """One reading tells every issue of the file, of whatever kind and wherever."""
    changes: dict[str, object] = {
        "/colour": "red",
        "/partnerships/0/signed": "2017-02-30",
        "/objectives/2/position": 5,
        "/awards/0/recipient": "nobody",
        "/awards/0/evidence/ends": ABSENT,
        "/awards/1/ends": None,
        "/awards/1/not_stated/0": "colour",
        "/regions/1/iso_3166_2": "PE-XXX",
        f"{QUOTE.replace('ends', 'announced')}/end": 1,
        "/sources/0/archived_to": "2021-01-21",
    }
    issues = issues_in(spoil(seed, changes))
    places = {issue.pointer for issue in issues}
    assert {pointer.removesuffix("/end") for pointer in changes} <= places
    assert len(issues) == len({str(issue) for issue in issues})
    with pytest.raises(SeedError, match=f"{len(issues)} issues"):
        load_record(seed.path)


def redraw(seed: SeedCopy, content: object) -> Path:
    """Write other outlines beside a seed, under their right digest."""
    raw = content if isinstance(content, bytes) else json.dumps(content).encode()
    (seed.path.parent / "other.geojson").write_bytes(raw)
    digest = hashlib.sha256(raw).hexdigest()
    return spoil(seed, {"/outlines/file": "other.geojson", "/outlines/sha256": digest})


OUTLINES: dict[str, object] = {
    "empty": b"",
    "not UTF-8": b"\xff\xfe",
    "null": None,
    "a list": [],
    "no features": {"features": None},
    "feature without id": {"features": [{"properties": {}}]},
    "feature that is no object": {"features": ["loreto"]},
    "id that is a list": {"features": [{"id": []}]},
    "nested 100,000 deep": b"[" * 100_000,
}


@pytest.mark.parametrize("content", OUTLINES.values(), ids=OUTLINES)
def test_outlines_that_are_none_are_refused(seed: SeedCopy, content: object) -> None:
    """A file of outlines that cannot be read as such is a issue, not a crash."""
    [issue] = issues_in(redraw(seed, content))
    assert issue.pointer == "/outlines/file"
    assert "GeoJSON" in issue.expected


def with_properties(properties: object) -> dict[str, Any]:
    """The shipped outlines, the first with other properties."""
    outlines: dict[str, Any] = json.loads((SEED.parent / "regions.geojson").read_text("utf-8"))
    outlines["features"][0]["properties"] = properties
    return outlines


@pytest.mark.parametrize("properties", [None, {}])
def test_an_outline_may_say_nothing(seed: SeedCopy, properties: object) -> None:
    """GeoJSON lets `properties` be empty or null (RFC 7946, 3.2)."""
    reading = SeedStream(redraw(seed, with_properties(properties)))
    assert list(reading)
    assert reading.outlines


@pytest.mark.parametrize("properties", [[], "Loreto"])
def test_an_outline_says_what_it_says_in_an_object(seed: SeedCopy, properties: object) -> None:
    """`properties` that are no object are a issue of the file, not a crash."""
    [issue] = issues_in(redraw(seed, with_properties(properties)))
    assert issue.pointer == "/outlines/file"


def test_an_outline_must_be_of_a_region(seed: SeedCopy) -> None:
    """An outline whose id names no region of the record dangles."""
    outlines = json.loads((SEED.parent / "regions.geojson").read_text("utf-8"))
    outlines["features"][0]["id"] = "atlantis"
    issues = issues_in(redraw(seed, outlines))
    assert any("atlantis" in issue.found for issue in issues)


def test_outlines_are_by_region() -> None:
    """Each outline is a GeoJSON feature under its region's id."""
    reading = SeedStream(SEED)
    assert list(reading)
    for name, outline in reading.outlines.items():
        assert outline["id"] == name
        assert outline["geometry"]["type"] == "Polygon"


@pytest.mark.parametrize(
    ("value", "text"),
    [("Perú", '"Perú"'), (None, "null"), ({1}, "{1}"), ("x" * 200, '"' + "x" * 78 + "…")],
)
def test_what_is_found_is_shown_in_short(value: object, text: str) -> None:
    """A value is format_value as JSON, and cut to a readable length."""
    assert format_value(value) == text


SCHEMA = SEED.with_name("seed.schema.json")


def test_the_schema_is_that_of_the_models() -> None:
    """The committed schema is what the command prints, to the byte."""
    printed = run_cli("schema")
    assert printed.returncode == 0
    assert SCHEMA.read_text("utf-8") == printed.stdout
    assert json.loads(printed.stdout) == seed_schema()


def test_the_seed_names_its_schema() -> None:
    """An editor finds the schema beside the seed, and the seed conforms to it."""
    seed = json.loads(SEED.read_text("utf-8"))
    assert seed["$schema"] == SCHEMA.name
    schema = json.loads(SCHEMA.read_text("utf-8"))
    Draft202012Validator.check_schema(schema)
    assert not list(Draft202012Validator(schema).iter_errors(seed))


@pytest.mark.parametrize(
    ("pointer", "value"),
    [
        ("/awards/0/colour", "red"),
        ("/awards/0/ends", ABSENT),
        ("/awards/0/ends", "2020-1"),
        ("/awards/0/regions", []),
        ("/partnerships/0/investment_amount", 0.5),
        ("/partnerships/0/investment_amount", 2**53),
        ("/organizations/0/kind", "bank"),
        (f"{QUOTE}/exact", "x" * 81),
        ("/awards/0/evidence/ends/0/basis", "guessed"),
        ("/awards/0/evidence/ends/0/note", ABSENT),
    ],
)
def test_an_editor_sees_a_spoiled_seed(seed: SeedCopy, pointer: str, value: object) -> None:
    """The schema refuses the place itself, or the object around it."""
    spoil(seed, {pointer: value})
    validator = Draft202012Validator(json.loads(SCHEMA.read_text("utf-8")))
    errors = list(validator.iter_errors(seed.data))
    assert errors
    places = ["/" + "/".join(str(step) for step in error.absolute_path) for error in errors]
    assert all(pointer.startswith(place) for place in places)
