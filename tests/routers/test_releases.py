"""`/v1/releases`: every state of the data by its label, and its whole record for ever."""

from __future__ import annotations

import csv
import hashlib
import json
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import rfc8785

from tests.conftest import SEED, Start
from tests.support.problem import assert_problem
from tests.support.releases import FIRST_DAY, SECOND_DAY, ReleasedSeed, corrected_seed
from tests.support.serving import client_for, fetch

pytestmark = pytest.mark.anyio

Json = dict[str, Any]
SHIPPED = "2026-11-24"
"""Label of the first release of the shipped record."""
RECORDS = {
    SHIPPED: "58e5752ebf56d1da9ba242acf7da7803faecbb4e12a08be8ac18ec6922a6de53",
    "2026-11-27": "1e83e68fb78601d1a419a4b1574212ecc93a1ec8006431f9a62eebb6d151e84e",
}
"""SHA-256 of `/v1/releases/{label}/record` of each filed release: once published, never changed."""
IMMUTABLE = "public, max-age=31536000, immutable"


@pytest.fixture(scope="module")
def corrected(tmp_path_factory: pytest.TempPathFactory) -> ReleasedSeed:
    """The shipped record with two corrections."""
    return corrected_seed(tmp_path_factory.mktemp("corrected"))


@pytest.fixture(scope="module")
async def corrected_client(corrected: ReleasedSeed) -> AsyncIterator[httpx.AsyncClient]:
    """A client of an application on the corrected record."""
    archive = corrected.path.with_name("archive.sqlite")
    async with client_for(corrected.path, archive) as opened:
        yield opened


async def get_json(client: httpx.AsyncClient, path: str) -> Any:
    """The body of a successful response."""
    response = await client.get(path)
    assert response.status_code == 200, response.text
    return response.json()


def filed(seed: Path) -> dict[str, Json]:
    """The content of each filed release by its label, the newest first."""
    paths = sorted(seed.with_name("releases").glob("*.json"), reverse=True)
    return {path.stem: json.loads(path.read_bytes()) for path in paths}


async def test_all_releases_are_listed_newest_first(
    corrected: ReleasedSeed, corrected_client: httpx.AsyncClient
) -> None:
    """Each with its date, digest, reason and counts; none is a draft."""
    page = await get_json(corrected_client, "/v1/releases")
    expected = filed(corrected.path)
    assert [release["label"] for release in page["data"]] == [*expected]
    assert page["meta"]["total"] == len(expected)
    for position, release in enumerate(reversed(page["data"]), start=1):
        seed = expected[release["id"]]
        assert release["position"] == position
        assert release["date"] == release["label"][:10]
        assert release["note"] == seed["release"]["note"]
        assert release["digest"] == hashlib.sha256(rfc8785.dumps(seed)).hexdigest()
        assert release["draft"] is False
        counts = {name: len(seed[name]) for name in release["counts"] if name != "citations"}
        assert release["counts"] == counts | {"citations": release["counts"]["citations"]}


@pytest.mark.parametrize("sort", ["position", "-position"])
async def test_releases_are_paged(corrected_client: httpx.AsyncClient, sort: str) -> None:
    """Each is on one page, in both orders, and cursors lead from one to the next."""
    url: str | None = f"/v1/releases?sort={sort}&limit=1"
    read = []
    while url:
        page = await get_json(corrected_client, url)
        read += [release["position"] for release in page["data"]]
        url = page["links"]["next"]
    assert read == sorted(read, reverse=sort.startswith("-"))
    assert len(read) == len({*read}) == page["meta"]["total"]


async def test_a_walk_ends_after_a_release(
    client: httpx.AsyncClient, corrected_client: httpx.AsyncClient
) -> None:
    """A page of the releases from before a correction leads on after it."""
    page = await get_json(client, "/v1/releases?limit=1")
    rest = await get_json(corrected_client, page["links"]["next"])
    assert [release["label"] for release in rest["data"]][-1] == SHIPPED
    assert not {SECOND_DAY, FIRST_DAY} & {release["label"] for release in rest["data"]}


async def test_releases_are_listed_in_every_format(corrected_client: httpx.AsyncClient) -> None:
    """CSV has a column for each count; NDJSON has the documents."""
    data = (await get_json(corrected_client, "/v1/releases"))["data"]
    lines = (await corrected_client.get("/v1/releases?format=ndjson")).content.splitlines()
    assert [json.loads(line) for line in lines] == data
    table = (await corrected_client.get("/v1/releases?format=csv")).text
    rows = list(csv.DictReader(table.splitlines()))
    assert [row["digest"] for row in rows] == [release["digest"] for release in data]
    assert [int(row["counts_citations"]) for row in rows] == [
        release["counts"]["citations"] for release in data
    ]


async def test_a_release_is_found_by_label_digest_and_latest(
    corrected_client: httpx.AsyncClient,
) -> None:
    """All give the same document and the same record, without a redirect."""
    latest = (await get_json(corrected_client, "/v1/releases/latest"))["data"]
    assert latest["label"] == SECOND_DAY
    assert latest["links"]["self"] == f"/v1/releases/{SECOND_DAY}"
    for path in ("", "/record"):
        bodies = {
            (await corrected_client.get(f"/v1/releases/{name}{path}")).content
            for name in ("latest", latest["label"], latest["digest"])
        }
        assert len(bodies) == 1


async def test_the_release_is_in_the_metadata(corrected_client: httpx.AsyncClient) -> None:
    """`/v1/meta` names the label, date, reason and digest; `/v1` links to the releases."""
    latest = (await get_json(corrected_client, "/v1/releases/latest"))["data"]
    meta = (await get_json(corrected_client, "/v1/meta"))["data"]
    names = {"release": "digest", "release_label": "label", "release_date": "date"}
    for name, field in {**names, "release_note": "note"}.items():
        assert meta[name] == latest[field]
    index = await get_json(corrected_client, "/v1")
    assert index["data"]["release_label"] == SECOND_DAY
    assert index["links"]["releases"] == "/v1/releases"


