"""IATI activities of all kinds of records are valid by the standard's schema, lists and rules."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from app.archive.release import build_if_stale
from benchmarks.corpus import write_corpus
from tests.conftest import SeedCopy
from tests.support.command_line import invoke_cli
from tests.support.packages import unpacked
from tests.support.published import published_client
from tests.support.random_seeds import SHAPES, write_seed
from tests.support.records import FIJI, MONGOLIA
from tests.support.tools_table import check_outcome

pytestmark = [pytest.mark.anyio, pytest.mark.download]

Json = dict[str, Any]
OF_PAGES = ("shipped", "Fiji", "Mongolia")
"""Records of pages: their dates are in the past."""
RANDOM = [f"{shape}, {number}" for shape in SHAPES for number in range(2)]
"""Random records: a shape and a number of each."""


@pytest.fixture(scope="module")
def standard(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Directory with the standard's schemas, code lists and rulesets, from the pyIATI library."""
    files = unpacked("pyIATI==0.4.1", tmp_path_factory.mktemp("iati"), "--no-binary", ":all:")
    (directory,) = files.glob("*/iati/resources/standard")
    return directory


@pytest.fixture(scope="module")
def schema(standard: Path) -> etree.XMLSchema:
    """The schema of IATI activities 2.03."""
    return etree.XMLSchema(etree.parse(standard / "2-03/schemas/iati-activities-schema.xsd"))


@pytest.fixture
async def document(seed: SeedCopy) -> Any:
    """The document of the shipped record."""
    return await get_document(seed.path)


async def get_document(seed: Path) -> Any:
    """The IATI document of a record, parsed; None if IATI can express none of it."""
    archive = seed.with_name("archive.sqlite")
    build_if_stale(seed, archive)
    async with published_client(seed, archive) as client:
        response = await client.get("/v1/exports/iati.xml")
    assert response.status_code in {200, 404}
    return etree.fromstring(response.content) if response.status_code == 200 else None


def write_record(name: str, folder: Path) -> Path:
    """Write the seed of a record: the shipped one, one of another page, or a made-up one."""
    if name == "shipped":
        return SeedCopy(folder).path
    if name == "generated":
        write_corpus(folder, 2_400)
        return folder / "seed.json"
    if record := {"Fiji": FIJI, "Mongolia": MONGOLIA}.get(name):
        seed = record.write_draft(folder)
        assert invoke_cli("cite", "--seed", str(seed), *record.copies()).returncode == 0
        return seed
    shape, number = name.rsplit(", ", maxsplit=1)
    return write_seed(folder, shape, int(number))


@pytest.mark.parametrize("name", [*OF_PAGES, "generated", *RANDOM])
async def test_the_document_is_valid(
    standard: Path, schema: etree.XMLSchema, tmp_path: Path, name: str
) -> None:
    """It conforms to the schema, all codes are in their lists, and no rule is broken.

    The dates of random records may be in the future, which some rules do not allow.
    """
    document = await get_document(write_record(name, tmp_path))
    if document is None:
        assert name in RANDOM
        return
    assert schema.validate(document), schema.error_log
    assert unknown_codes(standard, document) <= {"XAU"}
    broken = list(broken_rules(standard, document))
    assert [rule for rule in broken if name in OF_PAGES or "NOW" not in rule] == []
    if name == "shipped":
        done, outcome = "iati.xml validated", "valid by schema, code lists and ruleset"
        check_outcome("aid", "IATI standard 2.03 (in pyIATI)", "0.4.1", done, outcome)


async def test_a_missing_element_is_detected(schema: etree.XMLSchema, document: Any) -> None:
    """The schema requires a reporter."""
    reporter = document.find(".//reporting-org")
    reporter.getparent().remove(reporter)
    assert not schema.validate(document)


async def test_an_unknown_code_is_detected(standard: Path, document: Any) -> None:
    """The lists have no organization type 25."""
    document.find(".//participating-org").set("type", "25")
    assert unknown_codes(standard, document) == {"25"}


def unknown_codes(standard: Path, document: Any) -> set[str]:
    """Codes that are not in the list that the standard maps their attribute to."""
    unknown: set[str] = set()
    for mapping in etree.parse(standard / "2-03/codelist-mapping.xml").iter("mapping"):
        path, condition = mapping.findtext("path", ""), mapping.findtext("condition")
        parent, _, attribute = path.rpartition("/")
        code_list = standard / f"2-03/codelists/{mapping.xpath('string(codelist/@ref)')}.xml"
        element = f"{parent}[{condition}]" if condition else parent
        if values := document.getroottree().xpath(f"{element}/{attribute}"):
            codes = set(etree.parse(code_list).xpath("//codelist-item/code/text()"))
            unknown |= set(map(str, values)) - codes
    return unknown


@pytest.mark.parametrize(
    ("path", "attribute", "value"),
    [
        (".//activity-date", "type", "1"),
        (".//activity-date", "iso-date", "2999-01-01"),
        (".//transaction-date", "iso-date", "2999-01-01"),
        (".//reporting-org", "ref", "?"),
    ],
)
async def test_a_broken_rule_is_detected(
    standard: Path, document: Any, path: str, attribute: str, value: str
) -> None:
    """The check can fail: each of these changes breaks a rule."""
    document.find(path).set(attribute, value)
    if value == "1":
        document.find(path).tag = "no-date"
    assert list(broken_rules(standard, document)) != []


def broken_rules(standard: Path, document: Any) -> Iterator[str]:
    """The rules of the standard's ruleset that a document breaks."""
    ruleset = (standard / "2-03/rulesets/standard_ruleset.json").read_text("utf-8")
    for context, rules in json.loads(ruleset).items():
        for element in document.getroottree().xpath(context):
            for name, rule in rules.items():
                for case in rule["cases"]:
                    if not _RULES[name](element, case):
                        yield f"{name} of {context}: {case}"


def select(element: Any, case: Json) -> list[Any]:
    """Everything that the paths of a case select."""
    return [item for path in case["paths"] for item in element.xpath(path)]


def are_in_order(element: Any, case: Json) -> bool:
    """Whether one date is not after another, if both exist."""
    today = [datetime.now(UTC).date().isoformat()]
    earlier, later = (
        today if case[edge] == "NOW" else element.xpath(case[edge]) for edge in ("less", "more")
    )
    return not earlier or not later or max(earlier) <= min(later)


def have_sum(element: Any, case: Json) -> bool:
    """Whether shares, if there are any, add up to the required sum."""
    shares = [Decimal(str(share)) for share in select(element, case)]
    return not shares or sum(shares) == case["sum"]


def match_pattern(element: Any, case: Json) -> bool:
    """Whether every text matches the regular expression."""
    texts = [item if isinstance(item, str) else item.text for item in select(element, case)]
    return all(re.fullmatch(case["regex"], text) for text in texts)


_RULES: dict[str, Any] = {
    "atleast_one": lambda element, case: bool(select(element, case)),
    "no_more_than_one": lambda element, case: len(select(element, case)) <= 1,
    "date_order": are_in_order,
    "regex_matches": match_pattern,
    "sum": have_sum,
}
