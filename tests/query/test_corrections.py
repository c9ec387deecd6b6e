"""Cursors across a correction: pages of two releases that are read one after the other."""

from __future__ import annotations

import json
import shutil
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.query.cursors import MAX_CURSOR_LENGTH, MAX_KEY_LENGTH, Position, encode_cursor
from app.query.full_text import MAX_RANKED
from app.query.query import Query
from benchmarks.corpus import write_corpus
from tests.conftest import SeedCopy
from tests.support.history import FIRST, SECOND, publish
from tests.support.oracle import TYPES, Json, Oracle, sorts
from tests.support.problem import assert_problem
from tests.support.serving import client_for

pytestmark = pytest.mark.anyio

SORT_CASES = [(name, sort) for name in TYPES for sort in sorts(name)]
PAGE_SIZES = {"activities": 5, "citations": 60}


def keep_partnerships(seed: Path, *numbers: int) -> Json:
    """The content of a generated seed with these partnerships and all that belongs to them."""
    content: Json = json.loads(seed.read_text("utf-8"))
    names = tuple(f"p{number}" for number in numbers)
    for collection in set(TYPES) - {"citations"}:
        content[collection] = [
            entry for entry in content[collection] if entry["id"].split("-")[0] in names
        ]
    return content


def change_sort_keys(content: Json) -> None:
    """Change titles and positions of a partnership, and make its dates null."""
    for collection in set(TYPES) - {"citations"}:
        entries = [entry for entry in content[collection] if entry["id"].split("-")[0] == "p2"]
        others = [entry for entry in content[collection] if entry not in entries]
        content[collection] = others + entries[::-1]
        highest = max(entry.get("position", 0) for entry in entries)
        for entry in entries:
            if "title" in entry:
                entry["title"] = f"Corrected {entry['title']}"[::-1].strip()
            if "position" in entry:
                entry["position"] = highest + 1 - entry["position"]
            for field in {"signed", "announced"} & set(entry):
                entry[field] = None
                entry["evidence"].pop(field, None)


