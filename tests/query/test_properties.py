"""Random queries on a generated record: pages and formats match a plain Python implementation."""

from __future__ import annotations

import json
import os
from collections.abc import Awaitable, Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
from anyio.from_thread import start_blocking_portal
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.corpus import write_corpus
from tests.support import csv_reader
from tests.support.oracle import (
    CHOICES,
    FACETS,
    FILTERS,
    INCLUDES,
    RESOURCES,
    SEARCH_FIELDS,
    TYPES,
    Json,
    Oracle,
    as_list,
    range_parameters,
    sorts,
)
from tests.support.serving import client_for

CORPUS_RESOURCES = 1_200
MAX_PAGES = 6
_UNKNOWN_VALUES = {"country": "ZZ", "field": "no_such_field"}
_UNKNOWN_CITATION = "award.none-such.title.12345678"
_WORDS = (
    "everywhere", "EVERYWHERE", "every", "rare1", "rare", "shelter", "shel", "sheltered",
    "Prosecution", "justice", "naive", "ete", "nandu", "peru", "tag", "under", "score",
    "under_score", "title:x", "title", "x*", "(y)", "-w", '"quoted"', "NEAR", "AND", "or", "NOT",
    "50%", "back\\slash", "comma,comma", "a|b", "<b>", "&amp;", "enfant", "p1", "absent", "*",
)  # fmt: skip

property_settings = settings(
    max_examples=20, deadline=None, derandomize="CI" in os.environ, database=None
)


