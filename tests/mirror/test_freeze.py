"""The commands `freeze` and `verify --mirror`: complete, reproducible, atomic, checked."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.archive.archive import COLLECTIONS, Archive
from app.archive.release import build_if_stale
from app.exports.citing import FILES as CITATION_FILES
from app.exports.listing import EXPORTS
from app.exports.listing import FILES as EXPORT_FILES
from app.main import create_app
from app.settings import Settings
from benchmarks.corpus import write_corpus
from tests.conftest import ROOT, run_cli
from tests.support.mirrors import accept_header, freeze, read_manifest, read_tree, verify
from tests.support.published import ENVIRONMENT, copy_archive

pytestmark = [pytest.mark.anyio, pytest.mark.process]

KILLED_FREEZE = """
import os, signal, sys
from pathlib import Path

import anyio

from app.mirror.freeze import freeze_record
from app.mirror.packaging import Packaging
from app.settings import Settings

def kill(done: int, total: int) -> None:
    os.kill(os.getpid(), signal.SIGKILL)

folder, seed, archive = sys.argv[1:]
settings = Settings(seed_file=Path(seed), archive_file=Path(archive))
anyio.run(freeze_record, settings, Path(folder), Packaging(), kill)
"""
"""Kills itself at the first progress report, after 100 items."""


async def test_compressed_files_are_those_of_the_api(live: httpx.AsyncClient, mirror: Path) -> None:
    """A compressed file holds what the application sends, except the time in a gzip header."""
    for entry in read_manifest(mirror):
        for coding, file in entry["codings"].items():
            headers = {"accept-encoding": coding, **accept_header(entry)}
            async with live.stream("GET", entry["url"], headers=headers) as response:
                raw = b"".join([chunk async for chunk in response.aiter_raw()])
            stored = (mirror / "files" / file["file"]).read_bytes()
            skipped = 8 if coding == "gzip" else 0
            assert stored[skipped:] == raw[skipped:]


def test_the_mirror_is_complete(mirror: Path, exported_archive: Path) -> None:
    """Every path of the application is in the mirror, or listed as left out with its status."""
    urls = {entry["url"] for entry in read_manifest(mirror)}
    summary = json.loads((mirror / "mirror.json").read_bytes())
    app = create_app(Settings())
    for path in {getattr(route, "path", "") for route in app.routes}:
        if "{" in path:
            prefix = path.partition("{")[0]
            assert any(url.startswith(prefix) for url in urls), path
        else:
            assert (path in urls) != (path in summary["left_out"]), path
    assert set(summary["left_out"]) == {"/v1/search", "/v1/changes", "/healthz", "/readyz"}
    archive = Archive.open(exported_archive)
    for name in COLLECTIONS:
        assert len([url for url in urls if url.startswith(f"/v1/{name}/")]) == archive.counts[name]
    for label in (*archive.releases, "latest"):
        assert {f"/v1/releases/{label}", f"/v1/releases/{label}/record"} <= urls
    archive.close()


def test_every_link_target_is_in_the_mirror(mirror: Path) -> None:
    """What the index, the exports and the documentation link to is there."""
    entries = {entry["url"]: entry for entry in read_manifest(mirror)}
    index = json.loads((mirror / "files" / entries["/v1"]["file"]).read_bytes())
    assert set(index["links"].values()) - {"/v1/search", "/v1/changes"} <= set(entries)
    exports = json.loads((mirror / "files" / entries["/v1/exports"]["file"]).read_bytes())["data"]
    for export in exports:
        assert entries[export["path"]]["sha256"] == export["sha256"]
    documents = {"/docs/dashboards", "/docs/changelog", "/docs/images/dashboard.png"}
    assert {"/docs/docs.css", "/docs/try.js", "/docs/search.json", *documents} <= set(entries)


async def test_the_mirror_has_every_format_of_the_citation(
    live: httpx.AsyncClient, mirror: Path
) -> None:
    """The citation of the record is there in each format, with its media type."""
    entries = {entry["url"]: entry for entry in read_manifest(mirror)}
    for name, format_ in CITATION_FILES.items():
        entry = entries[f"/v1/cite/{name}"]
        assert entry["media_type"] == format_.content_type
        response = await live.get("/v1/cite", params={"format": format_.name})
        assert (mirror / "files" / entry["file"]).read_bytes() == response.content
    assert entries["/v1/cite"]["sha256"] == entries["/v1/cite/citation.json"]["sha256"]


async def test_the_mirror_has_every_export(live: httpx.AsyncClient, mirror: Path) -> None:
    """Each file in the list is there, without content coding, under its digest and media type."""
    entries = {entry["url"]: entry for entry in read_manifest(mirror)}
    listed = (await live.get("/v1/exports")).json()["data"]
    assert {export["name"] for export in listed} == set(EXPORTS)
    for export in listed:
        entry = entries[export["path"]]
        assert entry["media_type"] == export["media_type"]
        assert entry["sha256"] == export["sha256"]
        assert not entry["codings"] or export["name"] not in EXPORT_FILES


def test_the_manifest_describes_every_file(mirror: Path) -> None:
    """Size and SHA-256 in the manifest are those of the files."""
    for entry in read_manifest(mirror) + read_manifest(mirror, 410):
        for file in (entry, *entry["codings"].values()):
            content = (mirror / "files" / file["file"]).read_bytes()
            assert len(content) == file["bytes"]
            assert hashlib.sha256(content).hexdigest() == file["sha256"]


def test_mirrors_are_reproducible(mirror: Path, archive_file: Path, tmp_path: Path) -> None:
    """Another process, folder and archive give the same bytes and modification times."""
    second = tmp_path / "again"
    freeze(second, "--archive", str(copy_archive(archive_file, tmp_path)), **ENVIRONMENT)
    assert read_tree(second) == read_tree(mirror)
    assert sorted(path.name for path in tmp_path.iterdir() if "archive" not in path.name) == [
        "again"
    ]


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder with a generated record of 70 resources and its archive."""
    folder = tmp_path_factory.mktemp("large")
    write_corpus(folder, 70)
    build_if_stale(folder / "seed.json", folder / "archive.sqlite")
    return folder


