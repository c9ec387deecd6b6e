"""Checks a mirror against its manifest, and against the responses of the application."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from app import __version__
from app.archive.archive import ArchiveError, ProgressCallback
from app.archive.release import build_archive
from app.main import create_app
from app.mirror.asgi_client import AsgiClient, IncompleteResponseError
from app.mirror.configuration import CONFIGURATION_FILES, render_configuration
from app.mirror.crawl import CrawlError, CrawlResult, crawl
from app.mirror.entries import FILES, Downloader, MirrorFile, parse_manifest_line
from app.mirror.freeze import MANIFEST, SUMMARY, file_sha256, internal_settings
from app.mirror.rules import build_rules
from app.models.notation import count_noun
from app.seed.errors import Issue
from app.seed.verification import Check
from app.settings import Settings

_FILES_CHECK = "The mirror's files match its manifest"
_RELEASE_CHECK = "The mirror matches the record"


async def check_mirror(settings: Settings, folder: Path, progress: ProgressCallback) -> list[Check]:
    """Check a mirror against its manifest, then against what the application returns now.

    For the second check the seed is compiled again in a temporary directory; nothing is written
    to the mirror. It is skipped when the manifest or the configuration files have changed.

    Raises:
        SeedError: The seed is invalid.
        ArchiveError: There is no space to compile it, or the application fails.
    """
    count, issues = _check_digests(folder)
    file_issues: list[Issue] = []
    if not issues:
        try:
            file_issues = list(_file_issues(folder))
        except (ValueError, TypeError, KeyError):
            issues = [Issue(MANIFEST, "a malformed line", "a manifest written by `freeze`")]
    if issues:
        return [Check(_FILES_CHECK, count, issues)]
    return [
        Check(_FILES_CHECK, count, file_issues),
        await _check_release(settings, folder, progress),
    ]


def _check_digests(folder: Path) -> tuple[str, list[Issue]]:
    """Number of files, and which of the manifest and the configuration files have changed."""
    try:
        summary = json.loads((folder / SUMMARY).read_bytes())
        count = count_noun(summary["files"], "file")
        digests = {name: summary["sha256"][name] for name in (MANIFEST, *CONFIGURATION_FILES)}
    except (OSError, ValueError, TypeError, KeyError):
        return "0", [Issue(str(folder / SUMMARY), "nothing", "a summary written by `freeze`")]
    return count, [
        Issue(name, "different content", "the content written by `freeze`")
        for name, digest in digests.items()
        if not (folder / name).is_file() or file_sha256(folder / name) != digest
    ]


async def _check_release(settings: Settings, folder: Path, progress: ProgressCallback) -> Check:
    failure = f"Cannot compare {folder} with the application's responses"
    try:
        with TemporaryDirectory() as temporary:
            return await _compare(settings, folder, Path(temporary), progress)
    except (CrawlError, IncompleteResponseError, ValueError) as error:
        raise ArchiveError(f"{failure}: {error}.") from error
    except OSError as error:
        raise ArchiveError(
            f"{failure}: {error}. Set TMPDIR to a directory with space for an archive and its "
            "exports."
        ) from error


def _file_issues(folder: Path) -> Iterator[Issue]:
    """Files that are missing, changed, have another mtime, or are not in the manifest."""
    expected = {SUMMARY, MANIFEST, *CONFIGURATION_FILES}
    with (folder / MANIFEST).open("rb") as manifest:
        for line in manifest:
            for file in parse_manifest_line(line).files:
                expected.add(f"{FILES}/{file.file}")
                yield from _compare_file(folder, file)
    for path in folder.rglob("*"):
        name = path.relative_to(folder).as_posix()
        if name not in expected and not path.is_dir():
            yield Issue(name, "a file", "none: it is not in the manifest")


def _compare_file(folder: Path, file: MirrorFile) -> Iterator[Issue]:
    name, path = f"{FILES}/{file.file}", folder / FILES / file.file
    if not path.is_file():
        yield Issue(name, "nothing", "a file")
    elif path.stat().st_size != file.bytes or file_sha256(path) != file.sha256:
        yield Issue(
            name, "different content", f"{count_noun(file.bytes, 'byte')}, SHA-256 {file.sha256}"
        )
    elif (mtime := int(path.stat().st_mtime)) != file.mtime:
        expected = f"{file.mtime}, from which entity tags are derived; copy with times preserved"
        yield Issue(name, f"modification time {mtime}", expected)


async def _compare(
    settings: Settings, folder: Path, temporary: Path, progress: ProgressCallback
) -> Check:
    archive_file = temporary / "archive.sqlite"
    build_archive(settings.seed_file, archive_file)
    app = create_app(internal_settings(settings.model_copy(update={"archive_file": archive_file})))
    with (folder / MANIFEST).open("rb") as manifest:
        mirrored = {parse_manifest_line(line).url: line for line in manifest}
    client, result, issues = AsgiClient(app), CrawlResult(), []
    async with app.router.lifespan_context(app):
        archive = app.state.archive
        async for entry in crawl(app, archive, Downloader(client, None), result, progress):
            line = mirrored.pop(entry.url, None)
            if line != entry.manifest_line():
                found = "a different response" if line else "nothing"
                issues.append(Issue(entry.url, found, "the application's response"))
        configuration = render_configuration(await build_rules(client, result.pages, result.items))
    issues += [Issue(url, "a response", "none") for url in mirrored]
    issues += [
        Issue(name, "a different configuration", f"that of version {__version__}, these settings")
        for name, text in configuration.items()
        if (folder / name).read_text("utf-8") != text
    ]
    return Check(_RELEASE_CHECK, f"release {archive.release[:12]}", issues)