async def test_the_record_of_a_release_is_what_its_seed_alone_gives(
    corrected: ReleasedSeed, corrected_client: httpx.AsyncClient, tmp_path: Path
) -> None:
    """All values, citations and counts, although later releases changed and removed some."""
    shutil.copy(SEED.with_name("regions.geojson"), tmp_path)
    for label, content in filed(corrected.path).items():
        (tmp_path / "seed.json").write_text(json.dumps({**content, "retired": []}))
        async with client_for(tmp_path / "seed.json", tmp_path / f"{label}.sqlite") as alone:
            expected = (await get_json(alone, "/v1/record"))["data"]
        record = await get_json(corrected_client, f"/v1/releases/{label}/record")
        assert record["data"] == expected
        assert record["meta"]["counts"] == {name: len(items) for name, items in expected.items()}
        assert record["meta"]["modified"] == content["modified"]
        assert record["links"] == {"self": f"/v1/releases/{label}/record"}


async def test_the_latest_record_is_the_record(corrected_client: httpx.AsyncClient) -> None:
    """Lists are sorted by id, so that the order in the seed is no part of the data."""
    record = await get_json(corrected_client, "/v1/record")
    latest = await get_json(corrected_client, f"/v1/releases/{SECOND_DAY}/record")
    assert (record["data"], record["meta"]) == (latest["data"], latest["meta"])
    for documents in record["data"].values():
        ids = [document["id"] for document in documents]
        assert ids == sorted(ids)


async def test_the_record_of_a_release_is_the_same_after_two_more(
    client: httpx.AsyncClient, corrected_client: httpx.AsyncClient
) -> None:
    """It is the one that was published, and so are its entity tag and its other headers."""
    assert {path.stem for path in SEED.with_name("releases").glob("*.json")} == {*RECORDS}
    for label, digest in RECORDS.items():
        path = f"/v1/releases/{label}/record"
        before, after = await client.get(path), await corrected_client.get(path)
        assert hashlib.sha256(before.content).hexdigest() == digest
        assert after.content == before.content
        assert after.headers == before.headers


async def test_only_the_record_of_a_named_release_is_immutable(
    corrected_client: httpx.AsyncClient,
) -> None:
    """It has the release's own digest; `latest` may become another one within an hour."""
    digest = (await get_json(corrected_client, f"/v1/releases/{SHIPPED}"))["data"]["digest"]
    for name in (SHIPPED, digest):
        response = await corrected_client.get(f"/v1/releases/{name}/record")
        assert response.headers["cache-control"] == IMMUTABLE
        assert response.headers["x-data-release"] == digest
    for path in ("/v1/releases", "/v1/releases/latest/record", f"/v1/releases/{SHIPPED}"):
        response = await corrected_client.get(path)
        assert response.headers["cache-control"].startswith("public, max-age=3600, stale")


async def test_a_draft_is_not_immutable(tmp_path: Path) -> None:
    """An edited seed is listed first, as `draft`, and neither its label nor its note exist."""
    seed = ReleasedSeed(tmp_path)
    seed.put("/awards/0/summary", "A summary that was not released.")
    async with client_for(seed.write(), tmp_path / "archive.sqlite") as client:
        draft, *others = (await get_json(client, "/v1/releases"))["data"]
        assert (draft["label"], draft["draft"], draft["note"]) == ("draft", True, None)
        assert not any(release["draft"] for release in others)
        meta = (await get_json(client, "/v1/meta"))["data"]
        assert (meta["release_label"], meta["release_note"]) == ("draft", None)
        response = await client.get("/v1/releases/draft/record")
        assert "immutable" not in response.headers["cache-control"]
        assert response.json()["meta"]["release"] == draft["digest"]


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("2127-01-16", f"Did you mean {FIRST_DAY}?"),
        ("LATEST", "Did you mean latest?"),
        ("0" * 64, "No release has this label or digest."),
        ("2127-01-15.2", f"Did you mean {FIRST_DAY}?"),
    ],
)
@pytest.mark.parametrize("path", ["", "/record"])
async def test_an_unknown_release_is_not_found(
    corrected_client: httpx.AsyncClient, name: str, hint: str, path: str
) -> None:
    """The problem suggests the closest label and says where all are."""
    problem = assert_problem(await corrected_client.get(f"/v1/releases/{name}{path}"), 404)
    assert hint in problem["detail"]
    assert problem["detail"].endswith("See /v1/releases for all.")


async def test_a_release_has_no_parameters(corrected_client: httpx.AsyncClient) -> None:
    """Parameters of the single release and of its record are rejected."""
    for path in ("latest", "latest/record"):
        assert_problem(await corrected_client.get(f"/v1/releases/{path}?limit=1"), 422)


@pytest.mark.server
def test_every_worker_and_restart_gives_the_same_record(
    start_server: Start, corrected: ReleasedSeed, tmp_path: Path
) -> None:
    """Each worker of two servers, of which one compiled the releases itself."""
    bodies = set()
    for number in range(2):
        archive = tmp_path / f"{number}.sqlite"
        url, process = start_server(
            SEED_FILE=str(corrected.path), ARCHIVE_FILE=str(archive), WORKERS="2"
        )
        for _ in range(8):  # connections are distributed to the workers
            for label in (SHIPPED, FIRST_DAY, SECOND_DAY):
                response = fetch(f"{url}/v1/releases/{label}/record")
                bodies.add((label, response.headers["etag"], response.content))
        process.terminate()
        process.wait(timeout=60)
    assert len(bodies) == 3
