"""Reads a published mirror back and compares every object with the index of its snapshot."""

from __future__ import annotations

import hashlib
from pathlib import Path
from tempfile import TemporaryDirectory

from app.archive.archive import ArchiveError, ProgressCallback
from app.mirror.check import check_release
from app.models.notation import count_noun
from app.publish.current import base_name, read_current
from app.publish.parallel import for_each
from app.publish.snapshot import (
    DIGEST_CHARACTERS,
    INDEX,
    MIRROR,
    OWN_FILES,
    SNAPSHOTS,
    SnapshotObject,
    differing_headers,
    parse_index_line,
)
from app.publish.store import PublishError, Store, open_store
from app.seed.errors import Issue
from app.seed.report import Check
from app.settings import Settings

_OBJECTS_CHECK = "The published objects match their index"
_PARALLEL = 16


async def check_published(settings: Settings, url: str, progress: ProgressCallback) -> list[Check]:
    """Check the snapshot that is served, then compare it with what the application returns now.

    Raises:
        SeedError: The seed is invalid.
        ArchiveError: The store cannot be read, or as `check_mirror`.
    """
    try:
        store = open_store(url)
        with TemporaryDirectory() as temporary:
            check = await check_store(store, Path(temporary), progress)
            if check.issues:
                return [check]
            return [check, await check_release(settings, Path(temporary), progress)]
    except PublishError as error:
        raise ArchiveError(str(error)) from error


async def check_store(
    store: Store, folder: Path, progress: ProgressCallback = lambda *_: None
) -> Check:
    """Read every object of the snapshot in place; the mirror's own files are kept in a folder.

    Raises:
        PublishError: The store cannot be read, or nothing was published there.
    """
    current = await read_current(store)
    if current is None:
        raise PublishError(f"Nothing was published to {store.url}.")
    snapshot = current[0].snapshot
    base = f"{SNAPSHOTS}/{snapshot}"
    index = await store.read(f"{base}/{INDEX}")
    lines = b"" if index is None else b"".join([chunk async for chunk in index.chunks])
    digest = hashlib.sha256(lines).hexdigest()[:DIGEST_CHARACTERS]
    if not base_name(snapshot).endswith(f"-{digest}"):
        issue = Issue(f"{base}/{INDEX}", "other content" if lines else "nothing", "the index")
        return Check(_OBJECTS_CHECK, snapshot, [issue])
    stored = [parse_index_line(line) for line in lines.splitlines()]
    issues: list[Issue] = []

    async def check(item: SnapshotObject) -> None:
        issues.extend(await _check_object(store, base, item, folder))

    await for_each(stored, check, _PARALLEL, lambda done: progress(done, len(stored)))
    names = {f"{base}/{item.name}" for item in stored} | {f"{base}/{INDEX}"}
    issues += [
        Issue(listed.key, "an object", "none: it is not in the index")
        async for listed in store.list_objects(base)
        if listed.key not in names
    ]
    summary = f"{snapshot}, {count_noun(len(stored), 'object')}"
    return Check(_OBJECTS_CHECK, summary, sorted(issues, key=str))


async def _check_object(
    store: Store, base: str, stored: SnapshotObject, folder: Path
) -> list[Issue]:
    key = f"{base}/{stored.name}"
    found = await store.read(key)
    if found is None:
        return [Issue(key, "nothing", "an object")]
    digest, path = hashlib.sha256(), _own_file(stored, folder)
    with path.open("wb") as file:
        async for chunk in found.chunks:
            digest.update(chunk)
            file.write(chunk)
    if digest.hexdigest() != stored.sha256:
        return [Issue(key, "different content", f"SHA-256 {stored.sha256}")]
    if store.keeps_headers and (wrong := differing_headers(found.headers, stored)):
        return [Issue(key, f"other headers: {', '.join(wrong)}", "those of the index")]
    return []


def _own_file(stored: SnapshotObject, folder: Path) -> Path:
    """Where to keep the content of an object that the comparison with the record needs."""
    if stored.name.removeprefix(f"{MIRROR}/") not in OWN_FILES:
        return Path("/dev/null")
    path = folder / stored.file
    path.parent.mkdir(parents=True, exist_ok=True)
    return path
