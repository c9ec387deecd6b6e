"""Made-up records: what they state is on the page, in the guide and in each export."""

from __future__ import annotations

import io
import json
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import httpx
import pytest
from lxml import etree, html

from app.seed.notice import SourceFacts, archive_notice
from tests.conftest import SeedCopy
from tests.support.published import published_client

pytestmark = pytest.mark.anyio

Json = dict[str, Any]
TITLE, DESCRIPTION = "Fiji & Co record", "What two pages say about Fiji."
WORDING = {"title": "Own words: ODC-By 1.0", "url": "https://example.org/odc-by"}


@asynccontextmanager
async def serve(seed: SeedCopy) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a published server on a changed seed."""
    archive = seed.path.with_name("archive.sqlite")
    async with published_client(seed.write(), archive) as client:
        yield client


async def get_page(client: httpx.AsyncClient, path: str = "/") -> Any:
    """A page, parsed; line breaks and runs of spaces in its text are single spaces."""
    response = await client.get(path, headers={"Accept": "text/html"})
    assert response.status_code == 200
    return html.fromstring(response.content)


def text_of(element: Any) -> str:
    """The text of an element with single spaces."""
    return " ".join("".join(element.itertext()).split())


async def get_iati(client: httpx.AsyncClient) -> Any:
    """The IATI document, parsed."""
    return etree.fromstring((await client.get("/v1/exports/iati.xml")).content)


@pytest.fixture
def renamed(seed: SeedCopy) -> SeedCopy:
    """The shipped record under another name."""
    seed.data |= {"title": TITLE, "description": DESCRIPTION, "keywords": ["fiji", "compact"]}
    seed.data["wording_license"] = WORDING
    return seed


async def test_titles_come_from_the_record(renamed: SeedCopy) -> None:
    """Every page, the index, the OpenAPI document and each description have the record's title."""
    async with serve(renamed) as client:
        document = (await client.get("/openapi.json")).json()
        assert document["info"]["title"] == TITLE
        assert document["info"]["summary"] == DESCRIPTION
        assert (await client.get("/v1")).json()["data"]["title"] == TITLE
        for path in ("/", "/docs", "/problems", "/problems/not-found"):
            page = await get_page(client, path)
            assert page.find_class("brand")[0].text_content() == TITLE
        missing = await client.get("/v1/awards/x", headers={"Accept": "text/html"})
        assert html.fromstring(missing.content).findtext(".//title").endswith(TITLE)
        assert DESCRIPTION in text_of(await get_page(client, "/docs"))


async def test_every_export_states_title_and_licenses(renamed: SeedCopy, tmp_path: Path) -> None:
    """A file that was passed on still says what it is, and who may use which part of it."""
    facts = renamed.data["license"]
    async with serve(renamed) as client:
        meta = (await client.get("/v1/meta")).json()["data"]
        assert (meta["license"], meta["wording_license"]) == (facts, WORDING)
        record = (await client.get("/v1/record")).json()["meta"]
        assert (record["title"], record["license"]) == (TITLE, facts)
        assert record["wording_license"] == WORDING
        with ZipFile(io.BytesIO((await client.get("/v1/exports/tables.zip")).content)) as package:
            descriptor = json.loads(package.read("datapackage.json"))
        assert (descriptor["title"], descriptor["name"]) == (TITLE, "fiji-co-record")
        assert [terms["path"] for terms in descriptor["licenses"]] == [facts["url"], WORDING["url"]]
        database = tmp_path / "record.sqlite"
        database.write_bytes((await client.get("/v1/exports/record.sqlite")).content)
        with closing(sqlite3.connect(database)) as connection:
            about = dict(connection.execute("SELECT * FROM about"))
        assert (about["title"], about["license_url"]) == (TITLE, facts["url"])
        assert about["wording_license_url"] == WORDING["url"]
        geojson = (await client.get("/v1/exports/regions.geojson")).json()
        assert geojson["licenses"] == [facts, WORDING]
        assert f"{WORDING['title']}." in text_of(await get_iati(client))
        [dataset] = (await client.get("/data.json")).json()["dataset"]
        assert (dataset["title"], dataset["license"]) == (TITLE, facts["url"])
        assert dataset["keyword"] == ["fiji", "compact"]
        assert WORDING["title"] in dataset["rights"]
        page = await get_page(client)
        [json_ld] = page.xpath("//script[@type='application/ld+json']/text()")
        assert json.loads(json_ld)["license"] == [facts["url"], WORDING["url"]]
        assert page.xpath("//footer//a[@rel='license']/@href") == [facts["url"], WORDING["url"]]


