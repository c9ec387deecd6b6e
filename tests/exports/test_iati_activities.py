"""The IATI activities state what the record supports, as precisely, and nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest
from lxml import etree

from tests.conftest import SeedCopy
from tests.support.problem import assert_problem
from tests.support.published import PUBLIC_URL, PUBLISHED, published_client

pytestmark = pytest.mark.anyio

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
REF = PUBLISHED["iati_reporting_org_ref"]


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
def activity(document: Any) -> Any:
    """The activity of the partnership of the shipped record."""
    (partnership,) = document.xpath("iati-activity[@hierarchy='1']")
    return partnership


async def activity_of(seed: SeedCopy) -> Any:
    """The activity of the partnership of a changed record."""
    async with published_client(seed.write(), seed.path.with_name("archive.sqlite")) as client:
        return (await get_activities(client))[0]


def narratives(element: Any, path: str) -> list[str]:
    """The narratives of all elements at a path."""
    return [str(text) for text in element.xpath(f"{path}/narrative/text()")]


async def test_partnerships_and_awards_are_activities(
    client: httpx.AsyncClient, document: Any
) -> None:
    """A partnership is the parent of its awards; identifiers begin with that of the reporter."""
    record = (await client.get("/v1/record")).json()["data"]
    (partnership,) = record["partnerships"]
    parent = f"{REF}-{partnership['id']}"
    children = {f"{REF}-award.{award['id']}" for award in record["awards"]}
    assert document.get("version") == "2.03"
    first, *others = document
    assert first.findtext("iati-identifier") == parent
    identifiers = [activity.findtext("iati-identifier") for activity in others]
    assert set(identifiers) == children
    assert first.xpath("related-activity[@type='2']/@ref") == identifiers
    assert [activity.xpath("related-activity[@type='1']/@ref") for activity in others] == [
        [parent] for _ in others
    ]
    assert document.xpath("iati-activity/@hierarchy") == ["1", "2", "2"]


async def test_the_reporter_is_a_secondary_one(document: Any) -> None:
    """It comes from the settings; no other organization has an identifier."""
    for reporter in document.iter("reporting-org"):
        assert dict(reporter.attrib) == {"ref": REF, "type": "22", "secondary-reporter": "1"}
        assert reporter.findtext("narrative") == PUBLISHED["iati_reporting_org_name"]
    assert document.xpath("//participating-org/@ref | //provider-org/@ref") == []


async def test_the_release_is_in_the_file(client: httpx.AsyncClient, document: Any) -> None:
    """Each activity has its label and digest; the times are those of the last change."""
    meta = (await client.get("/v1/meta")).json()["data"]
    begin = f"{meta['modified']}T00:00:00Z"
    assert document.get("generated-datetime") == begin
    for activity in document:
        assert activity.get("last-updated-datetime") == begin
        text = " ".join(narratives(activity, "description"))
        assert f"Release {meta['release_label']} of the record" in text
        assert meta["release"] in text


async def test_an_award_is_an_activity_without_money(
    client: httpx.AsyncClient, document: Any
) -> None:
    """It has the recipient, dates, regions and objectives of the award; sums are told once."""
    awards = (await client.get("/v1/awards")).json()["data"]
    for award in awards:
        (activity,) = document.xpath(
            "iati-activity[iati-identifier = $id]", id=f"{REF}-award.{award['id']}"
        )
        assert activity.findall(".//transaction") == []
        assert narratives(activity, "title") == [award["title"]]
        assert award["summary"] in narratives(activity, "description")
        assert activity.xpath("location/@ref") == award["regions"]
        assert activity.xpath("tag/@code") == award["objectives"]
        assert len(activity.findall("participating-org[@role='4']")) == 1
        assert activity.xpath("activity-date[@type='2']/@iso-date") == [f"{award['announced']}-01"]
        assert activity.xpath("activity-date[@type='3']/@iso-date") == [f"{award['ends']}-31"]


async def test_the_investment_is_one_commitment(client: httpx.AsyncClient, activity: Any) -> None:
    """It is the total, dated to the month that the source states, not split between awards."""
    (partnership,) = (await client.get("/v1/partnerships")).json()["data"]
    awards = (await client.get("/v1/awards")).json()["data"]
    (transaction,) = activity.iter("transaction")
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
    client: httpx.AsyncClient, activity: Any
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
        for element in activity.iter("participating-org")
    ]
    assert set(participants) == expected
    assert len(participants) == len(expected)


async def test_types_of_organizations_follow_from_the_record(activity: Any) -> None:
    """A government agency, an international organization, and a local NGO by the cited words."""
    assert activity.xpath("participating-org/@type") == ["10", "40", "24"]


@pytest.mark.parametrize(
    ("words", "types"),
    [
        ("an international NGO", ["21"]),
        ("a regional NGO", ["23"]),
        ("a Local NGO", ["24"]),
        ("a national NGO", []),
        ("an NGO", []),
        ("the locality's NGO", []),
        ("an international NGO and its local partner", []),
    ],
)
async def test_the_type_of_an_ngo_is_cited(seed: SeedCopy, words: str, types: list[str]) -> None:
    """It is that of the word which the source has; without such a word there is no type."""
    (number,) = [
        number for number, item in enumerate(seed.data["organizations"]) if item["kind"] == "ngo"
    ]
    seed.cite(f"/organizations/{number}/kind", "ngo", words)
    name = seed.data["organizations"][number]["name"]
    activity = await activity_of(seed)
    found = activity.xpath("participating-org[narrative = $name]/@type", name=name)
    assert found == types


async def test_the_start_is_the_signature(client: httpx.AsyncClient, activity: Any) -> None:
    """It is marked as derived; the dates of the awards are in words, too."""
    (partnership,) = (await client.get("/v1/partnerships")).json()["data"]
    start = activity.find("activity-date")
    assert dict(start.attrib) == {"type": "2", "iso-date": partnership["signed"]}
    assert "derived" in start.findtext("narrative")
    descriptions = " ".join(narratives(activity, "description"))
    for award in (await client.get("/v1/awards")).json()["data"]:
        assert award["announced"] in descriptions
        assert award["ends"] in descriptions
    assert activity.find("activity-status").get("code") == "2"


async def test_the_end_agrees_with_the_catalog(client: httpx.AsyncClient, activity: Any) -> None:
    """It is the last day of the month in which the temporal coverage of the dataset ends."""
    (dataset,) = (await client.get("/data.json")).json()["dataset"]
    begins, ends = dataset["temporal"].split("/")
    start, end = activity.findall("activity-date")
    assert start.get("iso-date") == begins
    assert dict(end.attrib) == {"type": "3", "iso-date": f"{ends}-31"}
    text = end.findtext("narrative")
    assert f"Planned until {ends}. Derived: the last end of an award." in text
    assert "the last of the month" in text


@pytest.mark.parametrize(
    ("ends", "day", "note"),
    [
        (
            "2024",
            "2024-12-31",
            "Planned until 2024. The source states no day; the last of the year",
        ),
        ("2024-02", "2024-02-29", "the last of the month is used."),
        ("2024-02-03", "2024-02-03", "Planned until 2024-02-03."),
        ("2019", "2020-12-31", "Derived: the last end of an award."),
    ],
)
async def test_an_end_is_the_last_day(seed: SeedCopy, ends: str, day: str, note: str) -> None:
    """It is the last day of its month or year, and that of an award if that is later."""
    words = {10: "3 February 2024", 7: "February 2024"}.get(len(ends), ends)
    seed.cite("/partnerships/0/ends", ends, words)
    (end,) = (await activity_of(seed)).xpath("activity-date[@type='3']")
    assert end.get("iso-date") == day
    assert note in end.findtext("narrative")


async def test_without_any_end_there_is_none(seed: SeedCopy) -> None:
    """No end is invented, and if only some awards have one, the narrative says so."""
    _remove(seed.data["awards"][0], "ends")
    (end,) = (await activity_of(seed)).xpath("activity-date[@type='3']")
    assert "Not every award has an end in the source." in end.findtext("narrative")
    _remove(seed.data["awards"][1], "ends")
    assert (await activity_of(seed)).xpath("activity-date[@type='3']") == []


def _remove(resource: Json, field: str) -> None:
    """Make a field of a resource not stated."""
    resource[field] = None
    del resource["evidence"][field]
    resource["not_stated"].append(field)


async def test_country_and_regions_are_reported(client: httpx.AsyncClient, activity: Any) -> None:
    """They are those of the partnership, in the same order, with their codes."""
    (partnership,) = (await client.get("/v1/partnerships")).json()["data"]
    collection = (await client.get("/v1/regions")).json()["data"]
    regions = {region["id"]: region for region in collection}
    stated = [regions[region_id] for region_id in partnership["regions"]]
    assert narratives(activity, "location/name") == [region["name"] for region in stated]
    for text, region in zip(narratives(activity, "location/description"), stated, strict=True):
        assert f"ISO 3166-2 {region['iso_3166_2']}." in text
        assert f"Wikidata {region['wikidata']}." in text
    countries = [region["country"] for region in stated]
    assert activity.xpath("location/administrative/@code") == countries
    (country,) = activity.xpath("recipient-country/@code")
    assert {country} == set(countries)


async def test_points_are_inside_the_outlines(client: httpx.AsyncClient, activity: Any) -> None:
    """They are marked as approximate, and say where the outlines come from."""
    outlines = (await client.get("/v1/regions?format=geojson")).json()["features"]
    boxes = {feature["id"]: feature["bbox"] for feature in outlines}
    title = (await client.get("/v1/meta")).json()["data"]["outlines"]["reference"]["title"]
    for location in activity.iter("location"):
        latitude, longitude = map(float, location.findtext("point/pos").split())
        west, south, east, north = boxes[location.get("ref")]
        assert west < longitude < east
        assert south < latitude < north
        assert location.find("exactness").get("code") == "2"
        assert title in location.findtext("description/narrative")


async def test_regions_without_outlines_have_no_point(seed: SeedCopy) -> None:
    """Their codes are still given."""
    seed.data["outlines"] = None
    activity = await activity_of(seed)
    assert activity.findall("location/point") == []
    assert all("point" not in text for text in narratives(activity, "location/description"))


@pytest.mark.parametrize(
    ("countries", "recipients"),
    [
        (["US", "PE"], ["PE"]),
        (["PE"], ["PE"]),
        (["EC", "PE"], []),
        (["US"], []),
        (None, []),
    ],
)
async def test_the_recipient_is_a_signatory(
    seed: SeedCopy, countries: list[str] | None, recipients: list[str]
) -> None:
    """Without regions it is the only signatory that is no donor, and the narrative says so."""
    partnership = seed.data["partnerships"][0]
    for resource in (partnership, *seed.data["awards"]):
        _remove(resource, "regions")
    if countries is None:
        _remove(partnership, "countries")
    else:
        names = {"US": "the United States", "PE": "Peru", "EC": "Ecuador"}
        quote = " and ".join(names[code] for code in countries)
        seed.cite("/partnerships/0/countries", countries, quote)
    activity = await activity_of(seed)
    assert activity.xpath("recipient-country/@code") == recipients
    if recipients:
        assert "only signatory" in activity.findtext("recipient-country/narrative")


async def test_one_recipient_of_all_awards_receives_the_sum(seed: SeedCopy) -> None:
    """Where two receive it, no receiver is named, as consumers would give the sum to each."""
    assert (await activity_of(seed)).findall("transaction/receiver-org") == []
    awards = seed.data["awards"]
    seed.cite("/awards/1/recipient", awards[0]["recipient"], "International Labor Organization")
    assert narratives(await activity_of(seed), "transaction/receiver-org") == [
        "International Labor Organization"
    ]


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
    assert set(document.xpath("//document-link/category/@code")) == {"A12"}


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
        activities = await get_activities(client)
    parents = activities.xpath("iati-activity[@hierarchy='1']/iati-identifier/text()")
    assert parents == [f"{REF}-{signed['id']}"]


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
