"""The IATI activities are valid to IATI, and say nothing that the record does not."""

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
"""What the page gives no ground for."""


@pytest.fixture(scope="module")
def standard(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Schemas, code lists and rules of the standard, as published with a library."""
    files = unpacked("pyIATI==0.4.1", tmp_path_factory.mktemp("iati"), "--no-binary", ":all:")
    (folder,) = files.glob("*/iati/resources/standard")
    return folder


@pytest.fixture(scope="module")
def schema(standard: Path) -> etree.XMLSchema:
    """The schema of activities, 2.03."""
    return etree.XMLSchema(etree.parse(standard / "2-03/schemas/iati-activities-schema.xsd"))


@pytest.fixture(scope="module")
def own_archive(archive_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shipped record, compiled, in a folder where its exports may be."""
    return copy_archive(archive_file, tmp_path_factory.mktemp("exported"))


@pytest.fixture
async def client(own_archive: Path) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a server whose settings say who reports."""
    async with published_client(SEED, own_archive) as opened:
        yield opened


async def activities(client: httpx.AsyncClient) -> Any:
    """The activities as served."""
    response = await client.get("/v1/exports/iati.xml")
    assert response.status_code == 200, response.text
    return etree.fromstring(response.content)


@pytest.fixture
async def document(client: httpx.AsyncClient) -> Any:
    """The activities of the shipped record."""
    return await activities(client)


@pytest.fixture
async def awkward(tmp_path: Path) -> Any:
    """The activities of a made-up record with every script and null where it may be."""
    write_corpus(tmp_path, 2_400)
    build_if_stale(tmp_path / "seed.json", tmp_path / "archive.sqlite")
    async with published_client(tmp_path / "seed.json", tmp_path / "archive.sqlite") as client:
        return await activities(client)


@pytest.fixture(params=["document", "awkward"])
def either(request: pytest.FixtureRequest) -> Any:
    """The activities of the shipped record, then of the made-up one."""
    return request.getfixturevalue(request.param)


async def test_the_schema_has_nothing_to_say(schema: etree.XMLSchema, either: Any) -> None:
    """The document is valid against the XSD; one without its reporter would not be."""
    assert schema.validate(either), schema.error_log
    reporter = either.find(".//reporting-org")
    reporter.getparent().remove(reporter)
    assert not schema.validate(either)


async def test_every_code_is_of_its_list(standard: Path, either: Any) -> None:
    """Each attribute that the standard maps to a code list holds a code of it."""
    checked = set()
    for mapping in etree.parse(standard / "2-03/codelist-mapping.xml").iter("mapping"):
        path, condition = mapping.findtext("path", ""), mapping.findtext("condition")
        parent, _, attribute = path.rpartition("/")
        listed = standard / f"2-03/codelists/{mapping.xpath('string(codelist/@ref)')}.xml"
        where = f"{parent}[{condition}]" if condition else parent
        values = either.getroottree().xpath(f"{where}/{attribute}")
        if values:
            codes = set(etree.parse(listed).xpath("//codelist-item/code/text()"))
            assert set(map(str, values)) <= codes, path
            checked.add(path)
    assert len(checked) > 8


async def test_the_rules_hold(standard: Path, either: Any) -> None:
    """The standard's own rules, read from its file, find nothing wrong.

    Those that ask for the past are held against the shipped record: the other's dates are made up.
    """
    rules = (standard / "2-03/rulesets/standard_ruleset.json").read_text("utf-8")
    wrong = list(broken(rules, either))
    if len(either) > 1:
        wrong = [one for one in wrong if "NOW" not in one]
    assert wrong == []


@pytest.mark.parametrize(
    ("path", "attribute", "value"),
    [
        (".//activity-date", "type", "1"),
        (".//activity-date", "iso-date", "2999-01-01"),
        (".//transaction-date", "iso-date", "2999-01-01"),
        (".//reporting-org", "ref", "?"),
    ],
)
async def test_a_broken_rule_is_found(
    standard: Path, document: Any, path: str, attribute: str, value: str
) -> None:
    """The check of the rules can fail: a start that is planned for after its end breaks one."""
    rules = (standard / "2-03/rulesets/standard_ruleset.json").read_text("utf-8")
    document.find(path).set(attribute, value)
    if value == "1":
        document.find(path).tag = "no-date"
    assert list(broken(rules, document)) != []


def broken(rules: str, document: Any) -> Iterator[str]:
    """The rules of an IATI ruleset that a document breaks."""
    for context, kinds in json.loads(rules).items():
        for element in document.getroottree().xpath(context):
            for kind, rule in kinds.items():
                for case in rule["cases"]:
                    if not _HOLDS[kind](element, case):
                        yield f"{kind} of {context}: {case}"


def found(element: Any, case: Json) -> list[Any]:
    """Everything that the paths of a case select."""
    return [one for path in case["paths"] for one in element.xpath(path)]


def in_order(element: Any, case: Json) -> bool:
    """Whether one date is not after another, where both are there."""
    today = [datetime.now(UTC).date().isoformat()]
    earlier, later = (
        today if case[edge] == "NOW" else element.xpath(case[edge]) for edge in ("less", "more")
    )
    return not earlier or not later or max(earlier) <= min(later)


def adds_up(element: Any, case: Json) -> bool:
    """Whether shares, where there are any, make the sum."""
    shares = [Decimal(str(one)) for one in found(element, case)]
    return not shares or sum(shares) == case["sum"]


def matches(element: Any, case: Json) -> bool:
    """Whether every text is as the rule has it."""
    texts = [one if isinstance(one, str) else one.text for one in found(element, case)]
    return all(re.fullmatch(case["regex"], text) for text in texts)


_HOLDS: dict[str, Any] = {
    "atleast_one": lambda element, case: bool(found(element, case)),
    "no_more_than_one": lambda element, case: len(found(element, case)) <= 1,
    "date_order": in_order,
    "regex_matches": matches,
    "sum": adds_up,
}


async def test_there_is_one_activity_a_partnership(
    client: httpx.AsyncClient, document: Any
) -> None:
    """It is identified under its reporter, who is secondary and claims to be nobody else."""
    record = (await client.get("/v1/record")).json()["data"]
    ref = PUBLISHED["iati_reporting_org_ref"]
    names = [one["id"] for one in record["partnerships"]]
    assert document.xpath("iati-activity/iati-identifier/text()") == [f"{ref}-{n}" for n in names]
    assert document.get("version") == "2.03"
    (reporter,) = document.iter("reporting-org")
    assert dict(reporter.attrib) == {"ref": ref, "type": "22", "secondary-reporter": "1"}
    assert reporter.findtext("narrative") == PUBLISHED["iati_reporting_org_name"]
    assert document.xpath("//participating-org/@ref | //provider-org/@ref") == []


async def test_the_money_is_one_commitment(client: httpx.AsyncClient, document: Any) -> None:
    """The whole investment once, to the month that the source gives, and no share of an award."""
    (partnership,) = (await client.get("/v1/partnerships")).json()["data"]
    awards = (await client.get("/v1/awards")).json()["data"]
    (transaction,) = document.iter("transaction")
    (announced,) = {award["announced"] for award in awards}
    assert transaction.find("transaction-type").get("code") == "2"
    assert transaction.findtext("value") == str(partnership["investment_amount"])
    assert transaction.find("value").get("currency") == partnership["investment_currency"]
    assert transaction.find("transaction-date").get("iso-date") == f"{announced}-01"
    said = transaction.findtext("description/narrative")
    assert announced in said
    assert "the first of the month" in said
    assert transaction.find("receiver-org") is None


async def test_who_takes_part_is_named(client: httpx.AsyncClient, document: Any) -> None:
    """The investor funds, the recipients of the awards implement, and each is called by name."""
    organizations = (await client.get("/v1/organizations")).json()["data"]
    names = {one["id"]: one["name"] for one in organizations}
    (partnership,) = (await client.get("/v1/partnerships")).json()["data"]
    awards = (await client.get("/v1/awards?sort=title")).json()["data"]
    expected = {("1", names[partnership["investor"]])}
    expected |= {("4", names[award["recipient"]]) for award in awards}
    taking = [
        (one.get("role"), one.findtext("narrative")) for one in document.iter("participating-org")
    ]
    assert set(taking) == expected
    assert len(taking) == len(expected)


async def test_dates_are_no_more_than_the_source_gives(
    client: httpx.AsyncClient, document: Any
) -> None:
    """The signature is the actual start, said to be derived; no end is made up."""
    (partnership,) = (await client.get("/v1/partnerships")).json()["data"]
    (day,) = document.iter("activity-date")
    assert dict(day.attrib) == {"type": "2", "iso-date": partnership["signed"]}
    assert "derived" in day.findtext("narrative")
    told = " ".join(document.xpath("//description/narrative/text()"))
    for award in (await client.get("/v1/awards")).json()["data"]:
        assert award["announced"] in told
        assert award["ends"] in told
    assert document.find(".//activity-status").get("code") == "2"


async def test_places_are_named(client: httpx.AsyncClient, document: Any) -> None:
    """The country and the regions are the partnership's, in its order."""
    (partnership,) = (await client.get("/v1/partnerships")).json()["data"]
    regions = {one["id"]: one for one in (await client.get("/v1/regions")).json()["data"]}
    named = [regions[name]["name"] for name in partnership["regions"]]
    assert document.xpath("//location/name/narrative/text()") == named
    (country,) = document.xpath("//recipient-country/@code")
    assert {country} == {regions[name]["country"] for name in partnership["regions"]}


async def test_own_vocabularies_are_told(client: httpx.AsyncClient, document: Any) -> None:
    """Sectors and tags are of vocabularies that are found at their address, each code in them."""
    objectives = (await client.get("/v1/objectives")).json()["data"]
    tags = {one.get("code"): one.findtext("narrative") for one in document.iter("tag")}
    assert tags == {one["id"]: one["title"] for one in objectives}
    for one in (*document.iter("tag"), *document.iter("sector")):
        assert one.get("vocabulary") == "99"
        address = one.get("vocabulary-uri")
        assert address.startswith(PUBLIC_URL)
        assert f'"{one.get("code")}"' in (await client.get(address.removeprefix(PUBLIC_URL))).text


@pytest.mark.parametrize("name", UNSUPPORTED)
async def test_what_the_page_does_not_support_is_left_out(document: Any, name: str) -> None:
    """No code is made up for what the source does not say."""
    assert document.xpath(f"//{name} | //@{name}") == []


async def test_the_words_are_not_the_pages(document: Any) -> None:
    """Narratives are the record's own wording and names."""
    assert all(text.strip() for text in document.xpath("//narrative/text()"))
    assert document.xpath("//document-link/category/@code") == ["A12"]


def unsigned(partnership: Json) -> Json:
    """A partnership as it would stand if the source gave no day of its signature."""
    evidence = {name: one for name, one in partnership["evidence"].items() if name != "signed"}
    not_stated = [*partnership["not_stated"], "signed"]
    return {**partnership, "signed": None, "not_stated": not_stated, "evidence": evidence}


async def test_what_iati_cannot_express_is_left_out(seed: SeedCopy, tmp_path: Path) -> None:
    """Without the day of its signature a partnership has no start, and no day is made up for it."""
    (signed,) = seed.data["partnerships"]
    seed.data["partnerships"].insert(0, {**unsigned(signed), "id": "unsigned"})
    async with published_client(seed.write(), tmp_path / "archive.sqlite") as client:
        (activity,) = await activities(client)
    assert activity.findtext("iati-identifier").endswith(f"-{signed['id']}")


async def test_no_activity_is_no_document(seed: SeedCopy, tmp_path: Path) -> None:
    """The schema asks for an activity: where there can be none, none is offered, and it is told."""
    seed.data["partnerships"] = [unsigned(one) for one in seed.data["partnerships"]]
    async with published_client(seed.write(), tmp_path / "archive.sqlite") as client:
        for method in ("GET", "HEAD"):
            refused = await client.request(method, "/v1/exports/iati.xml")
            assert refused.status_code == 404
        problem = assert_problem(await client.get("/v1/exports/iati.xml"), 404)
        assert "date of its signature" in problem["detail"]
        page = await client.get("/", headers={"accept": "text/html"})
        for one in (await client.get("/v1/exports"), await client.get("/data.json"), page):
            assert one.status_code == 200
            assert "tables.zip" in one.text
            assert "/v1/exports/iati.xml" not in one.text
