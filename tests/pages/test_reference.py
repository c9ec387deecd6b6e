"""The reference says what the OpenAPI document says, in an order for readers."""

from __future__ import annotations

import json
from html import unescape
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from lxml import html

from app.pages.guide.context import SECTIONS
from app.pages.guide.reference import Reference
from app.pages.guide.search_index import SYNONYMS

pytestmark = pytest.mark.anyio

NEEDS_SETTINGS = ("/data.json", "/data-3.0.json", "/v1/releases.atom")
"""Paths whose example request is a 404 without `PUBLIC_URL`."""


@pytest.fixture(scope="module")
async def page(client: httpx.AsyncClient) -> html.HtmlElement:
    """The guide and the reference."""
    return html.document_fromstring((await client.get("/docs")).text)


@pytest.fixture(scope="module")
async def document(client: httpx.AsyncClient) -> Any:
    """The OpenAPI document."""
    return (await client.get("/openapi.json")).json()


@pytest.fixture(scope="module")
def reference(document: Any) -> Reference:
    """The reference of the shipped record's document."""
    return Reference(document, {})


def text(element: html.HtmlElement) -> str:
    """The text of an element, with single spaces."""
    return " ".join(element.text_content().split())


async def test_every_parameter_is_on_the_page(page: html.HtmlElement, document: Any) -> None:
    """Each parameter of each operation has its description and every allowed value."""
    for path_item in document["paths"].values():
        operation = path_item["get"]
        for parameter in operation.get("parameters", ()):
            row = page.get_element_by_id(f"{operation['operationId']}.{parameter['name']}")
            shown = text(row)
            group = text(row.getparent().getprevious())  # what the whole group shares
            for sentence in parameter["description"].split(". "):
                assert sentence.replace("`", "").rstrip(".") in f"{group} {shown}"
            if parameter["name"] == "not_stated":
                continue  # only fields that can be null are offered
            for value in parameter["schema"].get("items", parameter["schema"]).get("enum", ()):
                assert value in shown


async def test_only_fields_that_can_be_null_are_offered_as_not_stated(
    page: html.HtmlElement, client: httpx.AsyncClient
) -> None:
    """Fields that always have a value are valid values, but find nothing."""
    shown = page.get_element_by_id("listAwards.not_stated").xpath(".//dd//code/text()")
    assert {"amount", "amount_qualifier", "regions"} <= set(shown)
    assert not {"title", "summary"} & set(shown)
    response = await client.get("/v1/awards", params={"not_stated": "title"})
    assert (response.status_code, response.json()["data"]) == (200, [])


@pytest.mark.parametrize(
    "name", ["award", "partnership", "activity", "region", "citation", "source", "release"]
)
async def test_every_field_is_on_the_page(page: html.HtmlElement, document: Any, name: str) -> None:
    """Each field of a resource is readable without opening anything, in the order of responses."""
    schema = document["components"]["schemas"][name.capitalize()]
    ids = page.xpath(f"//*[starts-with(@id, '{name}.')]/@id")
    own = [each.removeprefix(f"{name}.") for each in ids if "." not in each[len(name) + 1 :]]
    assert own == schema["required"]
    for field in own:
        row = page.get_element_by_id(f"{name}.{field}")
        described = schema["properties"][field].get("description", "").replace("`", "")
        assert described in text(row)


def test_types_are_in_words(reference: Reference) -> None:
    """The type of a field says of what it is a list, and whether it can be null."""
    awards = next(tag for tag in reference.tags if tag.name == "awards")
    types = {row.name: (row.type, row.nullable) for row in awards.objects[0].fields}
    assert types["id"] == ("string", False)
    assert types["partnership"] == ("id", False)
    assert types["announced"] == ("partial date", True)
    assert types["amount"] == ("integer", True)
    assert types["regions"] == ("list of ids", True)
    assert types["has_sub_recipients"] == ("boolean", True)


async def test_what_can_be_null_is_in_words(page: html.HtmlElement) -> None:
    """A field is marked if it can be null; above the table it says that the others cannot."""
    assert "or null" in text(page.get_element_by_id("award.amount"))
    assert "or null" not in text(page.get_element_by_id("award.title"))
    presence = "Every field is always present, unless fields selects others."
    assert presence in text(page.get_element_by_id("award-object").getparent())
    assert "unless" not in text(page.get_element_by_id("health-object").getparent())


def test_nested_fields_have_paths(reference: Reference) -> None:
    """The parts of a selector are named by their positions, and a reference leads to its table."""
    objects = {table.name: table for tag in reference.tags for table in tag.objects}
    names = [row.name for row in objects["citation"].fields]
    assert "target.selector[0].exact" in names
    assert "target.selector[1].start" in names
    links = {row.name: row.link for row in objects["record data"].fields}
    assert links["awards"] == "award-object"


def test_parameters_are_in_their_natural_order(reference: Reference) -> None:
    """Search, filters, ranges, then sort and paging, then what the response contains."""
    operations = [operation for tag in reference.tags for operation in tag.operations]
    listed = next(operation for operation in operations if operation.id == "listAwards")
    assert [group.title for group in listed.groups] == [
        "Search",
        "Filters",
        "Ranges",
        "Sort and paging",
        "Response",
    ]
    paging, response = listed.groups[-2:]
    assert [row.name for row in paging.rows] == ["sort", "limit", "cursor"]
    assert [row.name for row in response.rows] == ["include", "facet", "fields", "format"]
    assert "-amount" in paging.rows[0].values
    assert paging.rows[0].default == "announced"