def names_in(folder: Path) -> list[str]:
    """Names in a folder, hidden ones included."""
    return [path.name for path in folder.iterdir()]


def options_for(folder: Path) -> list[str]:
    """Options that name the seed and the archive in a folder."""
    return ["--seed", str(folder / "seed.json"), "--archive", str(folder / "archive.sqlite")]


def test_a_killed_freeze_changes_nothing(large: Path, mirror: Path, tmp_path: Path) -> None:
    """A killed run leaves the old mirror; the next run completes and removes leftovers."""
    folder = Path(shutil.copytree(mirror, tmp_path / "record"))
    before = read_tree(folder)
    files = [str(folder), str(large / "seed.json"), str(large / "archive.sqlite")]
    killed = subprocess.run([sys.executable, "-c", KILLED_FREEZE, *files], cwd=ROOT, check=False)
    assert killed.returncode == -signal.SIGKILL
    assert read_tree(folder) == before
    assert (tmp_path / ".record.unfinished" / "files" / "v1" / "meta.json").exists()
    freeze(folder, *options_for(large))
    assert names_in(tmp_path) == ["record"]
    assert verify(folder, *options_for(large)).returncode == 0


def test_a_long_collection_is_stored_as_ndjson(large: Path, tmp_path: Path) -> None:
    """A collection longer than a page is complete at its URL, and the manifest has a note."""
    folder = tmp_path / "record"
    freeze(folder, *options_for(large))
    archive = Archive.open(large / "archive.sqlite")
    entries = {entry["url"]: entry for entry in read_manifest(folder)}
    long = [f"/v1/{name}" for name, count in archive.counts.items() if count > 200]
    assert "/v1/citations" in long
    assert json.loads((folder / "mirror.json").read_bytes())["as_lines"] == long
    for name, count in archive.counts.items():
        entry = entries[f"/v1/{name}"]
        content = (folder / "files" / entry["file"]).read_bytes()
        if count > 200:
            assert entry["media_type"] == "application/x-ndjson"
            assert "note" in entry
            assert len([json.loads(line) for line in content.splitlines()]) == count
        else:
            assert len(json.loads(content)["data"]) == count
    archive.close()


def test_a_record_without_awards_can_be_mirrored(seed: Any, tmp_path: Path) -> None:
    """Empty collections are in the mirror and have no items."""
    seed.data["awards"] = seed.data["activities"] = []
    options = ["--seed", str(seed.write()), "--archive", str(tmp_path / "archive.sqlite")]
    freeze(tmp_path / "record", *options)
    assert verify(tmp_path / "record", *options).returncode == 0


