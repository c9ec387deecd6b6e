"""The facts of the source page are served, with their evidence."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from app.archive.archive import COLLECTIONS
from tests.conftest import SEED

pytestmark = pytest.mark.anyio

SHIPPED: dict[str, Any] = json.loads(SEED.read_text("utf-8"))
ENTRIES = [
    (collection, entry)
    for collection in SHIPPED
    if collection in COLLECTIONS
    for entry in SHIPPED[collection]
]
EVERY_RESOURCE = pytest.mark.parametrize(
    ("collection", "entry"), ENTRIES, ids=[entry["id"] for _, entry in ENTRIES]
)
SINGULAR = {
    "partnerships": "partnership",
    "objectives": "objective",
    "awards": "award",
    "activities": "activity",
    "regions": "region",
    "organizations": "organization",
    "sources": "source",
}
UNCITED = {"id", "links", "position", "not_stated"}
UNCITED_IN = {
    "objectives": {"partnership"},
    "awards": {"partnership"},
    "activities": {"award"},
    "sources": {"sha256", "bytes", "characters"},
}

META_FIELDS = (
    "title", "description", "keywords", "modified", "archive_notice", "license",
    "wording_license", "outlines",
)  # fmt: skip
IDS = {
    "partnerships": ["us-peru-cpc"],
    "objectives": ["peru-prosecution", "peru-protection", "peru-prevention"],
    "awards": ["peru-ilo", "peru-centro-yanapanakusun"],
    "activities": [
        "peru-ilo-prosecutions",
        "peru-ilo-victims",
        "peru-ilo-cases",
        "peru-ilo-shelters",
        "peru-ilo-national-plan",
        "peru-centro-yanapanakusun-resources",
        "peru-centro-yanapanakusun-alliances",
        "peru-centro-yanapanakusun-tools",
    ],
    "regions": ["metropolitan-lima", "cusco", "loreto"],
    "organizations": [
        "united-states-government",
        "peru-government",
        "tip-office",
        "ilo",
        "centro-yanapanakusun",
        "us-department-of-state",
    ],
    "sources": ["us-peru-cpc-page"],
}
"""Ids of all releases so far; ids are permanent."""

FACTS = [
    ("partnerships/us-peru-cpc", "signed", "2017-06-15"),
    ("partnerships/us-peru-cpc", "planned_years", 4),
    ("partnerships/us-peru-cpc", "ends", None),
    ("partnerships/us-peru-cpc", "countries", ["US", "PE"]),
    ("partnerships/us-peru-cpc", "investment_amount", 5_000_000),
    ("partnerships/us-peru-cpc", "investment_currency", "USD"),
    ("partnerships/us-peru-cpc", "investor", "tip-office"),
    (
        "partnerships/us-peru-cpc",
        "precedence",
        [{"scope": "americas", "ordinal": 1}, {"scope": "world", "ordinal": 3}],
    ),
    ("partnerships/us-peru-cpc", "regions", ["metropolitan-lima", "cusco", "loreto"]),
    ("awards/peru-ilo", "recipient", "ilo"),
    ("awards/peru-ilo", "announced", "2017-10"),
    ("awards/peru-ilo", "ends", "2020-12"),
    ("awards/peru-ilo", "regions", ["metropolitan-lima", "cusco", "loreto"]),
    ("awards/peru-ilo", "trafficking_forms", ["sex", "labor"]),
    ("awards/peru-ilo", "has_sub_recipients", True),
    (
        "awards/peru-ilo",
        "objectives",
        ["peru-prosecution", "peru-protection", "peru-prevention"],
    ),
    ("awards/peru-centro-yanapanakusun", "recipient", "centro-yanapanakusun"),
    ("awards/peru-centro-yanapanakusun", "announced", "2017-10"),
    ("awards/peru-centro-yanapanakusun", "ends", "2020-12"),
    ("awards/peru-centro-yanapanakusun", "regions", ["cusco"]),
    ("awards/peru-centro-yanapanakusun", "objectives", ["peru-prevention"]),
    ("regions/cusco", "aliases", ["Cuzco"]),
    ("regions/metropolitan-lima", "aliases", ["Lima"]),
    ("regions/metropolitan-lima", "iso_3166_2", "PE-LMA"),
    ("regions/metropolitan-lima", "inei_ubigeo", "1501"),
    ("regions/metropolitan-lima", "wikidata", "Q579240"),
    ("regions/cusco", "iso_3166_2", "PE-CUS"),
    ("regions/cusco", "inei_ubigeo", "08"),
    ("regions/cusco", "wikidata", "Q205057"),
    ("regions/loreto", "iso_3166_2", "PE-LOR"),
    ("regions/loreto", "inei_ubigeo", "16"),
    ("regions/loreto", "wikidata", "Q200938"),
    ("activities/peru-ilo-national-plan", "supports", "2017-2021 National Plan"),
    ("organizations/ilo", "kind", "international_organization"),
    ("organizations/centro-yanapanakusun", "kind", "ngo"),
    ("sources/us-peru-cpc-page", "archived_from", "2017-01-20"),
    ("sources/us-peru-cpc-page", "archived_to", "2021-01-20"),
    ("sources/us-peru-cpc-page", "bytes", 3575),
    ("sources/us-peru-cpc-page", "characters", 3558),
]

NOT_STATED = [
    ("partnerships/us-peru-cpc", "ends"),
    ("awards/peru-ilo", "amount"),
    ("awards/peru-ilo", "currency"),
    ("awards/peru-centro-yanapanakusun", "amount"),
    ("awards/peru-centro-yanapanakusun", "currency"),
    ("awards/peru-centro-yanapanakusun", "trafficking_forms"),
    ("awards/peru-centro-yanapanakusun", "has_sub_recipients"),
]


async def get(client: httpx.AsyncClient, path: str) -> Any:
    """The data at a path below /v1."""
    response = await client.get(f"/v1/{path}")
    assert response.status_code == 200, response.text
    return response.json()["data"]


async def citations_of(
    client: httpx.AsyncClient, collection: str, name: str
) -> list[dict[str, Any]]:
    """The citations of a resource."""
    query = f"resource_type={SINGULAR[collection]}&resource={name}"
    found: list[dict[str, Any]] = await get(client, f"citations?{query}")
    return found


def values(document: object) -> Iterator[object]:
    """Every scalar value of a document."""
    if isinstance(document, dict):
        document = list(document.values())
    if not isinstance(document, list):
        yield document
        return
    for member in document:
        yield from values(member)


@pytest.mark.parametrize(("path", "field", "value"), FACTS)
async def test_a_fact_is_served(
    client: httpx.AsyncClient, path: str, field: str, value: object
) -> None:
    """A fact of the page is in the response, at the precision of the page."""
    found = (await get(client, path))[field]
    if field == "supports":
        assert str(value) in found
    else:
        assert found == value


@pytest.mark.parametrize(("path", "field"), NOT_STATED)
async def test_values_missing_from_the_page_are_not_stated(
    client: httpx.AsyncClient, path: str, field: str
) -> None:
    """A value that the page does not give is null, in `not_stated` and without citations."""
    document = await get(client, path)
    assert document[field] is None
    assert field in document["not_stated"]
    collection, name = path.split("/")
    assert field not in {
        citation["field"] for citation in await citations_of(client, collection, name)
    }


async def test_the_investment_is_served_once(client: httpx.AsyncClient) -> None:
    """Five million dollars is one amount: never split, added up or repeated."""
    record = await get(client, "record")
    found = list(values({name: items for name, items in record.items() if name != "citations"}))
    assert found.count(5_000_000) == 1
    assert found.count("USD") == 1
    assert not [value for value in found if isinstance(value, float)]
    assert not [value for value in found if isinstance(value, int) and value > 5_000_000]


@pytest.mark.parametrize(
    ("resource", "field", "basis"),
    [
        ("us-peru-cpc", "investment_amount", "derived"),
        ("us-peru-cpc", "investment_currency", "derived"),
        ("peru-centro-yanapanakusun", "objectives", "derived"),
        ("peru-centro-yanapanakusun", "ends", "derived"),
        ("peru-ilo", "ends", "derived"),
        ("peru-ilo", "announced", "stated"),
        ("peru-ilo", "regions", "stated"),
        ("metropolitan-lima", "aliases", "derived"),
        ("metropolitan-lima", "iso_3166_2", "enriched"),
        ("peru-prevention", "title", "editorial"),
    ],
)
async def test_the_basis_of_a_value_is_served(
    client: httpx.AsyncClient, resource: str, field: str, basis: str
) -> None:
    """Derived, editorial and enriched values have their basis and a note."""
    citations = await get(client, f"citations?resource={resource}&field={field}&basis={basis}")
    assert citations
    for citation in citations:
        assert citation["note"] or basis == "stated"


async def test_regions_of_an_award_are_cited_from_its_own_paragraph(
    client: httpx.AsyncClient,
) -> None:
    """The sentence about both partners is evidence for the partnership alone."""
    award = await citations_of(client, "awards", "peru-ilo")
    partnership = await citations_of(client, "partnerships", "us-peru-cpc")
    starts = [
        citation["target"]["selector"][1]["start"]
        for citation in [*award, *partnership]
        if citation["field"] == "regions"
    ]
    assert starts == [1825, 1585]


@pytest.mark.parametrize(("collection", "names"), IDS.items(), ids=IDS)
async def test_ids_are_permanent(
    client: httpx.AsyncClient, collection: str, names: list[str]
) -> None:
    """Every id of an earlier release is still served; the record may grow."""
    served = {resource["id"] for resource in await get(client, collection)}
    assert set(names) <= served


async def test_metadata_of_the_record_is_served(client: httpx.AsyncClient) -> None:
    """The header of the seed is in the response of `/v1/meta`."""
    meta = await get(client, "meta")
    for field in META_FIELDS:
        assert meta[field] == SHIPPED[field]


@EVERY_RESOURCE
async def test_every_field_is_served(
    client: httpx.AsyncClient, collection: str, entry: dict[str, Any]
) -> None:
    """A resource has every field of the seed, at its own path and in its list."""
    document = await get(client, f"{collection}/{entry['id']}")
    assert document in await get(client, collection)
    assert document["links"].pop("self") == f"/v1/{collection}/{entry['id']}"
    del document["links"]
    assert document == {
        field: served(value) for field, value in entry.items() if field != "evidence"
    }


def served(value: Any) -> Any:
    """A value of the seed without what only an editor needs: first and last words of passages."""
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return [
            {key: member for key, member in item.items() if not key.endswith("s_with")}
            for item in value
        ]
    return value


@EVERY_RESOURCE
async def test_every_citation_is_served(
    client: httpx.AsyncClient, collection: str, entry: dict[str, Any]
) -> None:
    """All evidence of the seed is served, at its own path and in the list."""
    found = await citations_of(client, collection, entry["id"])
    served = {citation["id"]: citation for citation in found}
    cited = {
        f"{SINGULAR[collection]}.{entry['id']}.{field}.{suffix_of(evidence)}": evidence
        for field, group in entry["evidence"].items()
        for evidence in group
    }
    assert set(served) == set(cited)
    for name, evidence in cited.items():
        assert evidence_of(served[name]) == {"note": None, **evidence}
    name = next(iter(served))
    assert await get(client, f"citations/{name}") == served[name]


def suffix_of(evidence: dict[str, Any]) -> str:
    """The last part of the id of a citation of words that its field cites once."""
    if "quote" in evidence:
        cited = f"{evidence['quote']['source']} 1 {evidence['quote']['exact']}"
    else:
        cited = f"{evidence['reference']['url']} {evidence['reference']['title']}"
    return hashlib.sha256(cited.encode()).hexdigest()[:8]


def evidence_of(citation: dict[str, Any]) -> dict[str, Any]:
    """A served citation in the format of the seed."""
    evidence = {"basis": citation["basis"], "note": citation["note"]}
    if citation["target"] is None:
        return {**evidence, "reference": citation["reference"]}
    quote, position = citation["target"]["selector"]
    assert citation["target"]["type"] == "SpecificResource"
    assert (quote["type"], position["type"]) == ("TextQuoteSelector", "TextPositionSelector")
    return {
        **evidence,
        "quote": {
            "source": citation["target"]["source"].removeprefix("/v1/sources/"),
            "start": position["start"],
            "end": position["end"],
            **{name: quote[name] for name in ("exact", "prefix", "suffix") if quote[name]},
        },
    }


@EVERY_RESOURCE
async def test_every_value_has_a_citation(
    client: httpx.AsyncClient, collection: str, entry: dict[str, Any]
) -> None:
    """A field has citations if and only if it has a value, with known exceptions."""
    document = await get(client, f"{collection}/{entry['id']}")
    citations = await citations_of(client, collection, entry["id"])
    cited = {citation["field"] for citation in citations}
    exempt = UNCITED | UNCITED_IN.get(collection, set())
    assert cited == {
        field for field, value in document.items() if value is not None and field not in exempt
    }
    assert all(document[field] is None for field in document["not_stated"])


async def test_every_citation_has_what_its_basis_requires(client: httpx.AsyncClient) -> None:
    """A quote of at most 80 characters or a published reference; a note for the rule, if any."""
    for citation in (await get(client, "record"))["citations"]:
        enriched = citation["basis"] == "enriched"
        assert (citation["target"] is None) == enriched
        assert (citation["reference"] is not None) == enriched
        assert citation["note"] or citation["basis"] != "derived"
        if enriched:
            assert all(citation["reference"][name] for name in ("title", "url", "license"))
        else:
            quote, position = citation["target"]["selector"]
            length = position["end"] - position["start"]
            assert length == len(quote["exact"]) <= 80
