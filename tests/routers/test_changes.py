"""`/v1/changes`: complete, net, exact, filtered, paged; and what was removed is gone."""

from __future__ import annotations

import csv
import io
import json
import shutil
from collections import Counter
from collections.abc import AsyncIterator
from copy import deepcopy
from itertools import combinations_with_replacement
from pathlib import Path
from random import Random
from typing import Any

import httpx
import pytest

from app.query.cursors import encode_cursor
from benchmarks.corpus import write_corpus
from tests.conftest import SEED
from tests.support import history
from tests.support.comparison import (
    Json,
    Record,
    apply_changes,
    canonical,
    cited_by,
    expected_changes,
    plain_json,
    record_documents,
)
from tests.support.history import FIRST, LABELS, REASON, REMOVED, SECOND, SUCCESSOR, THIRD
from tests.support.problem import assert_problem
from tests.support.serving import client_for

pytestmark = pytest.mark.anyio

REMOVED_PATH = f"/v1/activities/{REMOVED}"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder with the seed of the record that was corrected twice."""
    folder = tmp_path_factory.mktemp("corrected")
    history.publish_shipped(folder)
    return folder


@pytest.fixture(scope="module")
async def client(folder: Path) -> AsyncIterator[httpx.AsyncClient]:
    """A client of that record."""
    async with client_for(folder / "seed.json", folder / "archive.sqlite") as opened:
        yield opened


async def read_all(client: httpx.AsyncClient, query: str) -> list[Json]:
    """The changes on all pages of a query."""
    changes: list[Json] = []
    url = f"/v1/changes?{query}"
    while url:
        response = await client.get(url)
        assert response.status_code == 200, response.text
        page = response.json()
        changes += page["data"]
        url = page["links"]["next"]
    assert page["meta"]["total"] == len(changes)
    return changes


async def read_record(client: httpx.AsyncClient, label: str) -> Record:
    """The documents of a release."""
    response = await client.get(f"/v1/releases/{label}/record")
    assert response.status_code == 200
    return record_documents(response.json())


def value(change: Json, side: str) -> str | None:
    """A value of a change as JSON; None if there is none."""
    absent = {"before": "added", "after": "removed"}[side] == change["kind"]
    return None if absent else plain_json(change[side])


async def assert_changes(client: httpx.AsyncClient, labels: tuple[str, str], limit: int) -> None:
    """Check the changes between two releases against both of their records."""
    since, until = labels
    before, after = await read_record(client, since), await read_record(client, until)
    changes = await read_all(client, f"since={since}&until={until}&limit={limit}")
    names = [(change["type"], change["resource"], change["field"]) for change in changes]
    found = {
        (name, change["kind"], value(change, "before"), value(change, "after"))
        for name, change in zip(names, changes, strict=True)
    }
    assert len(names) == len(set(names))
    assert found == expected_changes(before, after)
    for name, change in zip(names, changes, strict=True):
        assert change["citations_before"] == cited_by(before, name)
        assert change["citations_after"] == cited_by(after, name)
    order = [(type_ == "citation", type_, id_, field or "") for type_, id_, field in names]
    assert order == sorted(order)
    assert canonical(apply_changes(before, found)) == canonical(after)


@pytest.mark.parametrize("labels", [*combinations_with_replacement(LABELS, 2)])
@pytest.mark.parametrize("limit", [1, 7, 1_000])
async def test_changes_turn_the_old_record_into_the_new_one(
    client: httpx.AsyncClient, labels: tuple[str, str], limit: int
) -> None:
    """Between any two releases, in pages of any size, byte for byte in canonical form."""
    await assert_changes(client, labels, limit)


@pytest.mark.parametrize("number", range(4))
async def test_changes_of_random_corrections_are_net(tmp_path: Path, number: int) -> None:
    """Values, citations and resources that change, go and come back over several releases."""
    random = Random(number)  # noqa: S311 - not for secrets
    contents = [json.loads(write_corpus(tmp_path, 48, number).read_text("utf-8"))]
    for _ in range(2):
        contents.append(deepcopy(contents[-1]))
        history.correct_at_random(contents[-1], random)
    contents.append(history.with_values_of(contents[-1], contents[0]))
    labels = [f"2026-11-0{position}" for position in range(1, 5)]
    for label, content in zip(labels, contents, strict=True):
        seed = history.publish(tmp_path, content, label)
    async with client_for(seed, tmp_path / "archive.sqlite") as client:
        for pair in combinations_with_replacement(labels, 2):
            await assert_changes(client, pair, 1_000)


FILTERS = [
    {"type": ["award"]},
    {"type": ["citation", "record"]},
    {"resource": [REMOVED, "peru-ilo"]},
    {"resource": [f"activity.{REMOVED}.title.4a989a6e", "none"]},
    {"field": ["title", "position"], "kind": ["changed"]},
    {"kind": ["added", "removed"], "type": ["citation"]},
    {"field": ["id"], "kind": ["removed"]},
]


@pytest.mark.parametrize("filters", FILTERS)
async def test_filters_select_changes(
    client: httpx.AsyncClient, filters: dict[str, list[str]]
) -> None:
    """Values of a filter are combined with OR, filters with AND, in pages as well."""
    expected = [
        change
        for change in await read_all(client, f"since={FIRST}")
        if all(change[name] in values for name, values in filters.items())
    ]
    pairs = [(name, chosen) for name, values in filters.items() for chosen in values]
    query = str(httpx.QueryParams([("since", FIRST), ("limit", "2"), *pairs]))
    assert await read_all(client, query) == expected


async def test_facets_count_changes(client: httpx.AsyncClient) -> None:
    """Counts of all matching changes, the most frequent value first; null is a value."""
    query = f"since={FIRST}&kind=removed"
    changes = await read_all(client, query)
    response = await client.get(f"/v1/changes?{query}&limit=1&facet=type&facet=field&facet=kind")
    facets = response.json()["facets"]
    assert set(facets) == {"type", "field", "kind"}
    for name, counts in facets.items():
        found = {count["value"]: count["count"] for count in counts}
        assert found == Counter(change[name] for change in changes)
        assert [count["count"] for count in counts] == sorted(found.values(), reverse=True)


async def test_releases_can_be_named_by_digest_and_as_latest(client: httpx.AsyncClient) -> None:
    """The label, the digest and `latest` mean the same; without `until` it is the latest."""
    releases = (await client.get("/v1/releases")).json()["data"]
    digests = {release["label"]: release["digest"] for release in releases}
    expected = await read_all(client, f"since={FIRST}&until={THIRD}")
    assert expected
    for query in (
        f"since={FIRST}",
        f"since={digests[FIRST]}",
        f"since={FIRST}&until=latest",
        f"since={digests[FIRST]}&until={digests[THIRD]}",
    ):
        assert await read_all(client, query) == expected
    meta = (await client.get(f"/v1/changes?since={digests[FIRST]}")).json()["meta"]
    assert (meta["since"], meta["until"]) == (FIRST, THIRD)
    assert meta["release"] == digests[THIRD]
    assert await read_all(client, "since=latest") == []


async def test_ndjson_and_csv_have_all_changes(client: httpx.AsyncClient) -> None:
    """Both have the changes of the JSON pages, all or those of a page."""
    query = f"/v1/changes?since={FIRST}&type=activity&type=citation"
    page = (await client.get(f"{query}&limit=3")).json()
    changes = page["data"] + await read_rest(client, page["links"]["next"])
    lines = (await client.get(f"{query}&format=ndjson")).content.splitlines()
    assert [json.loads(line) for line in lines] == changes
    limited = await client.get(f"{query}&limit=3", headers={"accept": "application/x-ndjson"})
    assert [json.loads(line) for line in limited.content.splitlines()] == changes[:3]
    assert 'rel="next"' in limited.headers["link"]
    rows = list(csv.DictReader(io.StringIO((await client.get(f"{query}&format=csv")).text)))
    for row, change in zip(rows, changes, strict=True):
        assert list(row) == [name for name in change if name != "links"]
        for name in ("type", "resource", "kind", "release"):
            assert row[name] == change[name]
        assert row["field"] == (change["field"] or "")
        assert row["citations_before"] == "|".join(change["citations_before"])
        assert row["before"] == cell(change["before"])


def cell(found: Any) -> str:
    """A value as a cell: null is empty, lists are joined, objects are JSON."""
    if isinstance(found, list):
        return "|".join(found)
    if isinstance(found, dict):
        return plain_json(found)
    return "" if found is None else str(found)


async def read_rest(client: httpx.AsyncClient, url: str | None) -> list[Json]:
    """Rows of a page and of all that follow."""
    rows: list[Json] = []
    while url:
        page = (await client.get(url)).json()
        rows += page["data"]
        url = page["links"]["next"]
    return rows


@pytest.mark.parametrize(
    ("query", "parameter", "suggestion", "words"),
    [
        ("", "since", None, "since is required"),
        ("since=2026-06-02", "since", FIRST, f"latest, {THIRD}, {SECOND}, {FIRST}"),
        ("since=2026-06-01&until=lastest", "until", "latest", f"latest, {THIRD}"),
        (f"since={SECOND}&until={FIRST}", "until", None, f"expected {SECOND} or a later release"),
        ("since=latest&since=latest", "since", None, "more than once"),
        ("since=latest&type=awards", "type", "award", "expected one of partnership"),
        ("since=latest&kind=deleted", "kind", "removed", "expected one of added, changed, removed"),
        ("since=latest&resource=A%20B", "resource", None, "expected an id"),
        ("since=latest&field=Title", "field", "title", "expected a field name"),
        ("since=latest&facet=resource", "facet", None, "expected one of type"),
        ("since=latest&facet=type&format=csv", "facet", None, "requires format=json"),
        ("since=latest&format=xml", "format", None, "expected one of json, csv, ndjson"),
        ("since=latest&limit=0", "limit", None, "from 1 to 1000"),
        ("since=latest&cursor=x", "cursor", None, "damaged"),
        ("since=latest&resource_type=award", "resource_type", "type", "Did you mean type?"),
        ("since=latest&id=x", "id", "resource", "Did you mean resource?"),
        ("since=latest&page=2", "page", "cursor", "Unknown parameter"),
    ],
)
async def test_errors_name_the_parameter(
    client: httpx.AsyncClient, query: str, parameter: str, suggestion: str | None, words: str
) -> None:
    """What is wrong, what is allowed, and what was probably meant; an unknown label lists all."""
    problem = assert_problem(await client.get(f"/v1/changes?{query}"), 422)
    [error] = problem["errors"]
    assert (error["parameter"], error["did_you_mean"]) == (parameter, suggestion)
    assert words in error["message"]
    if words.startswith("latest"):
        assert error["allowed"] == ["latest", THIRD, SECOND, FIRST]


async def test_a_cursor_belongs_to_its_query(client: httpx.AsyncClient) -> None:
    """Another span or filter is another query; the same filter in another order is not."""
    path = f"/v1/changes?since={FIRST}&kind=removed&kind=changed&limit=2"
    url = httpx.URL((await client.get(path)).json()["links"]["next"])
    cursor = url.params["cursor"]
    same = f"/v1/changes?kind=changed&kind=removed&since={FIRST}&limit=2&cursor={cursor}"
    assert (await client.get(same)).json()["data"] == (await client.get(url)).json()["data"]
    for other in (f"since={SECOND}", f"since={FIRST}&until={THIRD}", f"since={FIRST}&type=award"):
        problem = assert_problem(await client.get(f"/v1/changes?{other}&cursor={cursor}"), 422)
        assert problem["errors"][0]["parameter"] == "cursor"


@pytest.mark.parametrize(
    "position", [b"", b"\0", b"\xff\0", b"x\0i1", b"\0sx", b"' OR 1=1 --\0", b"2" * 900, b"1 \0"]
)
async def test_a_forged_position_is_harmless(client: httpx.AsyncClient, position: bytes) -> None:
    """Whoever computes the digest of any position gets an error or changes."""
    cursor = encode_cursor(["changes", FIRST, None, {}], position)
    response = await client.get(f"/v1/changes?since={FIRST}&cursor={cursor}")
    if response.status_code != 200:
        assert_problem(response, 422)


@pytest.mark.parametrize("limit", range(1, 12))
async def test_a_walk_leads_on_after_another_release(tmp_path: Path, limit: int) -> None:
    """Changes that stand before and after a release are read exactly once, the others at most."""
    shutil.copy(SEED.with_name("regions.geojson"), tmp_path)
    shipped = json.loads(SEED.read_text("utf-8"))
    seed = history.publish_all(tmp_path, shipped, SECOND)
    async with client_for(seed, tmp_path / "archive.sqlite") as client:
        former = await read_all(client, f"since={FIRST}")
        page = (await client.get(f"/v1/changes?since={FIRST}&limit={limit}")).json()
    history.publish_all(tmp_path, shipped, THIRD)
    async with client_for(seed, tmp_path / "archive.sqlite") as client:
        latter = await read_all(client, f"since={FIRST}")
        rest = await read_rest(client, page["links"]["next"])
    names = [
        [(change["type"], change["resource"], change["field"]) for change in changes]
        for changes in (former, latter, page["data"] + rest)
    ]
    assert len(names[1]) > len(names[0])
    assert Counter(names[2]) <= Counter(names[1])
    assert [name for name in names[2] if name in names[0]] == names[0]


async def test_http_is_as_for_collections(client: httpx.AsyncClient) -> None:
    """Entity tags, `Vary`, HEAD, OPTIONS, 304 and 406."""
    url = f"/v1/changes?since={FIRST}&limit=2"
    response = await client.get(url)
    assert response.headers["vary"] == "Accept, Accept-Encoding"
    assert response.headers["cache-control"].startswith("public, max-age=")
    assert response.headers["link"] == f'<{response.json()["links"]["next"]}>; rel="next"'
    fresh = await client.get(url, headers={"if-none-match": response.headers["etag"]})
    assert (fresh.status_code, fresh.content) == (304, b"")
    assert fresh.headers["link"] == response.headers["link"]
    head = await client.head(url)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["etag"] == response.headers["etag"]
    assert (await client.options(url)).status_code == 204
    assert_problem(await client.post(url), 405)
    refused = assert_problem(await client.get(url, headers={"accept": "image/png"}), 406)
    assert "text/csv" in refused["detail"]


async def test_what_was_removed_is_gone(client: httpx.AsyncClient) -> None:
    """The problem names the release, the reason, what replaced it, and where it still is."""
    problem = assert_problem(await client.get(REMOVED_PATH), 410)
    assert problem["type"] == "/problems/gone"
    assert (problem["release"], problem["reason"]) == (SECOND, REASON)
    assert problem["replaced_by"] == [f"/v1/activities/{SUCCESSOR}"]
    for part in (SECOND, REASON, problem["replaced_by"][0], f"/v1/releases/{FIRST}/record"):
        assert part in problem["detail"]
    assert (await client.get(problem["replaced_by"][0])).status_code == 200
    old = await read_record(client, FIRST)
    assert ("activity", REMOVED) in old
    head = await client.head(REMOVED_PATH)
    assert (head.status_code, head.content) == (410, b"")
    assert (await client.get("/problems/gone")).json()["data"]["status"] == 410
    assert_problem(await client.get(f"{REMOVED_PATH}?x=1"), 422)
    assert_problem(await client.get(f"/v1/awards/{REMOVED}"), 404)


async def test_citations_that_were_removed_are_gone(
    client: httpx.AsyncClient, tmp_path: Path
) -> None:
    """With their resource, for its reason; or alone, and then the present ones are named."""
    old = await read_record(client, FIRST)
    gone = [key for key in old if key[0] == "citation" and f".{REMOVED}." in key[1]]
    assert gone
    for _, citation in gone:
        problem = assert_problem(await client.get(f"/v1/citations/{citation}"), 410)
        assert (problem["release"], problem["reason"]) == (SECOND, REASON)
        assert problem["replaced_by"] == []
    content = json.loads(SEED.read_text("utf-8"))
    shutil.copy(SEED.with_name("regions.geojson"), tmp_path)
    history.publish(tmp_path, content, FIRST)
    del content["awards"][0]["evidence"]["summary"][0]
    seed = history.publish(tmp_path, content, SECOND)
    async with client_for(seed, tmp_path / "archive.sqlite") as corrected:
        [change] = await read_all(corrected, f"since={FIRST}")
        assert (change["type"], change["kind"]) == ("citation", "removed")
        problem = assert_problem(await corrected.get(change["links"]["resource"]), 410)
        assert (
            "/v1/citations?resource_type=award&resource=peru-ilo&field=summary"
            in (problem["reason"])
        )


async def test_a_draft_is_named_as_such(tmp_path: Path) -> None:
    """What was removed since the last release is gone as of the draft, in JSON and on the page."""
    content = json.loads(SEED.read_text("utf-8"))
    shutil.copy(SEED.with_name("regions.geojson"), tmp_path)
    seed = history.publish(tmp_path, content, FIRST)
    history.correct_first(content)
    seed.write_text(json.dumps({**content, "release": None}), "utf-8")
    async with client_for(seed, tmp_path / "archive.sqlite") as corrected:
        problem = assert_problem(await corrected.get(REMOVED_PATH), 410)
        assert "was removed in the draft." in problem["detail"]
        page = await corrected.get(REMOVED_PATH, headers={"accept": "text/html"})
        assert '<a href="/history#draft">History of the draft</a>' in page.text


async def test_the_page_of_a_removed_resource_links_to_its_successor(
    client: httpx.AsyncClient,
) -> None:
    """A browser gets the same problem as a page."""
    page = await client.get(REMOVED_PATH, headers={"accept": "text/html"})
    assert page.status_code == 410
    assert page.headers["content-type"].startswith("text/html")
    assert f'href="/v1/activities/{SUCCESSOR}"' in page.text
    assert f'href="/history#{SECOND}"' in page.text


async def test_every_item_declares_410(client: httpx.AsyncClient) -> None:
    """The OpenAPI document has the response of every collection's items, with an example."""
    document = (await client.get("/openapi.json")).json()
    items = [
        path for path in document["paths"] if path.startswith("/v1/") and path.endswith("{id}")
    ]
    assert len(items) == 8
    for path in items:
        content = document["paths"][path]["get"]["responses"]["410"]["content"]
        example = content["application/problem+json"]["example"]
        assert (example["status"], example["type"]) == (410, "/problems/gone")
    operation = document["paths"]["/v1/changes"]["get"]
    assert all("examples" in parameter["schema"] for parameter in operation["parameters"])