@pytest.mark.parametrize("obstacle", ["file", "non-empty folder", "missing parent", "symlink"])
def test_only_a_mirror_is_replaced(exported_archive: Path, tmp_path: Path, obstacle: str) -> None:
    """Anything else at the target is left alone, and the message says what to do."""
    folder = tmp_path / "place"
    if obstacle == "file":
        folder.write_text("mine")
    elif obstacle == "non-empty folder":
        folder.mkdir()
        (folder / "mine").write_text("mine")
    elif obstacle == "symlink":
        folder.symlink_to(tmp_path / "elsewhere")
    else:
        folder = folder / "further"
    before = sorted(tmp_path.rglob("*"))
    result = run_cli("freeze", str(folder), "--archive", str(exported_archive))
    assert result.returncode == 3
    assert "name" in result.stderr
    assert "Traceback" not in result.stderr
    assert sorted(tmp_path.rglob("*")) == before


def damage(mirror: Path, folder: Path, kind: str) -> tuple[Path, str]:
    """A copy of a mirror with one thing wrong, and the file that `verify` should name."""
    copy = Path(shutil.copytree(mirror, folder / "record"))
    award = copy / "files" / "v1" / "awards" / "peru-ilo.json"
    if kind == "changed":
        content = award.read_bytes()
        times = award.stat()
        award.write_bytes(content.replace(b"peru", b"PERU", 1))
        os.utime(award, ns=(times.st_atime_ns, times.st_mtime_ns))
    elif kind == "missing":
        award.unlink()
    elif kind == "extra":
        (award.parent / "other.json").write_bytes(b"{}")
        return copy, "files/v1/awards/other.json"
    elif kind == "manifest":
        (copy / "manifest.ndjson").write_bytes(b"{}\n")
        return copy, "manifest.ndjson"
    elif kind == "malformed manifest with its digest":
        (copy / "manifest.ndjson").write_bytes(b"{}\n")
        summary = json.loads((copy / "mirror.json").read_bytes())
        summary["sha256"]["manifest.ndjson"] = hashlib.sha256(b"{}\n").hexdigest()
        (copy / "mirror.json").write_text(json.dumps(summary))
        return copy, "manifest.ndjson"
    elif kind == "configuration":
        (copy / "nginx" / "server.conf").write_text("autoindex on;")
        return copy, "nginx/server.conf"
    elif kind == "summary":
        (copy / "mirror.json").write_text("[]")
        return copy, "mirror.json"
    return copy, "files/v1/awards/peru-ilo.json"


@pytest.mark.parametrize(
    "kind",
    [
        "changed",
        "missing",
        "extra",
        "manifest",
        "malformed manifest with its digest",
        "configuration",
        "summary",
    ],
)
def test_verify_names_a_damaged_file(
    mirror: Path, exported_archive: Path, tmp_path: Path, kind: str
) -> None:
    """`verify --mirror` names the file that is not as it was written."""
    copy, name = damage(mirror, tmp_path, kind)
    settings = {"ARCHIVE_FILE": str(exported_archive), **ENVIRONMENT}
    result = verify(copy, **settings)
    assert result.returncode == 1, result.stdout
    assert name in result.stderr
    assert "Traceback" not in result.stderr


def test_verify_accepts_an_unchanged_mirror(mirror: Path, exported_archive: Path) -> None:
    """A mirror of this release passes, and the check writes nothing to it."""
    before = read_tree(mirror)
    settings = {"ARCHIVE_FILE": str(exported_archive), **ENVIRONMENT}
    result = verify(mirror, **settings)
    assert result.returncode == 0, result.stderr
    assert read_tree(mirror) == before


def test_verify_rejects_a_mirror_of_another_release(
    mirror: Path, seed: Any, tmp_path: Path
) -> None:
    """A mirror that is undamaged but of another record is reported, with what differs."""
    seed.put("/awards/0/title", "Another title of this program")
    options = ["--seed", str(seed.write()), "--archive", str(tmp_path / "archive.sqlite")]
    result = verify(mirror, *options, **ENVIRONMENT)
    assert result.returncode == 1
    assert "/v1/awards/peru-ilo" in result.stderr


def test_verify_reports_a_folder_that_is_no_mirror(tmp_path: Path) -> None:
    """A wrong path gives a sentence, not a traceback."""
    result = verify(tmp_path / "nowhere")
    assert result.returncode == 1
    assert "Traceback" not in result.stderr
    assert "nowhere" in result.stderr
