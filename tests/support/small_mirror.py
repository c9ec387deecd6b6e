"""Mirrors with a few addresses, made by hand, for tests that need no record."""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType

from app.mirror.cdn import HEADERS, describe_headers
from app.mirror.configuration import render_configuration
from app.mirror.entries import Entry, MirrorFile
from app.mirror.rules import Rules

GONE_URL = "/v1/awards/gone"
_HEADERS = {
    "access-control-allow-origin": "*",
    "access-control-expose-headers": "ETag, X-Data-Release",
    "content-security-policy": "default-src 'none'",
}
_FILE_HEADERS = {"cache-control": "max-age=60", "vary": "Accept-Encoding"}
_PREFLIGHT_HEADERS = {
    "allow": "GET, HEAD, OPTIONS",
    "access-control-allow-methods": "GET, HEAD, OPTIONS",
}
_CODED = "x" * 2_000
_NO_PAGES: Mapping[str, str] = MappingProxyType({})


def release_digest(release: str) -> str:
    """The digest by which the responses of a small mirror name their release."""
    return hashlib.sha256(release.encode()).hexdigest()


def write_small_mirror(
    folder: Path, release: str = "1", pages: Mapping[str, str] = _NO_PAGES
) -> Path:
    """Write a mirror whose every body has the name of its release.

    Args:
        folder: The new directory.
        release: Name of the release, a digit.
        pages: More addresses, with their bodies.
    """
    digest = release_digest(release)
    bodies = {
        "/": f'{{"release": "{release}"}}',
        "/v1": f'{{"release": "{release}"}}',
        "/v1/awards": f'{{"release": "{release}", "data": "{_CODED}"}}',
        "/v1/awards/one": f'{{"release": "{release}"}}',
        "/v1/exports/awards.csv": f"id,release\none,{release}\n",
        **pages,
    }
    headers = tuple({"x-data-release": digest, **_HEADERS, **_FILE_HEADERS}.items())
    entries = [_write_entry(folder, url, body.encode(), headers) for url, body in bodies.items()]
    gone = _write_gone(folder, {"status": 410, "release": release})
    lines = [entry.manifest_line() for entry in (*entries, gone)]
    (folder / "manifest.ndjson").write_bytes(b"".join(lines))
    own_files = {**_configuration(), HEADERS: describe_headers(_rules(digest, entries))}
    for name, text in own_files.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text, "utf-8")
    summary: dict[str, object] = {
        "release": digest,
        "label": f"2026-01-0{release}",
        "files": len(entries),
    }
    summary["sha256"] = dict.fromkeys(("manifest.ndjson", *own_files))
    (folder / "mirror.json").write_text(json.dumps(summary), "utf-8")
    renew_digests(folder)
    return folder


def renew_digests(folder: Path) -> None:
    """Write the digests of a mirror's own files again, after one was changed."""
    summary = json.loads((folder / "mirror.json").read_text("utf-8"))
    for name in summary["sha256"]:
        summary["sha256"][name] = hashlib.sha256((folder / name).read_bytes()).hexdigest()
    (folder / "mirror.json").write_text(json.dumps(summary), "utf-8")


def _rules(digest: str, entries: list[Entry]) -> Rules:
    headers = {"x-data-release": digest, **_HEADERS}
    [item] = [entry for entry in entries if entry.url == "/v1/awards/one"]
    pages = [entry for entry in entries if entry is not item]
    items = {"awards": item}
    return Rules(headers, _FILE_HEADERS, _PREFLIGHT_HEADERS, pages, items, frozenset("/"))


@cache
def _configuration() -> Mapping[str, str]:
    """The configuration files of a mirror with one page, rendered once."""
    headers = (("x-data-release", release_digest("1")), *_FILE_HEADERS.items())
    page = Entry("/v1", "application/json", MirrorFile("v1.json", 0, ""), headers=headers)
    item = Entry("/v1/awards/one", "application/json", page.plain, headers=headers)
    return render_configuration(_rules(release_digest("1"), [page, item]))


def _write_entry(
    folder: Path, url: str, body: bytes, headers: tuple[tuple[str, str], ...]
) -> Entry:
    file = url.removeprefix("/") or "index.html"
    file = file if "." in file else f"{file}.json"
    codings = {}
    if len(body) > len(_CODED):
        codings["gzip"] = _write(folder, f"{file}.gz", gzip.compress(body, mtime=0))
    plain = _write(folder, file, body)
    return Entry(url, "application/json", plain, codings, headers=headers)


def _write_gone(folder: Path, problem: Mapping[str, object]) -> Entry:
    plain = _write(folder, f"gone{GONE_URL}.json", json.dumps(problem).encode())
    return Entry(GONE_URL, "application/problem+json", plain, status=410)


def _write(folder: Path, file: str, body: bytes) -> MirrorFile:
    path = folder / "files" / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(body)
    return MirrorFile(file, len(body), hashlib.sha256(body).hexdigest())
