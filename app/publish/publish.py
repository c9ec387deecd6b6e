"""Publishes a snapshot: uploads what is missing, puts it in place, removes what nothing needs."""

from __future__ import annotations

import hashlib
import json
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from app.archive.archive import ProgressCallback
from app.mirror.rules import PROBLEMS
from app.publish.current import (
    Current,
    find_version,
    first,
    has_conditional_writes,
    read_current,
    write_current,
)
from app.publish.parallel import for_each
from app.publish.snapshot import (
    INDEX,
    SNAPSHOTS,
    Snapshot,
    SnapshotObject,
    changed,
    differing_headers,
    stored_headers,
)
from app.publish.store import ListedObject, PublishError, Store
from app.responses.problems import MEDIA_TYPE

_MAX_BUFFERED_BYTES = 8 * 1024 * 1024
"""Size up to which a file is read at once; larger ones are sent in parts."""
_CHUNK_BYTES = 1024 * 1024
_ABANDONED_AFTER = timedelta(days=1)
"""Age of an upload that nobody completed, from which it is removed."""
_CLOUDFRONT_SUFFIX = ".cloudfront.json"
_NO_CONDITIONAL_WRITES = (
    "{} ignores conditional writes (If-Match, If-None-Match), so that two runs of `publish` could "
    "undo each other. Make sure that there is only one at a time, and use --only-publisher."
)
_ERROR_PAGES = {
    "errors/not-found.json": "not_found",
    "errors/range-not-satisfiable.json": "range_not_satisfiable",
}
"""Problem documents that CloudFront can be told to send, by key."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run has to do.

    Attributes:
        snapshot: The snapshot to be published.
        before: The state of the bucket, and its version; None if nothing was published there.
        after: The state of the bucket when the snapshot is in place.
        listed: Objects of the snapshot that are already in the bucket, by name.
    """

    snapshot: Snapshot
    before: tuple[Current, Mapping[str, str]] | None
    after: Current
    listed: Mapping[str, ListedObject]

    @property
    def missing(self) -> Iterator[SnapshotObject]:
        """Objects that are not in the bucket, or have another size there."""
        for stored in self.snapshot:
            listed = self.listed.get(stored.name)
            if listed is None or listed.bytes != stored.bytes:
                yield stored

    @property
    def changes_nothing(self) -> bool:
        """Whether the bucket is to stay as it is, once all objects are there."""
        if self.before is None or self.after.removing:
            return False
        current = self.before[0]
        return replace(self.after, published=current.published) == current


@dataclass(slots=True)
class Uploads:
    """What was uploaded.

    Attributes:
        objects: Number of objects.
        bytes: Their total size.
    """

    objects: int = 0
    bytes: int = 0


async def make_plan(store: Store, snapshot: Snapshot, keep: int) -> Plan:
    """Find out what is in the bucket, and what is to be done. Nothing is written.

    Raises:
        PublishError: The bucket cannot be read.
    """
    before = await read_current(store)
    if before is None:
        after = first(snapshot)
    else:
        snapshot = replace(snapshot, name=before[0].name_for(snapshot.name))
        after = before[0].followed_by(snapshot, keep)
    known = {after.snapshot, *after.previous, *after.removing}
    abandoned = [name async for name in _abandoned(store, known)]
    after = replace(after, removing=(*after.removing, *abandoned))
    folder = f"{SNAPSHOTS}/{snapshot.name}"
    listed = {item.key[len(folder) + 1 :]: item async for item in store.list_objects(folder)}
    return Plan(snapshot, before, after, listed)


async def _abandoned(store: Store, known: set[str]) -> AsyncIterator[str]:
    """Snapshots that were never put in place, and to which nothing was added for a day."""
    latest_time = datetime.now(UTC) - _ABANDONED_AFTER
    for name in await store.folders(SNAPSHOTS):
        if name not in known:
            times = [item.modified async for item in store.list_objects(f"{SNAPSHOTS}/{name}")]
            if max(times, default=latest_time) <= latest_time:
                yield name