async def test_examples_come_from_the_record(renamed: SeedCopy) -> None:
    """Without awards, regions and organizations, examples use what is there."""
    renamed.clear("awards", "activities", "regions", "organizations")
    partnership = renamed.data["partnerships"][0]
    for field in ("investor", "regions"):
        renamed.put(f"/partnerships/0/{field}", None)
        renamed.take(f"/partnerships/0/evidence/{field}")
    renamed.put("/sources/0/publisher", None)
    renamed.take("/sources/0/evidence/publisher")
    async with serve(renamed) as client:
        path = f"/v1/partnerships/{partnership['id']}"
        assert f"GET {path}`" in (await client.get("/openapi.json")).json()["info"]["description"]
        guide = text_of(await get_page(client, "/docs"))
        assert f"curl -s 'https://record.example{path}'" in guide
        assert "region=" not in guide.partition("Pagination")[0]
        [word] = (await get_page(client, "/docs")).xpath(
            "//a[starts-with(@href, '/v1/search')]/code/text()"
        )
        found = (await client.get(word)).json()
        assert found["meta"]["total"] > 0
        assert (await client.get("/")).status_code == 200
        assert (await client.get("/v1/exports/iati.xml")).status_code == 404


async def test_regions_of_two_countries_may_share_a_name(seed: SeedCopy) -> None:
    """Their labels name the country, on the page and in IATI; other regions are only named."""
    other = {**seed.data["regions"][1], "id": "cusco-of-bolivia", "country": "BO"}
    for field in ("iso_3166_2", "inei_ubigeo", "wikidata"):
        other[field] = None
    evidence = other["evidence"]
    other["evidence"] = {field: evidence[field] for field in ("name", "aliases")}
    seed.data["regions"].append(other)
    seed.cite("/regions/3/country", "BO", "Bolivia")
    seed.data["partnerships"][0]["regions"].append("cusco-of-bolivia")
    async with serve(seed) as client:
        page = await get_page(client)
        places = [text_of(heading) for heading in page.xpath("//ul[@class='places']//h3")]
        assert places == ["Cusco (Peru)", "Cusco (Bolivia)", "Loreto", "Metropolitan Lima"]
        links = [text_of(link) for link in page.xpath("//a[starts-with(@href, '#region-cusco')]")]
        assert {"Cusco (Peru)", "Cusco (Bolivia)"} == set(links)
        columns = [text_of(column) for column in page.xpath("//table[@class='matrix']//thead//th")]
        assert {"Cusco (Peru)", "Cusco (Bolivia)", "Loreto"} <= set(columns)
        terms = [text_of(term) for term in page.xpath("//li[@id='region-cusco-of-bolivia']//dt")]
        assert "INEI ubigeo" not in terms
        activity = (await get_iati(client)).find("iati-activity")
        names = activity.xpath("location/name/narrative/text()")
        assert names == ["Metropolitan Lima", "Cusco (Peru)", "Loreto", "Cusco (Bolivia)"]


async def test_a_ceiling_is_called_one(seed: SeedCopy) -> None:
    """`up to` is on the page and in the commitment, with the amount as it is."""
    seed.cite("/partnerships/0/investment_qualifier", "up_to", "up to $5 million")
    async with serve(seed) as client:
        page = await get_page(client)
        [figure] = page.xpath("//dt[.='Investment']/following-sibling::dd")
        assert figure.xpath("string()").startswith("Up to")
        assert "US$5 million" in text_of(figure)
        [transaction] = (await get_iati(client)).iter("transaction")
    assert transaction.findtext("value") == "5000000"
    assert "as a ceiling (up to)" in text_of(transaction.find("description"))