@pytest.fixture(scope="session")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Seed file of the generated record."""
    return write_corpus(tmp_path_factory.mktemp("corpus"), CORPUS_RESOURCES)


@pytest.fixture(scope="session")
def oracle(corpus: Path) -> Oracle:
    """Expected results for the generated record."""
    return Oracle(corpus)


RunCheck = Callable[..., None]
"""Runs an async check in the event loop of the application, from a synchronous test."""


@pytest.fixture(scope="session")
def run_check(corpus: Path) -> Iterator[RunCheck]:
    """Runs checks with a client of the application on the generated record.

    Hypothesis needs synchronous tests, while the client is asynchronous.
    """
    opening = client_for(corpus, corpus.with_name("archive.sqlite"))
    with (
        start_blocking_portal("asyncio") as portal,
        portal.wrap_async_context_manager(opening) as client,
    ):

        def run(check: Callable[..., Awaitable[None]], *arguments: Any) -> None:
            portal.call(partial(check, client, *arguments))

        yield run


@st.composite
def conditions(draw: st.DrawFn, oracle: Oracle, collection: str) -> dict[str, list[str]]:
    """Filters, ranges and words; some values are taken from one document, so that it matches."""
    target = draw(st.sampled_from(oracle.documents[collection]))
    ranges = range_parameters(collection)
    names = [*FILTERS[collection], *ranges, *(["q"] if collection in RESOURCES else [])]
    parameters = {}
    for name in draw(st.lists(st.sampled_from(names), max_size=3, unique=True)):
        if name in ranges:
            parameters[name] = [draw(_bounds(target[name.partition("__")[0]], ranges[name]))]
        elif name == "q":
            parameters[name] = [draw(_queries())]
        else:
            field = FILTERS[collection][name]
            values = draw(st.lists(_filter_values(oracle, collection, name), max_size=3))
            parameters[name] = [*as_list(target[field])[:1], *values]
    return {name: values for name, values in parameters.items() if values}


def _filter_values(oracle: Oracle, collection: str, name: str) -> st.SearchStrategy[str]:
    """Values of a filter: the closed set, or values in use and one that is not."""
    if name in CHOICES:
        return st.sampled_from(CHOICES[name])
    field = FILTERS[collection][name]
    used = {value for item in oracle.documents[collection][:40] for value in as_list(item[field])}
    return st.sampled_from([*sorted(used), _unused_value(collection, name)])


def _unused_value(collection: str, name: str) -> str:
    """A valid value of a filter that no document has."""
    if name == "not_stated":
        return SEARCH_FIELDS[collection][0]
    if (collection, name) == ("citations", "id"):
        return _UNKNOWN_CITATION
    return _UNKNOWN_VALUES.get(name, "none-such")


def _bounds(value: Any, value_type: str) -> st.SearchStrategy[str]:
    """Bounds of a range: at the value of a document, next to it, or far away."""
    if value_type == "date":
        near = [value, value[:4], value[:7]] if value else []
        return st.sampled_from([*near, "0001", "1999-12-31", "2004-02", "2012", "2020-06", "9999"])
    near = [str(value + step) for step in (-1, 0, 1) if value + step >= 0] if value else []
    return st.sampled_from([*near, "0", "1000000", "500000000000", str(2**53 - 1)])


@st.composite
def _queries(draw: st.DrawFn) -> str:
    words = draw(st.lists(st.sampled_from(_WORDS), min_size=1, max_size=3))
    return draw(st.sampled_from([" ", "  ", "\t"])).join(words) + draw(st.sampled_from(["", " "]))


async def get_page(client: httpx.AsyncClient, url: str, params: Any = None) -> Json:
    """A page of JSON."""
    response = await client.get(url, params=params)
    assert response.status_code == 200, response.text
    page: Json = response.json()
    return page


async def get_all_rows(client: httpx.AsyncClient, path: str, params: Any) -> list[Json]:
    """The rows of all pages, following `links.next`."""
    page = await get_page(client, path, params)
    rows: list[Json] = page["data"]
    visited = set()
    while page["links"]["next"]:
        assert page["links"]["next"] not in visited, "the next links form a loop"
        visited.add(page["links"]["next"])
        assert len(page["data"]) == page["meta"]["limit"]
        page = await get_page(client, page["links"]["next"])
        assert page["data"], "a next link leads to an empty page"
        rows += page["data"]
    return rows


def sort_by_id(rows: Sequence[Json]) -> list[Json]:
    """Documents sorted by id."""
    return sorted(rows, key=lambda row: str(row["id"]))


@pytest.mark.parametrize("collection", TYPES)
@given(data=st.data())
@property_settings
def test_every_format_and_page_has_the_same_rows(
    run_check: RunCheck, oracle: Oracle, collection: str, data: st.DataObject
) -> None:
    """All pages together, the unpaginated list, NDJSON and CSV contain the expected rows."""
    params = data.draw(conditions(oracle, collection))
    if data.draw(st.booleans()):
        params["sort"] = [data.draw(st.sampled_from(sorts(collection)))]
    expected = oracle.select(collection, params)
    min_limit = max(1, -(-len(expected) // MAX_PAGES))
    limit = data.draw(st.integers(min_limit, max(min_limit, min(len(expected) + 1, 1_000))))
    run_check(_check_rows, collection, params, limit, expected)


async def _check_rows(
    client: httpx.AsyncClient, collection: str, params: Json, limit: int, expected: list[Json]
) -> None:
    path = f"/v1/{collection}"
    assert await get_all_rows(client, path, {**params, "limit": limit}) == expected
    largest_page = await get_page(client, path, {**params, "limit": 1_000})
    assert largest_page["data"] == expected[:1_000]
    assert largest_page["meta"]["total"] == len(expected)
    assert (largest_page["links"]["next"] is None) == (len(expected) <= 1_000)
    ndjson = await client.get(path, params={**params, "format": "ndjson"})
    assert [json.loads(line) for line in ndjson.content.splitlines()] == expected
    csv = await client.get(path, params={**params, "format": "csv"})
    assert csv_reader.documents(collection, csv.content) == expected


@pytest.mark.parametrize("collection", TYPES)
@given(data=st.data())
@property_settings
def test_fields_select_the_same_values(
    run_check: RunCheck, oracle: Oracle, collection: str, data: st.DataObject
) -> None:
    """With `fields`, every format and every item has only these fields, in the usual order.

    A cursor leads on with other fields, as the rows and their order are the same.
    """
    params = data.draw(conditions(oracle, collection))
    documents = oracle.select(collection, params)
    names = list(oracle.documents[collection][0])
    fields = data.draw(st.lists(st.sampled_from(names), min_size=1, max_size=4))
    expected = [_with_fields(document, fields) for document in documents]
    run_check(_check_fields, collection, params, fields, expected)


def _with_fields(document: Json, fields: Sequence[str]) -> Json:
    return {name: value for name, value in document.items() if name in ("id", *fields)}


async def _check_fields(
    client: httpx.AsyncClient,
    collection: str,
    params: Json,
    fields: list[str],
    expected: list[Json],
) -> None:
    path, params = f"/v1/{collection}", {**params, "fields": fields}
    page = await get_page(client, path, {**params, "limit": 3})
    assert page["data"] == expected[:3]
    for row in page["data"]:
        whole = await get_page(client, f"{path}/{row['id']}")
        item = await get_page(client, f"{path}/{row['id']}", {"fields": fields})
        assert item["data"] == row
        assert list(row) == list(item["data"]) == [name for name in whole["data"] if name in row]
    if page["links"]["next"]:
        other = page["links"]["next"].replace("fields=", "fields=links&fields=")
        rows = (await get_page(client, other))["data"]
        assert [row["id"] for row in rows] == [row["id"] for row in expected[3:6]]
        assert {*rows[0]} == {"id", "links", *fields}
    ndjson = await client.get(path, params={**params, "format": "ndjson"})
    assert [json.loads(line) for line in ndjson.content.splitlines()] == expected
    await _check_csv_fields(client, path, params)


async def _check_csv_fields(client: httpx.AsyncClient, path: str, params: Json) -> None:
    """The columns of the fields are those of the whole CSV; `links` has none."""
    params = {**params, "format": "csv"}
    fields = {"id", *params.pop("fields")} - {"links"}
    whole = csv_reader.rows((await client.get(path, params=params)).content)
    selected = await client.get(path, params={**params, "fields": sorted(fields)})
    columns = [index for index, name in enumerate(whole[0]) if csv_reader.field_of(name) in fields]
    assert csv_reader.rows(selected.content) == [[row[index] for index in columns] for row in whole]
    refused = await client.get(path, params={**params, "fields": "links"})
    assert refused.status_code == 422


@pytest.mark.parametrize("collection", TYPES)
@given(data=st.data())
@property_settings
def test_facets_count_matching_items(
    run_check: RunCheck, oracle: Oracle, collection: str, data: st.DataObject
) -> None:
    """Facets contain the expected number of matching items for each value, including null.

    The label of an id is the name or title of its resource.

    The counts of a single-valued field add up to the total. Those of a list field add up to the
    number of list members plus the number of items without any.
    """
    params = data.draw(conditions(oracle, collection))
    choice = st.sampled_from(FACETS[collection])
    facets = data.draw(st.lists(choice, min_size=1, max_size=3, unique=True))
    run_check(_check_facets, oracle, collection, params, facets)


async def _check_facets(
    client: httpx.AsyncClient, oracle: Oracle, collection: str, params: Json, facets: list[str]
) -> None:
    page = await get_page(client, f"/v1/{collection}", {**params, "facet": facets, "limit": 1})
    assert list(page["facets"]) == facets
    rows = oracle.select(collection, params)
    assert page["meta"]["total"] == len(rows)
    for facet in facets:
        counts_by_value = {entry["value"]: entry["count"] for entry in page["facets"][facet]}
        counts = [entry["count"] for entry in page["facets"][facet]]
        assert counts_by_value == oracle.count(collection, params, facet)
        labels = oracle.labels(collection, facet)
        assert all(entry["label"] == labels.get(entry["value"]) for entry in page["facets"][facet])
        assert len(counts_by_value) == len(counts)
        assert counts == sorted(counts, reverse=True)
        values = [as_list(row[FILTERS[collection][facet]]) for row in rows]
        assert sum(counts) == sum(max(1, len(value)) for value in values)


@pytest.mark.parametrize("collection", RESOURCES)
@given(data=st.data())
@property_settings
def test_include_adds_referenced_documents(
    run_check: RunCheck, oracle: Oracle, collection: str, data: st.DataObject
) -> None:
    """`include` adds exactly the documents that the page refers to, each once.

    `data` does not change.
    """
    params = {**data.draw(conditions(oracle, collection)), "limit": ["20"]}
    choice = st.sampled_from(["citations", *INCLUDES[collection]])
    include = data.draw(st.lists(choice, min_size=1, unique=True))
    run_check(_check_included, oracle, collection, params, include)


async def _check_included(
    client: httpx.AsyncClient, oracle: Oracle, collection: str, params: Json, include: list[str]
) -> None:
    path = f"/v1/{collection}"
    plain = await get_page(client, path, params)
    page = await get_page(client, path, {**params, "include": include})
    assert plain["included"] is None
    assert page["data"] == plain["data"]
    assert page["meta"] == plain["meta"]
    included = {name: sort_by_id(rows) for name, rows in page["included"].items()}
    assert included == _expected_included(oracle, collection, include, page["data"])


def _expected_included(
    oracle: Oracle, collection: str, include: Sequence[str], rows: Sequence[Json]
) -> dict[str, list[Json]]:
    targets = {**INCLUDES[collection], "citations": "citations"}
    return {targets[field]: oracle.included(collection, field, rows) for field in include}


@pytest.mark.parametrize("collection", RESOURCES)
def test_include_on_single_items(run_check: RunCheck, oracle: Oracle, collection: str) -> None:
    """A single item with all includes has the same `data` and the documents it refers to."""
    run_check(_check_items, oracle, collection)


async def _check_items(client: httpx.AsyncClient, oracle: Oracle, collection: str) -> None:
    include = [*INCLUDES[collection], "citations"]
    for document in oracle.documents[collection][:12]:
        path = document["links"]["self"]
        plain = await get_page(client, path)
        item = await get_page(client, path, {"include": include})
        assert plain == {"data": document, "included": None}
        assert item["data"] == document
        included = {name: sort_by_id(rows) for name, rows in item["included"].items()}
        assert included == _expected_included(oracle, collection, include, [document])


def test_the_record_contains_every_document(run_check: RunCheck, oracle: Oracle) -> None:
    """`/v1/record` contains every document of every collection once, and their numbers."""
    run_check(_check_record, oracle)


async def _check_record(client: httpx.AsyncClient, oracle: Oracle) -> None:
    record = await get_page(client, "/v1/record")
    for collection, documents in oracle.documents.items():
        assert sort_by_id(record["data"][collection]) == sort_by_id(documents)
        assert record["meta"]["counts"][collection] == len(documents)