def test_what_parameters_share_is_said_once(reference: Reference) -> None:
    """A sentence of all filters stands above them, and in none of them."""
    operations = [operation for tag in reference.tags for operation in tag.operations]
    listed = next(operation for operation in operations if operation.id == "listAwards")
    filters = next(group for group in listed.groups if group.title == "Filters")
    assert filters.description == "Repeat the parameter for OR."
    assert not any("Repeat" in row.description for row in filters.rows)


async def test_known_ids_are_offered(page: html.HtmlElement, client: httpx.AsyncClient) -> None:
    """Where an id is asked for, a few ids of the record are written out, more are in a list."""
    for collection, row_id in (("regions", "listAwards.region"), ("citations", "getCitation.id")):
        response = await client.get(f"/v1/{collection}", params={"fields": "id", "limit": 8})
        ids = [each["id"] for each in response.json()["data"]]
        row = page.get_element_by_id(row_id)
        known = row.get("data-known")
        assert (known is None) == (len(ids) < 8)
        if known is None:
            assert all(each in text(row) for each in ids)
        else:
            offered = page.get_element_by_id(known).xpath("option/@value")
            assert len(offered) == 50


async def test_offered_ids_find_something(
    page: html.HtmlElement, client: httpx.AsyncClient
) -> None:
    """Of the ids of a collection, a filter offers those that occur in its field."""
    filters = {"recipient": "awards", "objective": "activities", "publisher": "sources"}
    for name, collection in filters.items():
        row = page.get_element_by_id(f"list{collection.capitalize()}.{name}")
        facets = (await client.get(f"/v1/{collection}", params={"facet": name})).json()["facets"]
        occurring = {each["value"] for each in facets[name]} - {None}
        assert set(row.xpath(".//span[@class='values']/code/text()")) == occurring


async def test_example_requests_succeed(page: html.HtmlElement, client: httpx.AsyncClient) -> None:
    """Every request of the reference has a response, except what needs settings."""
    requests = page.xpath("//figure[contains(@class, 'request')]//code")
    assert len(requests) > 35
    for request in requests:
        parts = urlsplit(unescape(request.text_content()).split("'")[1])
        path = f"{parts.path}?{parts.query}" if parts.query else parts.path
        expected = 404 if path in NEEDS_SETTINGS else 200
        assert (await client.get(path)).status_code == expected, path


async def test_every_fragment_has_its_target(page: html.HtmlElement) -> None:
    """Ids are unique, and links within the page lead to one of them."""
    ids = page.xpath("//@id")
    assert len(ids) == len(set(ids))
    links = {href[1:] for href in page.xpath("//a/@href") if href.startswith("#")}
    assert links <= set(ids)
    assert {"errors", "/awards", "/awards/listAwards"} <= set(ids)  # of earlier versions


async def test_errors_are_in_a_table(page: html.HtmlElement, client: httpx.AsyncClient) -> None:
    """Each type is a row with its status and what to do, in the guide and at `/problems`."""
    problems = (await client.get("/problems")).json()["data"]
    listed = await client.get("/problems", headers={"Accept": "text/html"})
    for shown in (page, html.document_fromstring(listed.text)):
        rows = [text(row) for row in shown.xpath("//table[@class='problems']/tbody/tr")]
        assert len(rows) == len(problems)
        for row, problem in zip(rows, problems, strict=True):
            remedy = problem["remedy"].replace("`", "")
            assert row == f"{problem['status']}{problem['type']}{remedy}"


async def test_the_search_index_leads_to_everything(client: httpx.AsyncClient) -> None:
    """It has whatever has a heading or a row of its own; no address is dead."""
    entries = (await client.get("/docs/search.json")).json()["data"]
    kinds = {entry["kind"].partition(" ")[0] for entry in entries}
    expected = {"Guide", "Reference", "Object", "GET", "Field", "Parameter", "Error", "Exports"}
    assert expected <= kinds
    pages: dict[str, set[str]] = {}
    for entry in entries:
        path, _, fragment = entry["url"].partition("#")
        if path not in pages:
            response = await client.get(path, headers={"Accept": "text/html"})
            assert response.status_code == 200
            pages[path] = set(html.document_fromstring(response.text).xpath("//@id"))
        assert not fragment or fragment in pages[path], entry["url"]


async def test_the_search_index_has_every_heading(
    client: httpx.AsyncClient, page: html.HtmlElement
) -> None:
    """Each heading of the guide and the reference can be found by its own words."""
    entries = (await client.get("/docs/search.json")).json()["data"]
    titles = {entry["title"] for entry in entries}
    headings = {text(each) for each in page.xpath("//main//*[self::h2 or self::h3 or self::h4]/a")}
    assert headings - titles == {"More guides", "Reference", "Lists and types"}
    award = next(entry for entry in entries if entry["title"] == "Fields of award")
    assert award["url"] == "/docs#award-object"
    assert "has_sub_recipients" in award["text"]


def test_synonyms_are_of_sections() -> None:
    """No synonyms are left of a section that has another name."""
    assert set(SYNONYMS) <= set(SECTIONS)


@pytest.mark.parametrize("question", ["sort", "amount", "410", "next page", "cite", "bibtex"])
async def test_the_search_index_has_words_of_questions(
    client: httpx.AsyncClient, question: str
) -> None:
    """Words that people look for are in the index."""
    entries = (await client.get("/docs/search.json")).json()["data"]
    assert any(question in json.dumps(entry).lower() for entry in entries)
