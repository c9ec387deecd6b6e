"""A mirror held against its manifest, and against the application of its release."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from app import __version__
from app.archive.archive import ArchiveError
from app.archive.release import build_archive
from app.main import create_app
from app.mirror.asgi_client import client_of
from app.mirror.crawl import CrawlResult, ProgressCallback, crawl
from app.mirror.entries import FILES, Downloader, MirrorFile, read_line
from app.mirror.freeze import (
    CONFIGURATION,
    MANIFEST,
    SUMMARY,
    configuration,
    digest_of,
    internal_settings,
)
from app.mirror.rules import rules_of
from app.seed.errors import Issue
from app.seed.verification import Check
from app.settings import Settings

_FILES, _RELEASE = "The mirror's files are as they were frozen", "The mirror is the record's own"


async def check_mirror(settings: Settings, folder: Path, told: ProgressCallback) -> list[Check]:
    """Hold a mirror against its own manifest, then against what the application answers now.

    For that the seed is compiled once more, elsewhere; nothing is written to the mirror.

    Raises:
        SeedError: The seed is faulty.
        ArchiveError: There is no room to compile it.
    """
    try:
        summary = json.loads((folder / SUMMARY).read_bytes())
        sealed = {name: summary["sha256"][name] for name in (MANIFEST, *CONFIGURATION)}
    except (OSError, ValueError, TypeError, KeyError):
        return [
            Check(_FILES, "0", [Issue(str(folder / SUMMARY), "nothing", "what `freeze` writes")])
        ]
    issues = [
        Issue(name, "other content", "what `freeze` wrote")
        for name, digest in sealed.items()
        if not (folder / name).is_file() or digest_of(folder / name) != digest
    ]
    if issues:
        return [Check(_FILES, f"{summary.get('files')} files", issues)]
    files = Check(_FILES, f"{summary.get('files')} files", list(_damage(folder)))
    try:
        with TemporaryDirectory() as elsewhere:
            return [files, await _compare(settings, folder, Path(elsewhere), told)]
    except OSError as error:
        raise ArchiveError(
            f"Cannot compare {folder} with fresh answers: {error}. TMPDIR must name a folder with "
            "room for an archive and its exports."
        ) from error


def _damage(folder: Path) -> Iterator[Issue]:
    """Files that are missing, changed or of another time, and those that nothing tells of."""
    known = {SUMMARY, MANIFEST, *CONFIGURATION}
    with (folder / MANIFEST).open("rb") as lines:
        for line in lines:
            for one in read_line(line).files:
                known.add(f"{FILES}/{one.file}")
                yield from _wrong(folder, one)
    for path in folder.rglob("*"):
        name = path.relative_to(folder).as_posix()
        if name not in known and not path.is_dir():
            yield Issue(name, "a file", "none, as the manifest tells of none")


def _wrong(folder: Path, one: MirrorFile) -> Iterator[Issue]:
    name, path = f"{FILES}/{one.file}", folder / FILES / one.file
    if not path.is_file():
        yield Issue(name, "nothing", "a file")
    elif path.stat().st_size != one.bytes or digest_of(path) != one.sha256:
        yield Issue(name, "other content", f"{one.bytes} bytes, SHA-256 {one.sha256}")
    elif int(path.stat().st_mtime) != one.time:
        expected = f"{one.time}, as servers make entity tags of it; copy with times kept"
        yield Issue(name, f"the time {int(path.stat().st_mtime)}", expected)


async def _compare(
    settings: Settings, folder: Path, elsewhere: Path, told: ProgressCallback
) -> Check:
    archive_file = elsewhere / "archive.sqlite"
    build_archive(settings.seed_file, archive_file)
    app = create_app(internal_settings(settings.model_copy(update={"archive_file": archive_file})))
    with (folder / MANIFEST).open("rb") as lines:
        frozen = {read_line(line).url: line for line in lines}
    gathered, issues = CrawlResult(), []
    async with app.router.lifespan_context(app), client_of(app) as client:
        archive = app.state.archive
        async for entry in crawl(app, archive, Downloader(client, None), gathered, told):
            line = frozen.pop(entry.url, None)
            if line != entry.line():
                found = "another answer" if line else "nothing"
                issues.append(Issue(entry.url, found, "what the application answers"))
        fresh = configuration(await rules_of(client, gathered.pages, gathered.items))
    issues += [Issue(url, "an answer", "none") for url in frozen]
    issues += [
        Issue(name, "other rules", f"those of version {__version__} with these settings")
        for name, text in fresh.items()
        if (folder / name).read_text("utf-8") != text
    ]
    return Check(_RELEASE, f"release {archive.release[:12]}", issues)