async def test_amounts_of_awards_are_commitments(seed: SeedCopy) -> None:
    """If every award has an amount, each is a commitment, and the total is not one too."""
    for index, amount in enumerate((3_000_000, 2_000_000)):
        words = f"${amount // 1_000_000} million"
        seed.cite(f"/awards/{index}/amount", amount, words)
        seed.cite(f"/awards/{index}/currency", "USD", words)
    seed.cite("/awards/1/amount_qualifier", "about", "about $2 million")
    async with serve(seed) as client:
        page = text_of(await get_page(client))
        activity = (await get_iati(client)).find("iati-activity")
    assert "US$3 million" in page
    assert "About" in page
    transactions = activity.findall("transaction")
    assert [one.findtext("value") for one in transactions] == ["3000000", "2000000"]
    receivers = [one.findtext("receiver-org/narrative") for one in transactions]
    assert receivers == ["International Labor Organization", "Centro Yanapanakusun"]
    assert "as an approximation" in text_of(transactions[1].find("description"))
    texts = activity.xpath("description/narrative/text()")
    assert "Total investment: USD 5,000,000." in texts
    assert any("about USD 2,000,000:" in text for text in texts)


async def test_regions_of_awards_are_those_of_the_activity(seed: SeedCopy) -> None:
    """If the partnership names no regions, those of its awards tell the country."""
    partnership = seed.data["partnerships"][0]
    partnership["regions"] = None
    del partnership["evidence"]["regions"]
    partnership["not_stated"].append("regions")
    async with serve(seed) as client:
        activity = (await get_iati(client)).find("iati-activity")
    assert activity.xpath("recipient-country/@code") == ["PE"]
    regions = dict.fromkeys(id_ for award in seed.data["awards"] for id_ in award["regions"])
    assert activity.xpath("location/@ref") == list(regions)


async def test_an_award_without_dates_has_none_stated(seed: SeedCopy) -> None:
    """That the source gives no date does not mean that there is none."""
    award = seed.data["awards"][0]
    for field in ("announced", "ends"):
        award[field] = None
        del award["evidence"][field]
        award["not_stated"].append(field)
    async with serve(seed) as client:
        texts = (await get_iati(client)).xpath("//description/narrative/text()")
    assert any("no announcement date stated, no end date stated" in text for text in texts)


async def test_an_amount_of_one_award_leaves_the_total(seed: SeedCopy) -> None:
    """Where only some awards have amounts, the commitment is the total, counted once."""
    seed.cite("/awards/0/amount", 3_000_000, "$3 million")
    seed.cite("/awards/0/currency", "USD", "$3 million")
    async with serve(seed) as client:
        values = (await get_iati(client)).xpath("//transaction/value/text()")
    assert values == ["5000000"]


async def test_a_rank_in_africa_is_shown(seed: SeedCopy) -> None:
    """The areas of UN M49 are accepted, served and written in words."""
    rank = [{"scope": "africa", "ordinal": 1}]
    seed.cite("/partnerships/0/precedence", rank, "the first of its kind in Africa")
    async with serve(seed) as client:
        [partnership] = (await client.get("/v1/partnerships")).json()["data"]
        assert partnership["precedence"] == rank
        assert "First in Africa" in text_of(await get_page(client))


async def test_the_notice_follows_from_the_sources(seed: SeedCopy) -> None:
    """A record that states no archive notice has one that names its page, publisher and period."""
    seed.data["archive_notice"] = None
    async with serve(seed) as client:
        notice = (await client.get("/v1/meta")).json()["data"]["archive_notice"]
        assert (await client.get("/v1")).json()["data"]["archive_notice"] == notice
        assert notice in text_of(await get_page(client))
    assert notice == (
        "This record restates 1 archived web page, which is no longer updated (published by: U.S. "
        "Department of State; archived from January 20, 2017; archived to January 20, 2021). "
        "Except for values that are marked as enriched, it contains nothing published later."
    )


def test_the_notice_of_several_sources() -> None:
    """It has the first and the last date of all, and each publisher once."""
    pages = [
        SourceFacts("An Office", "2019-05", "2021"),
        SourceFacts("A Ministry", "2017-01-20", "2020-12-31"),
        SourceFacts("An Office", None, None),
    ]
    notice = archive_notice(pages)
    assert "3 archived web pages, which are no longer updated" in notice
    assert "published by: An Office and A Ministry;" in notice
    assert "archived from January 20, 2017; archived to 2021)" in notice
    many = [SourceFacts(f"P{number}", None, None) for number in range(5)]
    assert "(published by: P0, P1, P2, and 2 more)" in archive_notice(many)


def test_the_notice_without_facts() -> None:
    """A source without publisher and period, and a record without sources, have a notice too."""
    page = "This record restates 1 archived web page, which is no longer updated. "
    assert archive_notice([SourceFacts(None, None, None)]).startswith(page)
    assert archive_notice([]) == "This record restates no archived web page yet."
