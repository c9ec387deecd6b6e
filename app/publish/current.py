"""Which snapshot of a bucket is served: one small object, which is only replaced conditionally."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import chain, count
from secrets import token_hex

from app.mirror.cdn import RELEASE_HEADER, metadata_name
from app.publish.snapshot import Snapshot
from app.publish.store import PublishError, Store

CURRENT = "current.json"
_PROBES = "probes"
_NUMBER_SEPARATOR = "_"
_TUPLES = ("previous", "removing", "removed")
_PROBE_HEADERS = {"content-type": "text/plain"}
_PROBE_TIMEOUT = timedelta(hours=1)
"""Age of a probe from which the run that wrote it must have been killed."""


@dataclass(frozen=True, slots=True)
class Current:
    """Which snapshot is served, and which others there are.

    Attributes:
        snapshot: Name of the snapshot that is served.
        release: Digest of its release.
        label: Label of its release.
        published: When it was put in place (ISO 8601).
        previous: Snapshots that were served before and are kept, the latest first.
        removing: Snapshots that are being removed.
        removed: Snapshots that were removed, whose names are never used again.
    """

    snapshot: str
    release: str
    label: str
    published: str
    previous: tuple[str, ...] = ()
    removing: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()

    def name_for(self, name: str) -> str:
        """The name under which a snapshot is, or can be, in the bucket.

        If it was removed, it gets a number: another run may still be deleting the objects.
        """
        present = [each for each in (self.snapshot, *self.previous) if base_name(each) == name]
        numbered = (f"{name}{_NUMBER_SEPARATOR}{number}" for number in count(2))
        unused = (each for each in chain([name], numbered) if each not in self._past)
        return present[0] if present else next(unused)

    @property
    def _past(self) -> tuple[str, ...]:
        return (*self.removing, *self.removed)

    def with_removed(self) -> Current:
        """The state after all snapshots that are being removed are gone."""
        return replace(self, removing=(), removed=self._past)

    def content(self) -> bytes:
        """The content of the object."""
        return json.dumps(asdict(self), indent=1).encode() + b"\n"

    def headers(self) -> Mapping[str, str]:
        """Headers of the object; web servers read the snapshot from its metadata."""
        return {
            "content-type": "application/json",
            "cache-control": "no-cache",
            "snapshot": self.snapshot,
            metadata_name(RELEASE_HEADER): self.release,
        }

    def followed_by(self, snapshot: Snapshot, keep: int) -> Current:
        """The state after a snapshot is put in place, with as many previous ones."""
        earlier = dict.fromkeys((self.snapshot, *self.previous))
        earlier.pop(snapshot.name, None)
        kept, dropped = tuple(earlier)[:keep], tuple(earlier)[keep:]
        # what an earlier run was to remove is removed now
        removing = (*dropped, *self.removing)
        return replace(first(snapshot), previous=kept, removing=removing, removed=self.removed)


def base_name(name: str) -> str:
    """The name of a snapshot without a number."""
    return name.partition(_NUMBER_SEPARATOR)[0]


def first(snapshot: Snapshot) -> Current:
    """The state of a bucket after its first snapshot is put in place."""
    now = datetime.now(UTC).isoformat(timespec="seconds")
    return Current(snapshot.name, snapshot.release, snapshot.label, now)


async def read_current(store: Store) -> tuple[Current, Mapping[str, str]] | None:
    """The state of a bucket and its version, or None if nothing was published there.

    Raises:
        PublishError: The object is not one that `publish` wrote.
    """
    found = await store.read(CURRENT)
    if found is None:
        return None
    try:
        document = json.loads(b"".join([chunk async for chunk in found.chunks]))
        names = {name: tuple(document[name]) for name in _TUPLES}
        return Current(**{**document, **names}), found.version
    except (ValueError, TypeError, KeyError) as error:
        raise PublishError(
            f"{store.url}/{CURRENT} was not written by this version of `cpc-record publish`. Name "
            "a bucket or a prefix of its own."
        ) from error


async def write_current(
    store: Store, current: Current, version: Mapping[str, str] | None, *, conditional: bool
) -> Mapping[str, str] | None:
    """Put a state in place, if it is still the one with a version; its version, or None.

    Args:
        store: The store.
        current: The new state.
        version: Version of the state that it follows; None if there was none.
        conditional: Whether the store evaluates conditions; without, the write always succeeds.
    """
    content, headers = current.content(), current.headers()
    if not conditional:
        await store.write(CURRENT, content, headers)
        return {}
    if version is None:
        return await store.create(CURRENT, content, headers)
    return await store.replace(CURRENT, content, headers, version)


async def find_version(store: Store, current: Current) -> Mapping[str, str] | None:
    """The version of a state if it is in place."""
    found = await read_current(store)
    return found[1] if found and found[0] == current else None


async def has_conditional_writes(store: Store) -> bool:
    """Whether the store refuses to replace an object that exists, or was changed meanwhile.

    A store that does not know such conditions ignores them and reports success, so it is tried.
    """
    key = f"{_PROBES}/{token_hex(8)}"
    oldest = datetime.now(UTC) - _PROBE_TIMEOUT
    listed = [item async for item in store.list_objects(_PROBES)]
    await store.delete(item.key for item in listed if item.modified < oldest)
    try:
        return await _probe(store, key)
    except PublishError as error:
        if isinstance(error.__cause__, NotImplementedError):
            return False
        raise
    finally:
        await store.delete([key])


async def _probe(store: Store, key: str) -> bool:
    created = await store.create(key, b"1", _PROBE_HEADERS)
    if created is None or await store.create(key, b"2", _PROBE_HEADERS) is not None:
        return False
    replaced = await store.replace(key, b"3", _PROBE_HEADERS, created)
    return replaced is not None and (
        await store.replace(key, b"4", _PROBE_HEADERS, created) is None
    )
