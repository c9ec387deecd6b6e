"""Random queries on a made-up record: every format and every page agree with plain Python."""

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
    TYPES,
    Json,
    Oracle,
    members,
    range_parameters,
    sorts,
)
from tests.support.serving import client_for

RESOURCES_WRITTEN = 1_200
MOST_PAGES = 9
_NOTHING = {"country": "ZZ", "field": "no_such_field"}
_WORDS = (
    "everywhere", "EVERYWHERE", "every", "rare1", "rare", "shelter", "shel", "sheltered",
    "Prosecution", "justice", "naive", "ete", "nandu", "peru", "tag", "under", "score",
    "under_score", "title:x", "title", "x*", "(y)", "-w", '"quoted"', "NEAR", "AND", "or", "NOT",
    "50%", "back\\slash", "comma,comma", "a|b", "<b>", "&amp;", "enfant", "p1", "absent", "*",
)  # fmt: skip

bounded = settings(max_examples=30, deadline=None, derandomize="CI" in os.environ, database=None)


@pytest.fixture(scope="session")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Seed file of the made-up record."""
    return write_corpus(tmp_path_factory.mktemp("corpus"), RESOURCES_WRITTEN)


@pytest.fixture(scope="session")
def oracle(corpus: Path) -> Oracle:
    """What the made-up record should answer."""
    return Oracle(corpus)


Run = Callable[..., None]
"""Runs a check beside the application; Hypothesis draws on this side of it."""


@pytest.fixture(scope="session")
def run(corpus: Path) -> Iterator[Run]:
    """Runs a check with a client of an application on the made-up record."""
    serving = client_for(corpus, corpus.with_name("archive.sqlite"))
    with (
        start_blocking_portal("asyncio") as portal,
        portal.wrap_async_context_manager(serving) as client,
    ):

        def call(check: Callable[..., Awaitable[None]], *arguments: Any) -> None:
            portal.call(partial(check, client, *arguments))

        yield call


@st.composite
def conditions(draw: st.DrawFn, oracle: Oracle, collection: str) -> dict[str, list[str]]:
    """Filters, ranges and words; some are drawn from one document, so that it is found."""
    sought = draw(st.sampled_from(oracle.documents[collection]))
    ranges = range_parameters(collection)
    named = [*FILTERS[collection], *ranges, *(["q"] if collection in RESOURCES else [])]
    asked = {}
    for name in draw(st.lists(st.sampled_from(named), max_size=3, unique=True)):
        if name in ranges:
            asked[name] = [draw(_bounds(sought[name.partition("__")[0]], ranges[name]))]
        elif name == "q":
            asked[name] = [draw(_queries())]
        else:
            present = [members(one[FILTERS[collection][name]]) for one in _some(oracle, collection)]
            values = draw(st.lists(st.sampled_from(_values(name, present)), max_size=3))
            asked[name] = [*members(sought[FILTERS[collection][name]])[:1], *values]
    return {name: values for name, values in asked.items() if values}


def _some(oracle: Oracle, collection: str) -> list[Json]:
    return oracle.documents[collection][:40]


def _values(name: str, present: list[list[str]]) -> list[str]:
    """Values that a filter may take: closed sets whole, open ones with one that names nothing."""
    if name in CHOICES:
        return list(CHOICES[name])
    return [*sorted({one for values in present for one in values}), _NOTHING.get(name, "none-such")]


def _bounds(value: Any, kind: str) -> st.SearchStrategy[str]:
    """A bound of a range: at a document's own value, beside it, or far off."""
    if kind == "date":
        own = [value, value[:4], value[:7]] if value else []
        return st.sampled_from([*own, "0001", "1999-12-31", "2004-02", "2012", "2020-06", "9999"])
    own = [str(value + step) for step in (-1, 0, 1) if value + step >= 0] if value else []
    return st.sampled_from([*own, "0", "1000000", "500000000000", str(2**53 - 1)])


@st.composite
def _queries(draw: st.DrawFn) -> str:
    chosen = draw(st.lists(st.sampled_from(_WORDS), min_size=1, max_size=3))
    return draw(st.sampled_from([" ", "  ", "\t"])).join(chosen) + draw(st.sampled_from(["", " "]))


async def read_page(client: httpx.AsyncClient, url: str, params: Any = None) -> Json:
    """A page of JSON."""
    response = await client.get(url, params=params)
    assert response.status_code == 200, response.text
    page: Json = response.json()
    return page


async def walk(client: httpx.AsyncClient, path: str, asked: Any) -> list[Json]:
    """Every row of a list, page by page along `links.next`."""
    page = await read_page(client, path, asked)
    rows: list[Json] = page["data"]
    seen = set()
    while page["links"]["next"]:
        assert page["links"]["next"] not in seen, "the walk goes round"
        seen.add(page["links"]["next"])
        assert len(page["data"]) == page["meta"]["limit"]
        page = await read_page(client, page["links"]["next"])
        assert page["data"], "a page that a next link leads to is never empty"
        rows += page["data"]
    return rows


def by_id(rows: Sequence[Json]) -> list[Json]:
    """Documents in the order of their ids."""
    return sorted(rows, key=lambda one: str(one["id"]))


