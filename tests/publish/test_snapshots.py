"""Snapshots: their objects and names, and what happens to them in a bucket."""

from __future__ import annotations

import gzip
import json
import os
import shutil
import tarfile
from datetime import timedelta
from pathlib import Path
from typing import Any

import brotli
import pytest

from app.publish import publish
from app.publish.current import read_current, write_current
from app.publish.publish import Plan, carry_out, make_plan
from app.publish.snapshot import Snapshot, check_names, prepare_snapshot
from app.publish.store import PublishError, Store, open_store
from app.publish.verify import check_store
from tests.publish.conftest import Prepare
from tests.support.small_mirror import renew_digests, write_small_mirror

pytestmark = pytest.mark.anyio


async def publish_to(store: Store, snapshot: Snapshot, keep: int = 1) -> publish.Uploads:
    """Publish a snapshot as the command does."""
    return await run(store, await make_plan(store, snapshot, keep))


async def run(store: Store, plan: Plan) -> publish.Uploads:
    """Carry out a plan."""
    return await carry_out(store, plan, lambda *_: None, parallel=4, conditional=True)


async def kill_before_removal(
    store: Store, snapshot: Snapshot, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Publish a snapshot, in a run that ends when it should remove the others."""

    async def killed(*_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(publish, "remove_snapshots", killed)
        with pytest.raises(KeyboardInterrupt):
            await publish_to(store, snapshot, keep=0)


async def content(store: Store, key: str) -> bytes:
    """Content of an object, which must exist."""
    found = await store.read(key)
    assert found is not None, key
    return b"".join([chunk async for chunk in found.chunks])


async def keys(store: Store, folder: str = "") -> set[str]:
    """Every key in a folder."""
    return {item.key async for item in store.list_objects(folder)}


def test_every_address_has_an_object_in_each_coding(prepare: Prepare) -> None:
    """Identity, gzip and Brotli, of small bodies too; exports have one, the gone a document."""
    snapshot = prepare()
    objects = {stored.name: stored for stored in snapshot}
    names = {name for name in objects if name.startswith("site/")}
    paths = ("index", "v1", "v1/awards", "v1/awards/one")
    codings = ("identity", "gzip", "br")
    coded = {f"site/{path}.{coding}" for path in paths for coding in codings}
    assert names == coded | {"site/v1/exports/awards.csv", "site/v1/awards/gone.gone"}
    for path in paths:
        body = snapshot.read(objects[f"site/{path}.identity"])
        assert gzip.decompress(snapshot.read(objects[f"site/{path}.gzip"])) == body
        assert brotli.decompress(snapshot.read(objects[f"site/{path}.br"])) == body
        for coding in codings[1:]:
            assert objects[f"site/{path}.{coding}"].headers["content-encoding"] == coding


def test_the_tar_is_the_mirror(prepare: Prepare, tmp_path: Path) -> None:
    """Unpacked, it has the same files, and gives the same snapshot; others are left out."""
    snapshot = prepare()
    (snapshot.mirror / "notes.txt").write_text("mine")
    with tarfile.open(snapshot.work / "mirror.tar") as tar:
        tar.extractall(tmp_path / "unpacked", filter="data")
    (tmp_path / "again").mkdir()
    again = prepare_snapshot(tmp_path / "unpacked" / "mirror", tmp_path / "again")
    assert again.name == snapshot.name
    assert not (tmp_path / "unpacked" / "mirror" / "notes.txt").exists()


def test_the_name_depends_on_the_content_alone(prepare: Prepare, tmp_path: Path) -> None:
    """The same mirror has the same name, even if a copy lost its times; another has another."""
    snapshot, other = prepare(), prepare("2")
    copy = tmp_path / "copy"
    shutil.copytree(snapshot.mirror, copy / "mirror")
    for path in filter(Path.is_file, copy.rglob("*")):
        os.utime(path, (0, 0))
    (copy / "work").mkdir()
    assert prepare_snapshot(copy / "mirror", copy / "work").name == snapshot.name
    assert snapshot.name != other.name
    assert snapshot.name.startswith("2026-01-01-")


@pytest.mark.parametrize(
    "names",
    [{"v1", "v1/awards"}, {"v1/"}, {"a//b"}, {"/a"}],
    ids=["folder", "slash", "empty", "root"],
)
def test_keys_that_copying_tools_lose_are_refused(names: set[str]) -> None:
    """No key is a folder of another, ends in a slash or has an empty name."""
    with pytest.raises(PublishError, match="cannot be an object"):
        check_names(names, len(names))
    with pytest.raises(PublishError, match="same object"):
        check_names({"a"}, 2)


def test_an_address_like_an_object_of_another_is_refused(prepare: Prepare) -> None:
    """`/index` would be the object of `/`, and `/v1.identity/x` in the folder of one."""
    with pytest.raises(PublishError, match="same object"):
        prepare(**{"/index": "x"})
    with pytest.raises(PublishError, match="cannot be an object"):
        prepare(**{"/v1.identity/x": "x"})


@pytest.mark.parametrize(
    "file", ["files/v1.json", "files/v1/awards.json.gz", "files/gone/v1/awards/gone.json",
             "manifest.ndjson", "headers.json", "cdn/nginx.conf"]
)  # fmt: skip
def test_a_file_that_was_changed_is_named(tmp_path: Path, file: str) -> None:
    """Nothing is published of a mirror that is not as `freeze` wrote it."""
    mirror = write_small_mirror(tmp_path / "mirror")
    (mirror / file).write_bytes((mirror / file).read_bytes() + b" ")
    with pytest.raises(PublishError, match=f"{file} of the mirror was changed"):
        prepare_snapshot(mirror, tmp_path)
    (mirror / file).unlink()
    (tmp_path / "work").mkdir()
    with pytest.raises(PublishError, match=f"{file} of the mirror was changed"):
        prepare_snapshot(mirror, tmp_path / "work")


async def test_a_file_that_changes_meanwhile_is_not_uploaded(
    store: Store, prepare: Prepare, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Small and large files are digested again while they are sent; nothing is put in place."""
    monkeypatch.setattr(publish, "_MAX_BUFFERED_BYTES", 3_000)
    for path in ("/v1/exports/small.csv", "/v1/exports/large.csv"):
        body = "x" * (10 if "small" in path else 4_000)
        snapshot = prepare(**{path: body})
        (snapshot.mirror / "files" / path[1:]).write_text(body[:-1] + "y")
        with pytest.raises(PublishError, match="was changed"):
            await publish_to(store, snapshot)
        assert await read_current(store) is None
        assert f"snapshots/{snapshot.name}/site{path}" not in await keys(store)


def test_a_directory_that_is_no_mirror_is_refused(tmp_path: Path) -> None:
    """Also one that was written by an older version, without headers."""
    with pytest.raises(PublishError, match="is not a mirror"):
        prepare_snapshot(tmp_path, tmp_path)
    mirror = write_small_mirror(tmp_path / "mirror")
    summary = json.loads((mirror / "mirror.json").read_text())
    del summary["sha256"]["headers.json"]
    (mirror / "mirror.json").write_text(json.dumps(summary))
    with pytest.raises(PublishError, match="cpc-record freeze"):
        prepare_snapshot(mirror, tmp_path)


def test_headers_that_are_too_large_for_a_store_are_named(tmp_path: Path) -> None:
    """S3 keeps 2 KB of metadata."""
    mirror = write_small_mirror(tmp_path / "mirror")
    headers = json.loads((mirror / "headers.json").read_text())
    headers["pages"]["/"]["link"] = "x" * 1_900
    (mirror / "headers.json").write_text(json.dumps(headers))
    renew_digests(mirror)
    with pytest.raises(PublishError, match=r"index\.identity have 2,[0-9]+ bytes.*link"):
        prepare_snapshot(mirror, tmp_path)


async def test_a_write_whose_response_was_lost_is_found(
    store: Store, prepare: Prepare, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sent again, it meets its own result, which is not that of another run."""
    one, two = prepare("1"), prepare("2")
    await publish_to(store, one)
    plan = await make_plan(store, two, 0)

    async def write_twice(*arguments: Any, **options: Any) -> Any:
        await write_current(*arguments, **options)
        return await write_current(*arguments, **options)

    monkeypatch.setattr(publish, "write_current", write_twice)
    await run(store, plan)
    assert await store.folders("snapshots") == [two.name]


async def test_what_is_published_is_read_back(store: Store, prepare: Prepare) -> None:
    """Content, headers and metadata of every object, and the state that names the snapshot."""
    snapshot = prepare()
    uploads = await publish_to(store, snapshot)
    assert (uploads.objects, uploads.bytes) == (snapshot.objects, snapshot.total_bytes)
    found = await store.read(f"snapshots/{snapshot.name}/site/v1/awards.gzip")
    assert found is not None
    body = await content(store, f"snapshots/{snapshot.name}/site/v1/awards.gzip")
    assert json.loads(gzip.decompress(body))["release"] == "1"
    assert found.headers["content-type"] == "application/json"
    assert found.headers["content-encoding"] == "gzip"
    assert found.headers["cache-control"] == "max-age=60"
    assert found.headers["xdatarelease"] == snapshot.release
    assert len(found.headers["sha256"]) == 64
    state = await store.read("current.json", headers_only=True)
    assert state is not None
    assert state.headers["snapshot"] == snapshot.name
    assert state.headers["cache-control"] == "no-cache"
    assert not (await check_store(store, snapshot.work)).issues
    put = json.loads(await content(store, f"snapshots/{snapshot.name}.cloudfront.json"))
    values = {item["Key"]: item["Value"] for item in put}
    assert json.loads(values["current"])["snapshot"] == snapshot.name
    assert json.loads(values["/v1/awards/gone"])["status"] == 410


async def test_a_second_run_uploads_what_is_missing_or_different(
    store: Store, prepare: Prepare
) -> None:
    """Also an object of the same size with other content; an unchanged bucket stays as it is."""
    snapshot = prepare()
    await publish_to(store, snapshot)
    before = await content(store, "current.json")
    assert (await publish_to(store, snapshot)).objects == 0
    assert await content(store, "current.json") == before
    base = f"snapshots/{snapshot.name}/site"
    await store.delete([f"{base}/v1.identity"])
    await store.write(f"{base}/v1.gzip", b"other", {})
    size = len(await content(store, f"{base}/v1.br"))
    await store.write(f"{base}/v1.br", b"x" * size, {"sha256": "0" * 64})
    body = await content(store, f"{base}/v1/awards.br")
    await store.write(f"{base}/v1/awards.br", body, {"content-type": "text/html"})
    assert (await publish_to(store, snapshot)).objects == 4
    assert not (await check_store(store, snapshot.work)).issues


@pytest.mark.parametrize("damage", ["missing", "changed", "header", "extra", "index"])
async def test_damage_is_found(store: Store, prepare: Prepare, damage: str) -> None:
    """An object that is missing, changed, has another header or is not in the index."""
    snapshot = prepare()
    await publish_to(store, snapshot)
    base = f"snapshots/{snapshot.name}"
    key = f"{base}/site/v1.identity"
    match damage:
        case "missing":
            await store.delete([key])
        case "changed":
            await store.write(key, b"{}", {})
        case "header":
            await store.write(key, await content(store, key), {"content-type": "text/html"})
        case "extra":
            key = f"{base}/site/v2.identity"
            await store.write(key, b"{}", {})
        case "index":
            key = f"{base}/objects.ndjson"
            await store.write(key, b"{}\n", {})
    [issue] = (await check_store(store, snapshot.work)).issues
    assert issue.pointer == key


async def test_previous_snapshots_are_kept_and_others_removed(
    store: Store, prepare: Prepare
) -> None:
    """The number to keep counts those that were in place; an old one can be put in place again."""
    one, two, three = prepare("1"), prepare("2"), prepare("3")
    for snapshot in (one, two, three):
        await publish_to(store, snapshot)
    assert await store.folders("snapshots") == sorted([two.name, three.name])
    assert not [key for key in await keys(store) if one.name in key]
    assert (await publish_to(store, two)).objects == 0
    state = await read_current(store)
    assert state is not None
    assert (state[0].snapshot, state[0].previous) == (two.name, (three.name,))
    await publish_to(store, two, keep=0)
    assert await store.folders("snapshots") == [two.name]


async def test_two_runs_at_once_do_not_mix(store: Store, prepare: Prepare) -> None:
    """The one that is later is told so; what the other put in place stays."""
    one, two = prepare("1"), prepare("2")
    plans = [await make_plan(store, snapshot, 0) for snapshot in (one, two)]
    await run(store, plans[0])
    with pytest.raises(PublishError, match="Another run"):
        await run(store, plans[1])
    state = await read_current(store)
    assert state is not None
    assert state[0].snapshot == one.name
    assert not (await check_store(store, one.work)).issues
    assert (await publish_to(store, two, keep=0)).objects == 0
    assert await store.folders("snapshots") == [two.name]


async def test_a_removed_snapshot_gets_another_name(
    store: Store, prepare: Prepare, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run that was not killed may still be deleting its objects, however late."""
    one, two = prepare("1"), prepare("2")
    await publish_to(store, one)
    await kill_before_removal(store, two, monkeypatch)
    for name in (f"{one.name}_2", f"{two.name}_2", f"{one.name}_3"):
        assert (await publish_to(store, one if "01-01" in name else two, keep=0)).objects
        assert await store.folders("snapshots") == [name]
        assert not (await check_store(store, one.work)).issues
    assert (await publish_to(store, one, keep=0)).objects == 0


async def test_the_next_run_completes_a_removal(
    store: Store, prepare: Prepare, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a killed run was to remove is removed."""
    one, two = prepare("1"), prepare("2")
    await publish_to(store, one)
    await kill_before_removal(store, two, monkeypatch)
    await publish_to(store, two, keep=0)
    assert await store.folders("snapshots") == [two.name]
    state = await read_current(store)
    assert state is not None
    assert (state[0].removing, state[0].removed) == ((), (one.name,))


async def test_uploads_that_nobody_completed_are_removed_after_a_day(
    store: Store, prepare: Prepare, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run that is still uploading is left alone."""
    one = prepare("1")
    await store.write("snapshots/2026-01-09-abandoned/site/v1.identity", b"{}", {})
    await publish_to(store, one)
    assert len(await store.folders("snapshots")) == 2
    monkeypatch.setattr(publish, "_ABANDONED_AFTER", timedelta(seconds=-1))
    await publish_to(store, one)
    assert await store.folders("snapshots") == [one.name]


async def test_a_foreign_object_in_the_place_of_the_state_is_not_replaced(
    store: Store, prepare: Prepare
) -> None:
    """A bucket with other content has to be told apart."""
    for body in (b"not JSON", b"[]", b'{"snapshot": 1}'):
        await store.write("current.json", body, {})
        with pytest.raises(PublishError, match="was not written by this version"):
            await make_plan(store, prepare(), 0)


async def test_a_directory_needs_the_word_of_the_operator(tmp_path: Path, prepare: Prepare) -> None:
    """Directories have no conditional writes and no headers; content is read back all the same."""
    store, snapshot = open_store((tmp_path / "bucket").as_uri()), prepare()
    plan = await make_plan(store, snapshot, 0)
    with pytest.raises(PublishError, match="--only-publisher"):
        await run(store, plan)
    assert await read_current(store) is None
    await carry_out(store, plan, lambda *_: None, parallel=2, conditional=False)
    assert not (await check_store(store, snapshot.work)).issues
    again = await make_plan(store, snapshot, 0)
    uploads = await carry_out(store, again, lambda *_: None, parallel=2, conditional=False)
    assert uploads.objects == 0
    assert not list((tmp_path / "bucket" / "probes").iterdir())


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("s3://", "names no bucket"),
        ("https://example.org/bucket", "is not a URL such as s3://BUCKET/PREFIX"),
        ("s3://bucket/a?versionId=1", "is not a URL such as"),
        ("s3://bucket/a//b", "empty name"),
        ("az://container/prefix", "AZURE_STORAGE_ACCOUNT_NAME"),
        ("bucket/prefix", "is not a URL such as"),
    ],
)
def test_wrong_targets_are_explained(url: str, message: str) -> None:
    """Before anything is read or sent."""
    with pytest.raises(PublishError, match=message):
        open_store(url)
