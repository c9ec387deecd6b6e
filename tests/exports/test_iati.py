"""The IATI activities are valid, and contain nothing that the record does not support."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest
from lxml import etree

from app.archive.release import build_if_stale
from benchmarks.corpus import write_corpus
from tests.conftest import SEED, SeedCopy
from tests.support.packages import unpacked
from tests.support.problem import assert_problem
from tests.support.published import PUBLIC_URL, PUBLISHED, copy_archive, published_client

pytestmark = [pytest.mark.anyio, pytest.mark.download]

Json = dict[str, Any]
UNSUPPORTED = (
    "budget",
    "budget-not-provided",
    "planned-disbursement",
    "capital-spend",
    "default-flow-type",
    "default-finance-type",
    "default-aid-type",
    "default-tied-status",
    "collaboration-type",
    "flow-type",
    "finance-type",
    "aid-type",
    "tied-status",
    "policy-marker",
    "result",
)
"""Elements and attributes that the archived page does not support."""


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


@pytest.fixture(scope="module")
def own_archive(archive_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the shipped archive, in a directory of its own for the exports."""
    return copy_archive(archive_file, tmp_path_factory.mktemp("exported"))


@pytest.fixture
async def client(own_archive: Path) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a server with a reporting organization in its settings."""
    async with published_client(SEED, own_archive) as opened:
        yield opened


async def get_activities(client: httpx.AsyncClient) -> Any:
    """The served document, parsed."""
    response = await client.get("/v1/exports/iati.xml")
    assert response.status_code == 200, response.text
    return etree.fromstring(response.content)


@pytest.fixture
async def document(client: httpx.AsyncClient) -> Any:
    """The document of the shipped record."""
    return await get_activities(client)


@pytest.fixture
async def generated(tmp_path: Path) -> Any:
    """The document of a generated record with all scripts and nulls."""
    write_corpus(tmp_path, 2_400)
    build_if_stale(tmp_path / "seed.json", tmp_path / "archive.sqlite")
    async with published_client(tmp_path / "seed.json", tmp_path / "archive.sqlite") as client:
        return await get_activities(client)


@pytest.fixture(params=["document", "generated"])
def either(request: pytest.FixtureRequest) -> Any:
    """The document of the shipped record, and that of the generated one."""
    return request.getfixturevalue(request.param)


async def test_the_document_is_valid(schema: etree.XMLSchema, either: Any) -> None:
    """It conforms to the XML schema, which would detect a missing reporter."""
    assert schema.validate(either), schema.error_log
    reporter = either.find(".//reporting-org")
    reporter.getparent().remove(reporter)
    assert not schema.validate(either)


async def test_every_code_is_in_its_code_list(standard: Path, either: Any) -> None:
    """Each attribute that the standard maps to a code list has a code from it."""
    checked = set()
    for mapping in etree.parse(standard / "2-03/codelist-mapping.xml").iter("mapping"):
        path, condition = mapping.findtext("path", ""), mapping.findtext("condition")
        parent, _, attribute = path.rpartition("/")
        code_list = standard / f"2-03/codelists/{mapping.xpath('string(codelist/@ref)')}.xml"
        element = f"{parent}[{condition}]" if condition else parent
        values = either.getroottree().xpath(f"{element}/{attribute}")
        if values:
            codes = set(etree.parse(code_list).xpath("//codelist-item/code/text()"))
            assert set(map(str, values)) <= codes, path
            checked.add(path)
    assert len(checked) > 8


async def test_the_rules_of_the_standard_are_kept(standard: Path, either: Any) -> None:
    """The document satisfies the standard's ruleset.

    Rules that require dates in the past apply to the shipped record only: generated dates may be
    in the future.
    """
    rules = (standard / "2-03/rulesets/standard_ruleset.json").read_text("utf-8")
    violations = list(broken_rules(rules, either))
    if len(either) > 1:
        violations = [violation for violation in violations if "NOW" not in violation]
    assert violations == []


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
    rules = (standard / "2-03/rulesets/standard_ruleset.json").read_text("utf-8")
    document.find(path).set(attribute, value)
    if value == "1":
        document.find(path).tag = "no-date"
    assert list(broken_rules(rules, document)) != []


def broken_rules(ruleset: str, document: Any) -> Iterator[str]:
    """The rules of an IATI ruleset that a document breaks."""
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


async def test_each_partnership_is_one_activity(client: httpx.AsyncClient, document: Any) -> None:
    """Its identifier starts with that of its reporter, which is a secondary reporter."""
    record = (await client.get("/v1/record")).json()["data"]
    ref = PUBLISHED["iati_reporting_org_ref"]
    ids = [partnership["id"] for partnership in record["partnerships"]]
    assert document.xpath("iati-activity/iati-identifier/text()") == [
        f"{ref}-{partnership_id}" for partnership_id in ids
    ]
    assert document.get("version") == "2.03"
    (reporter,) = document.iter("reporting-org")
    assert dict(reporter.attrib) == {"ref": ref, "type": "22", "secondary-reporter": "1"}
    assert reporter.findtext("narrative") == PUBLISHED["iati_reporting_org_name"]
    assert document.xpath("//participating-org/@ref | //provider-org/@ref") == []


async def test_the_investment_is_one_commitment(client: httpx.AsyncClient, document: Any) -> None:
    """It is the total, dated to the month that the source states, not split between awards."""
    (partnership,) = (await client.get("/v1/partnerships")).json()["data"]
    awards = (await client.get("/v1/awards")).json()["data"]
    (transaction,) = document.iter("transaction")
    (announced,) = {award["announced"] for award in awards}
    assert transaction.find("transaction-type").get("code") == "2"
    assert transaction.findtext("value") == str(partnership["investment_amount"])
    assert transaction.find("value").get("currency") == partnership["investment_currency"]
    assert transaction.find("transaction-date").get("iso-date") == f"{announced}-01"
    description = transaction.findtext("description/narrative")
    assert announced in description
    assert "the first of the month" in description
    assert transaction.find("receiver-org") is None


async def test_participating_organizations_are_named(
    client: httpx.AsyncClient, document: Any
) -> None:
    """The investor is the funding one; the recipients of the awards are implementing."""
    organizations = (await client.get("/v1/organizations")).json()["data"]
    names = {organization["id"]: organization["name"] for organization in organizations}
    (partnership,) = (await client.get("/v1/partnerships")).json()["data"]
    awards = (await client.get("/v1/awards?sort=title")).json()["data"]
    expected = {("1", names[partnership["investor"]])}
    expected |= {("4", names[award["recipient"]]) for award in awards}
    participants = [
        (element.get("role"), element.findtext("narrative"))
        for element in document.iter("participating-org")
    ]
    assert set(participants) == expected
    assert len(participants) == len(expected)


async def test_dates_are_no_more_precise_than_the_source(
    client: httpx.AsyncClient, document: Any
) -> None:
    """The start is the date of signature, marked as derived; no end is invented."""
    (partnership,) = (await client.get("/v1/partnerships")).json()["data"]
    (date,) = document.iter("activity-date")
    assert dict(date.attrib) == {"type": "2", "iso-date": partnership["signed"]}
    assert "derived" in date.findtext("narrative")
    descriptions = " ".join(document.xpath("//description/narrative/text()"))
    for award in (await client.get("/v1/awards")).json()["data"]:
        assert award["announced"] in descriptions
        assert award["ends"] in descriptions
    assert document.find(".//activity-status").get("code") == "2"


async def test_country_and_regions_are_reported(client: httpx.AsyncClient, document: Any) -> None:
    """They are those of the partnership, in the same order."""
    (partnership,) = (await client.get("/v1/partnerships")).json()["data"]
    collection = (await client.get("/v1/regions")).json()["data"]
    regions = {region["id"]: region for region in collection}
    names = [regions[region_id]["name"] for region_id in partnership["regions"]]
    assert document.xpath("//location/name/narrative/text()") == names
    (country,) = document.xpath("//recipient-country/@code")
    assert {country} == {regions[region_id]["country"] for region_id in partnership["regions"]}


async def test_vocabulary_urls_resolve(client: httpx.AsyncClient, document: Any) -> None:
    """The URL of each sector's and tag's vocabulary returns its code."""
    objectives = (await client.get("/v1/objectives")).json()["data"]
    tags = {element.get("code"): element.findtext("narrative") for element in document.iter("tag")}
    assert tags == {objective["id"]: objective["title"] for objective in objectives}
    for element in (*document.iter("tag"), *document.iter("sector")):
        assert element.get("vocabulary") == "99"
        url = element.get("vocabulary-uri")
        assert url.startswith(PUBLIC_URL)
        response = await client.get(url.removeprefix(PUBLIC_URL))
        assert f'"{element.get("code")}"' in response.text


@pytest.mark.parametrize("name", UNSUPPORTED)
async def test_unsupported_elements_are_absent(document: Any, name: str) -> None:
    """No code is invented for what the source does not state."""
    assert document.xpath(f"//{name} | //@{name}") == []


async def test_narratives_are_not_empty(document: Any) -> None:
    """Every narrative has text, and the page is linked as an activity web page."""
    assert all(text.strip() for text in document.xpath("//narrative/text()"))
    assert document.xpath("//document-link/category/@code") == ["A12"]


def remove_signature(partnership: Json) -> Json:
    """The partnership as if the source stated no date of signature."""
    evidence = {name: item for name, item in partnership["evidence"].items() if name != "signed"}
    not_stated = [*partnership["not_stated"], "signed"]
    return {**partnership, "signed": None, "not_stated": not_stated, "evidence": evidence}


async def test_a_partnership_without_signature_is_left_out(seed: SeedCopy, tmp_path: Path) -> None:
    """It has no start date, which IATI requires, and none is invented."""
    (signed,) = seed.data["partnerships"]
    seed.data["partnerships"].insert(0, {**remove_signature(signed), "id": "unsigned"})
    async with published_client(seed.write(), tmp_path / "archive.sqlite") as client:
        (activity,) = await get_activities(client)
    assert activity.findtext("iati-identifier").endswith(f"-{signed['id']}")


async def test_a_record_without_activities_has_no_iati_export(
    seed: SeedCopy, tmp_path: Path
) -> None:
    """IATI requires an activity; without one the export is not listed, and a 404 explains it."""
    seed.data["partnerships"] = [remove_signature(item) for item in seed.data["partnerships"]]
    async with published_client(seed.write(), tmp_path / "archive.sqlite") as client:
        for method in ("GET", "HEAD"):
            response = await client.request(method, "/v1/exports/iati.xml")
            assert response.status_code == 404
        problem = assert_problem(await client.get("/v1/exports/iati.xml"), 404)
        assert "date of signature" in problem["detail"]
        page = await client.get("/", headers={"accept": "text/html"})
        for response in (await client.get("/v1/exports"), await client.get("/data.json"), page):
            assert response.status_code == 200
            assert "tables.zip" in response.text
            assert "/v1/exports/iati.xml" not in response.text