@pytest.mark.parametrize("collection", TYPES)
@given(data=st.data())
@bounded
def test_every_format_and_page_gives_the_same_rows(
    run: Run, oracle: Oracle, collection: str, data: st.DataObject
) -> None:
    """Pages joined, the unpaged list, NDJSON and CSV are what filtering the seed gives."""
    asked = data.draw(conditions(oracle, collection))
    if data.draw(st.booleans()):
        asked["sort"] = [data.draw(st.sampled_from(sorts(collection)))]
    expected = oracle.select(collection, asked)
    fewest = max(1, -(-len(expected) // MOST_PAGES))
    limit = data.draw(st.integers(fewest, max(fewest, min(len(expected) + 1, 1_000))))
    run(_check_rows, collection, asked, limit, expected)


async def _check_rows(
    client: httpx.AsyncClient, collection: str, asked: Json, limit: int, expected: list[Json]
) -> None:
    path = f"/v1/{collection}"
    assert await walk(client, path, {**asked, "limit": limit}) == expected
    whole = await read_page(client, path, {**asked, "limit": 1_000})
    assert whole["data"] == expected[:1_000]
    assert whole["meta"]["total"] == len(expected)
    assert (whole["links"]["next"] is None) == (len(expected) <= 1_000)
    lines = await client.get(path, params={**asked, "format": "ndjson"})
    assert [json.loads(line) for line in lines.content.splitlines()] == expected
    table = await client.get(path, params={**asked, "format": "csv"})
    assert csv_reader.documents(collection, table.content) == expected


@pytest.mark.parametrize("collection", TYPES)
@given(data=st.data())
@bounded
def test_facets_count_what_the_filters_leave(
    run: Run, oracle: Oracle, collection: str, data: st.DataObject
) -> None:
    """Counts per value under the same filters are plain Python's, null among them.

    Those of a single-valued field add up to the total; of a list, to the number of its members
    and of the items that have none.
    """
    asked = data.draw(conditions(oracle, collection))
    choice = st.sampled_from(FACETS[collection])
    names = data.draw(st.lists(choice, min_size=1, max_size=3, unique=True))
    run(_check_facets, oracle, collection, asked, names)


async def _check_facets(
    client: httpx.AsyncClient, oracle: Oracle, collection: str, asked: Json, names: list[str]
) -> None:
    page = await read_page(client, f"/v1/{collection}", {**asked, "facet": names, "limit": 1})
    assert list(page["facets"]) == names
    rows = oracle.select(collection, asked)
    assert page["meta"]["total"] == len(rows)
    for name in names:
        found = {one["value"]: one["count"] for one in page["facets"][name]}
        counts = [one["count"] for one in page["facets"][name]]
        assert found == oracle.count(collection, asked, name)
        assert len(found) == len(counts)
        assert counts == sorted(counts, reverse=True)
        values = [members(one[FILTERS[collection][name]]) for one in rows]
        assert sum(counts) == sum(max(1, len(value)) for value in values)


@pytest.mark.parametrize("collection", RESOURCES)
@given(data=st.data())
@bounded
def test_include_adds_what_is_referred_to(
    run: Run, oracle: Oracle, collection: str, data: st.DataObject
) -> None:
    """`include` adds exactly what the page refers to, once each, and leaves `data` alone."""
    asked = {**data.draw(conditions(oracle, collection)), "limit": ["20"]}
    choice = st.sampled_from(["citations", *INCLUDES[collection]])
    names = data.draw(st.lists(choice, min_size=1, unique=True))
    run(_check_included, oracle, collection, asked, names)


async def _check_included(
    client: httpx.AsyncClient, oracle: Oracle, collection: str, asked: Json, names: list[str]
) -> None:
    path = f"/v1/{collection}"
    plain = await read_page(client, path, asked)
    page = await read_page(client, path, {**asked, "include": names})
    assert plain["included"] is None
    assert page["data"] == plain["data"]
    assert page["meta"] == plain["meta"]
    added = {name: by_id(rows) for name, rows in page["included"].items()}
    assert added == _referred(oracle, collection, names, page["data"])


def _referred(
    oracle: Oracle, collection: str, names: Sequence[str], rows: Sequence[Json]
) -> dict[str, list[Json]]:
    targets = {**INCLUDES[collection], "citations": "citations"}
    return {targets[name]: oracle.referred(collection, name, rows) for name in names}


@pytest.mark.parametrize("collection", RESOURCES)
def test_include_on_single_items(run: Run, oracle: Oracle, collection: str) -> None:
    """A single item with everything included is the item, with what it refers to beside it."""
    run(_check_items, oracle, collection)


async def _check_items(client: httpx.AsyncClient, oracle: Oracle, collection: str) -> None:
    names = [*INCLUDES[collection], "citations"]
    for document in oracle.documents[collection][:12]:
        path = document["links"]["self"]
        plain = await read_page(client, path)
        item = await read_page(client, path, {"include": names})
        assert plain == {"data": document, "included": None}
        assert item["data"] == document
        added = {name: by_id(rows) for name, rows in item["included"].items()}
        assert added == _referred(oracle, collection, names, [document])


def test_the_whole_record_is_every_document(run: Run, oracle: Oracle) -> None:
    """`/v1/record` holds every document of every collection, once, and says how many."""
    run(_check_record, oracle)


async def _check_record(client: httpx.AsyncClient, oracle: Oracle) -> None:
    record = await read_page(client, "/v1/record")
    for name, documents in oracle.documents.items():
        assert by_id(record["data"][name]) == by_id(documents)
        assert record["meta"]["counts"][name] == len(documents)
