"""Checks a mirror against its manifest, and against the responses of the application."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from fastapi import FastAPI

from app import __version__
from app.archive.archive import ArchiveError, ProgressCallback
from app.archive.release import build_archive
from app.exports.files import digest_file
from app.main import create_app
from app.mirror.asgi_client import AsgiClient, IncompleteResponseError
from app.mirror.bag import PAYLOAD, check_bag, is_bag
from app.mirror.configuration import CONFIGURATION_FILES, render_configuration
from app.mirror.crate import CRATE
from app.mirror.crawl import CrawlResult, crawl
from app.mirror.entries import (
    FILES,
    MANIFEST,
    SUMMARY,
    CrawlError,
    Downloader,
    MirrorFile,
    parse_manifest_line,
)
from app.mirror.freeze import internal_settings, set_own_mtimes
from app.mirror.packaging import ADDITIONS, describe_crate, new_warc
from app.mirror.rules import build_rules
from app.mirror.warc import WARC, can_write_warc
from app.models.notation import count_noun
from app.seed.errors import Issue
from app.seed.report import Check
from app.settings import Settings

_FILES_CHECK = "The mirror's files match its manifest"
_TIMES_CHECK = "The mirror's modification times are preserved"
_RELEASE_CHECK = "The mirror matches the record"


async def check_mirror(
    settings: Settings, folder: Path, progress: ProgressCallback, *, restore_times: bool = False
) -> list[Check]:
    """Check a mirror against its manifest, then against what the application returns now.

    A mirror in a bag can be given as the bag or as its payload; the bag is checked, too.

    For the second check the seed is compiled again in a temporary directory. It is skipped when the
    manifest or the configuration files have changed. Nothing is written to the mirror, except with
    `restore_times`: the modification times of files whose content is right.

    Raises:
        SeedError: The seed is invalid.
        ArchiveError: There is no space to compile it, the application has an unexpected response,
            or a file cannot be read or its time set.
    """
    bag = _bag_of(folder)
    checks = [] if bag is None else [check_bag(bag)]
    folder = folder if bag is None else bag / PAYLOAD
    count, issues = check_own_files(folder)
    report = _FilesReport(restore_times)
    if not issues:
        try:
            _check_files(folder, report)
        except (ValueError, TypeError, KeyError):
            issues = [Issue(MANIFEST, "a malformed line", "a manifest written by `freeze`")]
        except OSError as error:
            raise ArchiveError(f"Cannot check {error.filename}: {error.strerror}.") from error
    if issues:
        return [*checks, Check(_FILES_CHECK, count, issues)]
    return [
        *checks,
        Check(_FILES_CHECK, count, report.issues),
        report.times_check(folder),
        await check_release(settings, folder, progress),
    ]


def _bag_of(folder: Path) -> Path | None:
    """The bag that a directory is, or whose payload it is."""
    if is_bag(folder):
        return folder
    parent = folder.absolute().parent
    return parent if folder.name == PAYLOAD and is_bag(parent) else None


@dataclass(slots=True)
class _FilesReport:
    """What was found about the files of a mirror.

    Attributes:
        restore_times: Whether wrong modification times are set again.
        issues: Files that are missing, changed, or not in the manifest.
        unchanged: Number of files with the right content.
        wrong_times: How many of those had another modification time than `freeze` set.
    """

    restore_times: bool
    issues: list[Issue] = field(default_factory=list)
    unchanged: int = 0
    wrong_times: int = 0

    def times_check(self, folder: Path) -> Check:
        """The check of the modification times, with one issue for all files."""
        summary = count_noun(self.unchanged, "file")
        if not self.wrong_times:
            return Check(_TIMES_CHECK, summary)
        if self.restore_times:
            return Check(_TIMES_CHECK, f"{summary}, {self.wrong_times} restored")
        found = f"other times on {self.wrong_times} of {summary} with right content"
        expected = (
            "the times set by `freeze`, from which web servers derive entity tags; use "
            "--restore-times to set them again"
        )
        return Check(_TIMES_CHECK, summary, [Issue(str(folder), found, expected)])


def check_own_files(folder: Path) -> tuple[str, list[Issue]]:
    """Number of files, and which of those that are not served have changed."""
    try:
        summary = json.loads((folder / SUMMARY).read_bytes())
        count = count_noun(summary["files"], "file")
        digests = {name: summary["sha256"][name] for name in (MANIFEST, *CONFIGURATION_FILES)}
        digests |= {name: summary["sha256"].get(name) for name in ADDITIONS}
    except (OSError, ValueError, TypeError, KeyError):
        return "0", [Issue(str(folder / SUMMARY), "nothing", "a summary written by `freeze`")]
    return count, [
        Issue(name, "different content", "the content written by `freeze`")
        for name, digest in digests.items()
        if _sha256_if_there(folder / name) != digest
    ]


def _sha256_if_there(path: Path) -> str | None:
    return digest_file(path).sha256 if path.is_file() else None


async def check_release(settings: Settings, folder: Path, progress: ProgressCallback) -> Check:
    """Compare a mirror with what the application returns, on an archive of its own.

    Raises:
        SeedError: The seed is invalid.
        ArchiveError: There is no space to compile it, or a response is unexpected.
    """
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


def _check_files(folder: Path, report: _FilesReport) -> None:
    """Compare every file with the manifest; fills `report`."""
    expected = {SUMMARY, MANIFEST, *CONFIGURATION_FILES, *ADDITIONS}
    with (folder / MANIFEST).open("rb") as manifest:
        for line in manifest:
            for file in parse_manifest_line(line).files:
                expected.add(f"{FILES}/{file.file}")
                _check_file(folder, file, report)
    for path in folder.rglob("*"):
        name = path.relative_to(folder).as_posix()
        if name not in expected and not path.is_dir():
            report.issues.append(Issue(name, "a file", "none: it is not in the manifest"))
    if report.restore_times:
        set_own_mtimes(folder)


def _check_file(folder: Path, file: MirrorFile, report: _FilesReport) -> None:
    name, path = f"{FILES}/{file.file}", folder / FILES / file.file
    if not path.is_file():
        report.issues.append(Issue(name, "nothing", "a file"))
        return
    status = path.stat()
    if status.st_size != file.bytes or digest_file(path).sha256 != file.sha256:
        expected = f"{count_noun(file.bytes, 'byte')}, SHA-256 {file.sha256}"
        report.issues.append(Issue(name, "different content", expected))
        return
    report.unchanged += 1
    if status.st_mtime_ns != file.mtime * 1_000_000_000:
        report.wrong_times += 1
        if report.restore_times:
            os.utime(path, (file.mtime, file.mtime))


async def _compare(
    settings: Settings, folder: Path, temporary: Path, progress: ProgressCallback
) -> Check:
    archive_file = temporary / "archive.sqlite"
    build_archive(settings.seed_file, archive_file)
    app = create_app(internal_settings(settings.model_copy(update={"archive_file": archive_file})))
    return await compare(app, folder, progress)


async def compare(app: FastAPI, folder: Path, progress: ProgressCallback) -> Check:
    """Compare a mirror with the responses of an application, which is started for it.

    Raises:
        CrawlError: The application has an unexpected response.
    """
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
        issues += [Issue(url, "a response", "none") for url in mirrored]
        rules = await build_rules(client, result.pages, result.items)
        written = render_configuration(rules)
        if (folder / CRATE).exists():
            written = {**written, CRATE: describe_crate(app, result.pages, folder)}
        differing = [name for name, text in written.items() if not _has_text(folder / name, text)]
        if not issues and (folder / WARC).exists() and not await _is_own_warc(app, folder):
            differing.append(WARC)
    expected = f"that of version {__version__}, these settings"
    issues += [Issue(name, "a different file", expected) for name in differing]
    return Check(_RELEASE_CHECK, f"release {archive.release[:12]}", issues)


def _has_text(path: Path, text: str) -> bool:
    return path.read_text("utf-8") == text


async def _is_own_warc(app: FastAPI, folder: Path) -> bool:
    """Whether a mirror's web archive is the one that its application writes.

    Only its digest was checked if the package that writes web archives is not installed.
    """
    if app.state.settings.public_url is None:
        return False
    if not can_write_warc():
        return True
    with TemporaryDirectory() as temporary:
        own = Path(temporary)
        with new_warc(app, own) as warc, (folder / MANIFEST).open("rb") as manifest:
            for line in manifest:
                await warc.add(parse_manifest_line(line))
        return digest_file(own / WARC) == digest_file(folder / WARC)