async def carry_out(
    store: Store, plan: Plan, progress: ProgressCallback, *, parallel: int, conditional: bool
) -> Uploads:
    """Upload the objects, put the snapshot in place, then remove others.

    Raises:
        PublishError: The store fails or has no conditional writes, a file of the mirror was
            changed, or another run has put a snapshot in place meanwhile.
    """
    if conditional and not await has_conditional_writes(store):
        raise PublishError(_NO_CONDITIONAL_WRITES.format(store.url))
    uploads = await _upload_all(store, plan, progress, parallel)
    await _write_index(store, plan.snapshot)
    if plan.changes_nothing:
        return uploads
    version = plan.before[1] if plan.before else None
    in_place = await write_current(store, plan.after, version, conditional=conditional)
    if in_place is None:
        # a write that was sent again, as its response was lost, meets its own result
        in_place = await find_version(store, plan.after)
    if in_place is None:
        raise PublishError(
            f"Another run has put a snapshot in place in {store.url} meanwhile, and this one did "
            f"not. Run the command again to put {plan.snapshot.name} in place after it."
        )
    await remove_snapshots(store, plan.after.removing)
    if plan.after.removing:
        # without effect if another run was faster: it has removed the same
        done = plan.after.with_removed()
        await write_current(store, done, in_place, conditional=conditional)
    return uploads


async def _upload_all(
    store: Store, plan: Plan, progress: ProgressCallback, parallel: int
) -> Uploads:
    """Upload missing and different objects, some at a time; the first error stops all."""
    uploads, total = Uploads(), plan.snapshot.objects

    async def upload(stored: SnapshotObject) -> None:
        if await _upload(store, plan, stored):
            uploads.objects += 1
            uploads.bytes += stored.bytes

    await for_each(plan.snapshot, upload, parallel, lambda done: progress(done, total))
    return uploads


async def _upload(store: Store, plan: Plan, stored: SnapshotObject) -> bool:
    """Upload an object unless it is there; whether it was uploaded."""
    key = f"{SNAPSHOTS}/{plan.snapshot.name}/{stored.name}"
    headers = stored_headers(stored)
    path = plan.snapshot.path(stored)
    listed = plan.listed.get(stored.name)
    if listed and listed.bytes == stored.bytes and await _is_there(store, key, stored):
        return False
    if stored.compressed or stored.bytes <= _MAX_BUFFERED_BYTES:
        await store.write(key, plan.snapshot.read(stored), headers)
    else:
        await store.write(key, _checked_chunks(path, stored), headers)
    return True


async def _is_there(store: Store, key: str, stored: SnapshotObject) -> bool:
    """Whether an object has these headers, with its digest, or else this content."""
    found = await store.read(key, headers_only=store.keeps_headers)
    if found is None:
        return False
    if store.keeps_headers:
        return not differing_headers(found.headers, stored)
    digest = hashlib.sha256()
    async for chunk in found.chunks:
        digest.update(chunk)
    return digest.hexdigest() == stored.sha256


def _checked_chunks(path: Path, stored: SnapshotObject) -> Iterator[bytes]:
    """Chunks of a file; the last is withheld, and so the object, if the content is another."""
    digest, last = hashlib.sha256(), b""
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            digest.update(chunk)
            if last:
                yield last
            last = chunk
    if digest.hexdigest() != stored.sha256:
        raise changed(stored.file)
    yield last


async def _write_index(store: Store, snapshot: Snapshot) -> None:
    """Write what describes a snapshot, when all its objects are there."""
    name = f"{SNAPSHOTS}/{snapshot.name}"
    json_headers = {"content-type": "application/json", "cache-control": "no-cache"}
    for key, problem in _ERROR_PAGES.items():
        document = json.loads(PROBLEMS[problem])
        del document["instance"]
        headers = {"content-type": MEDIA_TYPE, "cache-control": "no-store"}
        await store.write(key, json.dumps(document).encode(), headers)
    keys = json.dumps(_cloudfront_keys(snapshot), indent=1).encode() + b"\n"
    await store.write(f"{name}{_CLOUDFRONT_SUFFIX}", keys, json_headers)
    index_headers = {**json_headers, "content-type": "application/x-ndjson"}
    await store.write(f"{name}/{INDEX}", (snapshot.work / INDEX).read_bytes(), index_headers)


def _cloudfront_keys(snapshot: Snapshot) -> Sequence[Mapping[str, str]]:
    """The keys of CloudFront's key value store, as `update-keys --puts` takes them."""
    current = json.dumps({"snapshot": snapshot.name, "release": snapshot.release})
    values = {"current": current, **snapshot.gone}
    return [{"Key": key, "Value": value} for key, value in values.items()]


async def remove_snapshots(store: Store, names: Iterable[str]) -> None:
    """Delete all objects of snapshots; their indexes first, so that no rest looks complete."""
    for name in names:
        folder = f"{SNAPSHOTS}/{name}"
        await store.delete([f"{folder}/{INDEX}", f"{folder}{_CLOUDFRONT_SUFFIX}"])
        await store.delete([item.key async for item in store.list_objects(folder)])
