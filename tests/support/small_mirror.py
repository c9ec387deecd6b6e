"""Mirrors with a few addresses, made by hand, for tests that need no record."""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from app.mirror.cdn import HEADERS
from app.mirror.configuration import CONFIGURATION_FILES

GONE_URL = "/v1/awards/gone"
_SHARED = {"access-control-allow-origin": "*", "content-security-policy": "default-src 'none'"}
_CODED = "x" * 2_000


def write_small_mirror(folder: Path, release: str = "1", pages: Mapping[str, str] = {}) -> Path:
    """Write a mirror whose every body names a release, as a digest of which it is padded.

    Args:
        folder: The new directory.
        release: Name of the release.
        pages: More addresses, with their bodies.
    """
    digest = hashlib.sha256(release.encode()).hexdigest()
    bodies = {
        "/": f"<p>{release}</p>",
        "/v1": f'{{"release": "{release}"}}',
        "/v1/awards": f'{{"release": "{release}", "data": "{_CODED}"}}',
        "/v1/awards/one": f'{{"release": "{release}"}}',
        "/v1/exports/awards.csv": f"id,release\none,{release}\n",
        **pages,
    }
    entries = [_write_entry(folder, url, body.encode()) for url, body in bodies.items()]
    gone = {"status": 410, "detail": f"Removed in {release}."}
    entries.append(_write_gone(folder, json.dumps(gone).encode()))
    lines = [json.dumps(entry) + "\n" for entry in entries]
    (folder / "manifest.ndjson").write_text("".join(lines), "utf-8")
    for name in CONFIGURATION_FILES:
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(f"# {name}\n", "utf-8")
    own = {"x-data-release": digest, "cache-control": "max-age=60", "vary": "Accept-Encoding"}
    headers = {
        "release": digest,
        "shared": _SHARED,
        "pages": dict.fromkeys(bodies, own),
        "items": {"awards": own},
    }
    (folder / HEADERS).write_text(json.dumps(headers), "utf-8")
    names = ("manifest.ndjson", *CONFIGURATION_FILES)
    summary = {
        "release": digest,
        "label": f"2026-01-0{release}",
        "files": len(entries),
        "sha256": {name: _sha256((folder / name).read_bytes()) for name in names},
    }
    (folder / "mirror.json").write_text(json.dumps(summary), "utf-8")
    return folder


def _write_entry(folder: Path, url: str, body: bytes) -> dict[str, Any]:
    file = url.removeprefix("/") or "index.html"
    file = file if "." in file else f"{file}.json"
    codings = {}
    if len(body) > len(_CODED):
        codings["gzip"] = _write(folder, f"{file}.gz", gzip.compress(body, mtime=0))
    plain = _write(folder, file, body)
    return {"url": url, "media_type": "application/json", **plain, "codings": codings}


def _write_gone(folder: Path, body: bytes) -> dict[str, Any]:
    plain = _write(folder, f"gone{GONE_URL}.json", body)
    media_type = "application/problem+json"
    return {"url": GONE_URL, "media_type": media_type, **plain, "codings": {}, "status": 410}


def _write(folder: Path, file: str, body: bytes) -> dict[str, Any]:
    path = folder / "files" / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(body)
    return {"file": file, "bytes": len(body), "sha256": _sha256(body)}


def _sha256(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()
