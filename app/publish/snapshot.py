"""A snapshot: the objects in which a mirror is published, none of which ever changes.

It is named by the release and a digest of its index, which lists each object with size, digest and
headers. So the same mirror always gives the same snapshot, and another mirror gives another one.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import tarfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from http import HTTPStatus
from mimetypes import guess_type
from pathlib import Path
from typing import Any

import brotli

from app.exports.files import digest_file
from app.mirror.bag import PAYLOAD, is_bag
from app.mirror.cdn import (
    GONE_SUFFIX,
    HEADERS,
    IDENTITY,
    PUBLISHED_CODINGS,
    RELEASE_HEADER,
    STORED_HEADERS,
    metadata_name,
    object_name,
)
from app.mirror.check import check_own_files
from app.mirror.configuration import CONFIGURATION_FILES
from app.mirror.entries import (
    FILES,
    MANIFEST,
    SUMMARY,
    Entry,
    MirrorFile,
    mtime_from_digest,
    parse_manifest_line,
)
from app.mirror.packaging import ADDITIONS
from app.mirror.rules import RANGES_PREFIX
from app.publish.store import PublishError

SNAPSHOTS = "snapshots"
INDEX = "objects.ndjson"
SITE, MIRROR = "site", "mirror"
"""Folders of a snapshot: objects that are served, and the mirror's other files."""
TAR = "mirror.tar"
DIGEST = "sha256"
"""Name of the metadata with the SHA-256 of an object."""
OWN_FILES = (SUMMARY, MANIFEST, *CONFIGURATION_FILES)
"""Files of a mirror, besides those that are served, that are objects of their own."""
DIGEST_CHARACTERS = 12
"""Length of the part of the index's digest that is in a snapshot's name."""
_METADATA_PREFIX = "x-amz-meta-"
_MAX_METADATA_BYTES = 2_048
"""Of an object in S3; other stores keep more."""
_GZIP_LEVEL, _BROTLI_QUALITY = 9, 11
_COMPRESS: Mapping[str, Callable[[bytes], bytes]] = {
    "gzip": lambda body: gzip.compress(body, _GZIP_LEVEL, mtime=0),
    "br": lambda body: brotli.compress(body, quality=_BROTLI_QUALITY),
}
_ADVICE = "Write the mirror again with `cpc-record freeze`."


@dataclass(frozen=True, slots=True)
class SnapshotObject:
    """An object of a snapshot.

    Attributes:
        name: Its key below that of the snapshot.
        bytes: Size of its content.
        sha256: SHA-256 of its content, hexadecimal.
        headers: Headers of the response that serves it, without those of all responses.
        file: The file of the mirror that it is made from.
        compressed: Content coding in which the file is stored, if the mirror has no file in it.
    """

    name: str
    bytes: int
    sha256: str
    headers: Mapping[str, str]
    file: str
    compressed: str | None = None


def index_line(stored: SnapshotObject) -> bytes:
    """An object as a line of the index (NDJSON)."""
    document = {name: value for name, value in asdict(stored).items() if value is not None}
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def stored_headers(stored: SnapshotObject) -> Mapping[str, str]:
    """Headers and metadata that a store keeps with an object, by name."""
    names = {
        name: name if name in STORED_HEADERS else metadata_name(name) for name in stored.headers
    }
    own = {names[name]: value for name, value in stored.headers.items()}
    # the entity tag of an object is no digest: it depends on how the object was sent
    return {**own, DIGEST: stored.sha256}


def differing_headers(found: Mapping[str, str], stored: SnapshotObject) -> list[str]:
    """Names of headers and metadata that an object lacks, or has with another value."""
    expected = stored_headers(stored)
    return sorted(name for name, value in expected.items() if found.get(name) != value)