@pytest.fixture(scope="module")
def releases(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Seeds of two releases: the second lacks a partnership, has a new one, and corrects one."""
    folder = tmp_path_factory.mktemp("corpus")
    generated = write_corpus(folder, 96)
    before = keep_partnerships(generated, 0, 1, 2)
    after = keep_partnerships(generated, 0, 2, 3)
    change_sort_keys(after)
    after["retired"] = [
        {"type": TYPES[collection], "id": id_, "reason": "It ended.", "replaced_by": None}
        for collection, id_ in removed_ids(before, after)
    ]
    publish(folder, before, FIRST)
    first = shutil.copytree(folder, tmp_path_factory.mktemp("former") / "release") / "seed.json"
    return first, publish(folder, after, SECOND)


def removed_ids(before: Json, after: Json) -> list[tuple[str, str]]:
    """Collection and id of each resource that the second release lacks."""
    return [
        (collection, entry["id"])
        for collection in TYPES
        if collection != "citations"
        for entry in before[collection]
        if entry not in after[collection] and entry["id"].startswith("p1")
    ]


@pytest.fixture(scope="module")
async def clients(
    releases: tuple[Path, Path],
) -> AsyncIterator[tuple[httpx.AsyncClient, httpx.AsyncClient]]:
    """A client of each release."""
    first, second = releases
    async with (
        client_for(first, first.with_name("archive.sqlite")) as before,
        client_for(second, second.with_name("archive.sqlite")) as after,
    ):
        yield before, after


async def read_page(client: httpx.AsyncClient, url: str) -> tuple[list[Json], str | None]:
    """Rows of a page, and the link to the next one."""
    response = await client.get(url)
    assert response.status_code == 200, response.text
    page = response.json()
    return page["data"], page["links"]["next"]


async def read_rest(client: httpx.AsyncClient, url: str | None) -> list[Json]:
    """Rows of a page and of all that follow."""
    rows: list[Json] = []
    while url:
        page, url = await read_page(client, url)
        rows += page
    return rows


@pytest.mark.parametrize(("collection", "sort"), SORT_CASES)
async def test_a_walk_ends_in_another_release(
    clients: tuple[httpx.AsyncClient, httpx.AsyncClient],
    releases: tuple[Path, Path],
    collection: str,
    sort: str,
) -> None:
    """Wherever the correction comes, each row with an unchanged sort key is read exactly once.

    The row before the page may have been removed, moved or be unchanged; null is last as ever.
    """
    field = sort.removeprefix("-")
    old, new = (
        {row["id"]: row[field] for row in Oracle(seed).select(collection, {"sort": [sort]})}
        for seed in releases
    )
    unchanged = [row_id for row_id in new if old.get(row_id, ...) == new[row_id]]
    assert unchanged
    assert set(old) - set(new)
    assert set(new) - set(old)
    before, after = clients
    url: str | None = f"/v1/{collection}?sort={sort}&limit={PAGE_SIZES.get(collection, 1)}"
    read: list[str] = []
    while url:
        page, url = await read_page(before, url)
        read += [row["id"] for row in page]
        rest = [row["id"] for row in await read_rest(after, url)] if url else []
        walk = [row_id for row_id in read + rest if row_id in unchanged]
        assert walk == unchanged, f"corrected after {read[-1]}"
        assert rest == [row_id for row_id in new if row_id in rest]


async def test_pages_of_a_walk_name_their_release(
    clients: tuple[httpx.AsyncClient, httpx.AsyncClient],
) -> None:
    """What was read before the correction and is gone since is told apart, and explained."""
    before, after = clients
    page = (await before.get("/v1/awards?limit=4")).json()
    following = (await after.get(page["links"]["next"])).json()
    releases = {row["label"]: row["digest"] for row in await read_rest(after, "/v1/releases")}
    assert [body["meta"]["release"] for body in (page, following)] == [
        releases[FIRST],
        releases[SECOND],
    ]
    removed = [row["links"]["self"] for row in page["data"] if row["id"].startswith("p1")]
    assert removed
    for path in removed:
        assert assert_problem(await after.get(path), 410)["release"] == SECOND


async def test_a_stream_starts_at_a_cursor_of_another_release(
    clients: tuple[httpx.AsyncClient, httpx.AsyncClient],
) -> None:
    """CSV and NDJSON lead on too."""
    before, after = clients
    _, url = await read_page(before, "/v1/awards?sort=title&limit=2")
    expected = [row["id"] for row in await read_rest(after, url)]
    cursor = httpx.URL(url or "").params["cursor"]
    params = {"sort": "title", "cursor": cursor, "format": "ndjson"}
    lines = (await after.get("/v1/awards", params=params)).content.splitlines()
    assert [json.loads(line)["id"] for line in lines] == expected


async def test_filters_are_part_of_the_query_in_every_release(
    clients: tuple[httpx.AsyncClient, httpx.AsyncClient],
) -> None:
    """A cursor of another query is rejected by another release too; the order of values is not."""
    before, after = clients
    path = "/v1/citations?limit=2&basis=stated&basis=derived"
    _, url = await read_page(before, path)
    cursor = httpx.URL(url or "").params["cursor"]
    same = f"/v1/citations?limit=2&basis=derived&basis=stated&cursor={cursor}"
    assert (await after.get(same)).status_code == 200
    for other in ("basis=stated", "sort=-id&basis=stated&basis=derived", "field=title", ""):
        problem = assert_problem(await after.get(f"/v1/citations?{other}&cursor={cursor}"), 422)
        assert [error["parameter"] for error in problem["errors"]] == ["cursor"]
        assert "start again" in problem["detail"]
        assert "release" not in problem["detail"]


Change = Callable[[SeedCopy], None]
LONG = "Ж" * MAX_KEY_LENGTH


def _keep(_seed: SeedCopy) -> None:
    """Change nothing that the cursor names."""


def _rename_second(seed: SeedCopy) -> None:
    seed.put("/activities/1/title", "Moved to the front")


@pytest.mark.parametrize("sort", ["title", "-title"])
@pytest.mark.parametrize("change", [_keep, _rename_second])
async def test_a_long_sort_key_leads_on(
    seed: SeedCopy, tmp_path: Path, change: Change, sort: str
) -> None:
    """Of a long sort key a cursor holds the start; a correction may repeat rows, but skips none."""
    ids = [entry["id"] for entry in seed.data["activities"]]
    for number in range(len(ids)):
        seed.put(f"/activities/{number}/title", f"{LONG} {number} {'x' * 700}")
    order = ids if sort == "title" else ids[::-1]
    path = f"/v1/activities?limit={2 if sort == 'title' else len(ids) - 1}&sort={sort}"
    async with client_for(seed.write(), tmp_path / "archive.sqlite") as client:
        read, url = await read_page(client, path)
        assert len(httpx.URL(url or "").params["cursor"]) <= MAX_CURSOR_LENGTH
        assert read[-1]["id"] == ids[1]
        assert [row["id"] for row in read + await read_rest(client, url)] == order
    change(seed)
    seed.put("/modified", "2026-03-04")
    async with client_for(seed.write(), tmp_path / "archive.sqlite") as client:
        rest = [row["id"] for row in await read_rest(client, url)]
    skipped = [row_id for row_id in order[len(read) :] if row_id not in rest]
    assert skipped == []
    if change is _keep:
        assert rest == order[len(read) :]


async def test_a_long_id_leads_on(seed: SeedCopy, tmp_path: Path) -> None:
    """The cursor of the longest citation id is accepted."""
    organization = {**seed.data["organizations"][0], "id": "a" * 100}
    seed.data["organizations"].append(organization)
    async with client_for(seed.write(), tmp_path / "archive.sqlite") as client:
        path = f"/v1/citations?resource={'a' * 100}&limit=1"
        rows = await read_rest(client, path)
    assert len(rows) == sum(map(len, organization["evidence"].values())) > 1


FORGED = [
    b"", b"\0", b"\xff\0", b"\0x", b"\0s", b"\0i", b"\0ix", b"\0i1", b"\0i-1", b"\0s\0\0",
    b"\0i9223372036854775807", b"\0i9223372036854775808", b"\0i-9223372036854775809",
    b"\0i" + b"9" * 900, b"x\0sx", b"x\0s" + "\U0010ffff".encode() * 200, b"' OR 1=1 --\0s",
    b"s" * 900, Position(None, "x").to_bytes(), Position(1, "x").to_bytes(),
]  # fmt: skip


@pytest.mark.parametrize("position", FORGED)
@pytest.mark.parametrize(("collection", "sort"), SORT_CASES)
async def test_a_forged_position_is_harmless(
    client: httpx.AsyncClient, collection: str, sort: str, position: bytes
) -> None:
    """Whoever computes the digest of any position gets an error or rows of the collection."""
    query = Query.from_parameters(collection, {"sort": sort})
    params = {"sort": sort, "cursor": encode_cursor(query.identity, position)}
    response = await client.get(f"/v1/{collection}", params=params)
    if response.status_code != 200:
        assert_problem(response, 422)


@pytest.mark.parametrize(
    "position",
    [
        b"", b"\0" * 16, b"\0" * 16 + b"award peru-ilo", b"\xff" * 16 + b"award peru-ilo",
        b"\x7f\xf8" + b"\0" * 14 + b"award gone", b"\x80" + b"\0" * 15 + b"award gone",
        b"\0" * 8 + b"\x80" + b"\0" * 7 + b"award gone", b"\xc0" + b"\0" * 15 + b"award gone",
        b"\0" * 16 + b"citation x", b"\0" * 16 + b"award \xff", b"\0" * 16 + b"awards; x",
    ],
)  # fmt: skip
async def test_a_forged_search_position_is_harmless(
    client: httpx.AsyncClient, position: bytes
) -> None:
    """As in collections: an error or matches, whatever the position."""
    params = {"q": "peru", "cursor": encode_cursor(["search", "peru", []], position)}
    response = await client.get("/v1/search", params=params)
    if response.status_code != 200:
        assert_problem(response, 422)


SEARCH = "/v1/search?q=everywhere&limit="


async def search_order(client: httpx.AsyncClient) -> list[str]:
    """Ids of all matches, best first."""
    return [hit["id"] for hit in await read_rest(client, f"{SEARCH}1000")]


async def test_a_search_leads_on_after_the_same_match(
    clients: tuple[httpx.AsyncClient, httpx.AsyncClient],
) -> None:
    """A page begins after the match that the cursor names, wherever it ranks since."""
    before, after = clients
    new_order = await search_order(after)
    for limit in range(1, 20):
        read, url = await read_page(before, f"{SEARCH}{limit}")
        last = read[-1]["id"]
        if last in new_order:
            rest = [hit["id"] for hit in await read_rest(after, url)]
            assert rest == new_order[new_order.index(last) + 1 :]


async def test_a_search_leads_on_after_a_removed_match(
    clients: tuple[httpx.AsyncClient, httpx.AsyncClient],
) -> None:
    """If the match was removed, the page begins at its rank; it is a part of the new order."""
    before, after = clients
    new_order = await search_order(after)
    removed = 0
    for limit in range(1, 60):
        read, url = await read_page(before, f"{SEARCH}{limit}")
        if read[-1]["id"] not in new_order:
            removed += 1
            rest = [hit["id"] for hit in await read_rest(after, url)]
            assert rest == new_order[len(new_order) - len(rest) :]
            assert 0 < len(rest) < len(new_order)
    assert removed


async def test_corrections_elsewhere_keep_the_walk_complete(seed: SeedCopy, tmp_path: Path) -> None:
    """A search across a correction of other resources gives every match exactly once."""
    for number in range(3):
        seed.put(f"/objectives/{number}/title", f"Quokka {'of the bush ' * number}")
    seed.put("/activities/0/summary", "A quokka was seen.")
    async with client_for(seed.write(), tmp_path / "archive.sqlite") as client:
        before = await read_rest(client, "/v1/search?q=quokka")
        read, url = await read_page(client, "/v1/search?q=quokka&limit=2")
    summary: Any = seed.data["awards"][0]["summary"]
    seed.put("/awards/0/summary", f"{summary} Somebody there saw a wombat, and more words follow.")
    async with client_for(seed.write(), tmp_path / "archive.sqlite") as client:
        rest = await read_rest(client, url)
    assert [hit["id"] for hit in read + rest] == [hit["id"] for hit in before]
    assert len(before) == 4


@pytest.mark.slow
async def test_a_search_of_thousands_leads_on(tmp_path: Path) -> None:
    """More matches than are ranked: each remaining one is given exactly once.

    If the match that the cursor names was removed, the page is a part of the new order.
    """
    generated = write_corpus(tmp_path / "corpus", MAX_RANKED + 200)
    content: Json = json.loads(generated.read_text("utf-8"))
    kept = keep_partnerships(generated, *range(2, len(content["partnerships"])))
    corrected = generated.with_name("corrected.json")
    corrected.write_text(json.dumps(kept, ensure_ascii=False), "utf-8")
    async with (
        client_for(generated, tmp_path / "before.sqlite") as before,
        client_for(corrected, tmp_path / "after.sqlite") as after,
    ):
        order = await search_order(after)
        for limit in (1, 30, 1_000):
            read, url = await read_page(before, f"{SEARCH}{limit}")
            following = url and url.replace(f"limit={limit}", "limit=1000")
            rest = [hit["id"] for hit in await read_rest(after, following)]
            assert rest == order[len(order) - len(rest) :]
            if read[-1]["id"] in order:
                walk = [hit["id"] for hit in read if hit["id"] in order] + rest
                assert walk == order