def parse_index_line(line: bytes) -> SnapshotObject:
    """The object of a line of the index.

    Raises:
        ValueError, TypeError: The line is malformed.
    """
    return SnapshotObject(**json.loads(line))


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A mirror, ready to be published.

    Attributes:
        name: Name of the snapshot.
        release: Digest of the release.
        label: Label of the release.
        mirror: Directory of the mirror.
        work: Directory with the index and the tar file.
        objects: Number of objects, without the index.
        total_bytes: Total size of these objects.
        gone: Problem documents of removed addresses.
    """

    name: str
    release: str
    label: str
    mirror: Path
    work: Path
    objects: int
    total_bytes: int
    gone: Mapping[str, str]

    def __iter__(self) -> Iterator[SnapshotObject]:
        with (self.work / INDEX).open("rb") as index:
            yield from map(parse_index_line, index)

    def path(self, stored: SnapshotObject) -> Path:
        """The file that an object is made from."""
        return self.work / TAR if stored.file == TAR else self.mirror / stored.file

    def read(self, stored: SnapshotObject) -> bytes:
        """The content of an object.

        Raises:
            PublishError: Its file was changed since the index was written.
        """
        body = _read(self.path(stored))
        if stored.compressed:
            body = _COMPRESS[stored.compressed](body)
        if hashlib.sha256(body).hexdigest() != stored.sha256:
            raise changed(stored.file)
        return body


def changed(file: str) -> PublishError:
    """The error of a file that is not as `freeze` wrote it."""
    return PublishError(f"{file} of the mirror was changed after `freeze`. {_ADVICE}")


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise PublishError(f"{path} cannot be read: {error.strerror}. {_ADVICE}") from error


def prepare_snapshot(mirror: Path, work: Path) -> Snapshot:
    """Check every file of a mirror, and write the index of its objects and the tar file to `work`.

    Raises:
        PublishError: The directory is not a mirror, or a file was changed after `freeze`.
    """
    folder = mirror / PAYLOAD if is_bag(mirror) else mirror
    if not (folder / SUMMARY).is_file():
        raise PublishError(
            f"{mirror} is not a mirror. Write one with `cpc-record freeze {mirror}`."
        )
    try:
        summary = json.loads((folder / SUMMARY).read_bytes())
        _, issues = check_own_files(folder)
        if issues or "label" not in summary:
            names = [issue.pointer for issue in issues if issue.pointer in OWN_FILES]
            raise changed(names[0] if names else SUMMARY)
        return _write_index(folder, work, summary)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise PublishError(f"{mirror} cannot be read as a mirror: {error}. {_ADVICE}") from error


def _write_index(folder: Path, work: Path, summary: Mapping[str, Any]) -> Snapshot:
    digest, count, size = hashlib.sha256(), 0, 0
    gone: dict[str, str] = {}
    names: set[str] = set()
    with (work / INDEX).open("xb") as index:
        for stored in _objects(folder, work, gone):
            names.add(stored.name)
            _check_metadata(stored)
            line = index_line(stored)
            index.write(line)
            digest.update(line)
            count, size = count + 1, size + stored.bytes
    check_names(names, count)
    name = f"{summary['label']}-{digest.hexdigest()[:DIGEST_CHARACTERS]}"
    return Snapshot(name, summary["release"], summary["label"], folder, work, count, size, gone)


def _check_metadata(stored: SnapshotObject) -> None:
    metadata = {
        name: value for name, value in stored_headers(stored).items() if name not in STORED_HEADERS
    }
    size = sum(len(_METADATA_PREFIX) + len(name) + len(value) for name, value in metadata.items())
    if size > _MAX_METADATA_BYTES:
        largest = max(metadata, key=lambda name: len(metadata[name]))
        raise PublishError(
            f"The headers of {stored.name} have {size:,} bytes, the largest being {largest}; S3 "
            f"keeps {_MAX_METADATA_BYTES:,}."
        )


def check_names(names: set[str], count: int) -> None:
    """Refuse names that occur twice or that tools which copy a bucket would lose.

    Raises:
        PublishError: Two names are the same, one ends in a slash, or one is a folder of another.
    """
    if len(names) != count:
        raise PublishError("Two addresses of the mirror have the same object.")
    for name in names:
        parts = name.split("/")
        folders = ("/".join(parts[:end]) for end in range(1, len(parts)))
        if "" in parts or not names.isdisjoint(folders):
            raise PublishError(f"{name} cannot be an object beside the others of the mirror.")


def _objects(folder: Path, work: Path, gone: dict[str, str]) -> Iterator[SnapshotObject]:
    headers = json.loads((folder / HEADERS).read_bytes())
    with (folder / MANIFEST).open("rb") as manifest:
        for entry in map(parse_manifest_line, manifest):
            if entry.status == HTTPStatus.GONE:
                yield _gone_object(folder, entry, headers["release"])
                gone[entry.url] = (folder / FILES / entry.plain.file).read_text("utf-8")
            else:
                yield from _address_objects(folder, entry, _entry_headers(entry, headers))
    for name in OWN_FILES:
        yield _file_object(f"{MIRROR}/{name}", name, folder / name)
    _write_tar(folder, work / TAR)
    yield _file_object(TAR, TAR, work / TAR)


def _entry_headers(entry: Entry, headers: Mapping[str, Any]) -> dict[str, str]:
    own = headers["pages"].get(entry.url) or headers["items"][entry.url.split("/")[2]]
    return {"content-type": entry.media_type, **own}


def _gone_object(folder: Path, entry: Entry, release: str) -> SnapshotObject:
    name = f"{SITE}{entry.url}{GONE_SUFFIX}"
    headers = {"content-type": entry.media_type, "cache-control": "no-store"}
    _check_content(folder, entry.plain)
    file = f"{FILES}/{entry.plain.file}"
    own = {**headers, RELEASE_HEADER: release}
    return SnapshotObject(name, entry.plain.bytes, entry.plain.sha256, own, file)


def _address_objects(
    folder: Path, entry: Entry, headers: Mapping[str, str]
) -> Iterator[SnapshotObject]:
    """The objects of an address, one for each content coding."""
    stored = {IDENTITY: entry.plain, **entry.codings}
    codings = () if entry.url.startswith(RANGES_PREFIX) else PUBLISHED_CODINGS
    for coding in (IDENTITY, *codings):
        name = f"{SITE}/{object_name(entry.url, coding)}"
        own = dict(headers) if coding == IDENTITY else {**headers, "content-encoding": coding}
        if coding in stored:
            file = stored[coding]
            _check_content(folder, file)
            yield SnapshotObject(name, file.bytes, file.sha256, own, f"{FILES}/{file.file}")
        else:
            file = entry.plain
            body = _COMPRESS[coding]((folder / FILES / file.file).read_bytes())
            digest = hashlib.sha256(body).hexdigest()
            path = f"{FILES}/{file.file}"
            yield SnapshotObject(name, len(body), digest, own, path, coding)


def _check_content(folder: Path, file: MirrorFile) -> None:
    path = folder / FILES / file.file
    if not path.is_file() or digest_file(path).sha256 != file.sha256:
        raise changed(f"{FILES}/{file.file}")


def _file_object(name: str, file: str, path: Path) -> SnapshotObject:
    digest = digest_file(path)
    media_type = guess_type(name)[0] or "text/plain"
    headers = {"content-type": media_type, "cache-control": "no-cache"}
    return SnapshotObject(name, digest.bytes, digest.sha256, headers, file)


def _write_tar(folder: Path, path: Path) -> None:
    """Write the mirror as a tar file, with the modification times that `freeze` sets.

    They follow from the content, so they are right even if a copy of the mirror has lost them.
    """
    with tarfile.open(path, "x", format=tarfile.PAX_FORMAT) as tar:
        for name, sha256 in _mirror_files(folder):
            info = tarfile.TarInfo(f"{MIRROR}/{name}")
            info.size, info.mtime = (folder / name).stat().st_size, mtime_from_digest(sha256)
            with (folder / name).open("rb") as content:
                tar.addfile(info, content)


def _mirror_files(folder: Path) -> Iterator[tuple[str, str]]:
    """Path and SHA-256 of all files of a mirror, and of no others that are in its directory."""
    own = (name for name in (*OWN_FILES, *ADDITIONS) if (folder / name).exists())
    yield from ((name, digest_file(folder / name).sha256) for name in own)
    with (folder / MANIFEST).open("rb") as manifest:
        for entry in map(parse_manifest_line, manifest):
            yield from ((f"{FILES}/{file.file}", file.sha256) for file in entry.files)
