"""The command that checks the seed and what was built from it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import anyio
import typer

from app.commands.options import ArchiveOption, SeedOption, settings_with, split_copy
from app.commands.output import (
    EXIT_DIFFERENT,
    EXIT_INVALID,
    EXIT_USAGE,
    PROGRESS_MIN_ITEMS,
    exit_if_unreadable,
    exit_on_error,
    exit_with,
    print_error,
    progress_bar,
)
from app.models.notation import count_noun
from app.settings import Settings

if TYPE_CHECKING:
    from app.seed.record import Record
    from app.seed.report import Check

_MAX_LISTED_ISSUES = 100
VerifiedCopiesOption = Annotated[
    list[str] | None,
    typer.Option(
        "--source",
        metavar="[ID=]FILE",
        help="Copy of an archived page in which to find every quote: text, HTML, WARC or WACZ; `-` "
        "is standard input. By default, it is compared with the source that it fits best, and a "
        "web archive with each source whose URL it has. Repeat the option for several pages.",
    ),
]
CaptureOption = Annotated[
    str | None,
    typer.Option(
        metavar="TIMESTAMP",
        help="Time of the capture in a web archive, or the start of it, such as 20210120. By "
        "default, it is the one nearest to when the source was captured or archived.",
    ),
]
MirrorOption = Annotated[
    str | None,
    typer.Option(
        metavar="DIR|URL", help="Static mirror to check: a directory, or where it was published."
    ),
]
RestoreTimesOption = Annotated[
    bool,
    typer.Option(
        "--restore-times",
        help="With `--mirror`: set lost modification times again, where the content is right.",
    ),
]


def verify(  # noqa: PLR0913, PLR0917 - one for each option
    source: VerifiedCopiesOption = None,
    capture: CaptureOption = None,
    mirror: MirrorOption = None,
    restore_times: RestoreTimesOption = False,
    seed: SeedOption = None,
    archive: ArchiveOption = None,
) -> None:
    """Check the seed, and that the archive and the exports, if they were built, match it.

    With `--source`, also every quote against copies of the archived pages; with `--mirror`, also a
    static mirror against its manifest and against the API's responses, in a directory or, read
    back, in an object store.

    The exit code is 5 if all that is wrong is that a copy is not the cited text, byte for byte,
    while all quotes stand in it, in order.
    """
    if restore_times and (mirror is None or _is_url(mirror)):
        exit_with(EXIT_USAGE, "--restore-times requires --mirror DIR.")
    if capture is not None and not source:
        exit_with(EXIT_USAGE, "--capture requires --source FILE.")
    settings = settings_with(SEED_FILE=seed, ARCHIVE_FILE=archive)
    with exit_on_error():
        record, checks = _record_checks(settings)
        for copy in source or ():
            checks += _source_checks(record, copy, capture)
        if mirror is not None:
            checks += _mirror_checks(settings, mirror, restore_times=restore_times)
    _report(checks)


def _record_checks(settings: Settings) -> tuple[Record, list[Check]]:
    """The record of a valid seed; the checks of the seed, the archive and the exports."""
    from app.archive.release import check_archive  # noqa: PLC0415 - only needed here
    from app.exports.files import check_exports  # noqa: PLC0415
    from app.seed.record import load_record  # noqa: PLC0415
    from app.seed.report import Check  # noqa: PLC0415

    record = load_record(settings.seed_file)
    resources = sum(len(group) for group in record.resources.values())
    return record, [
        Check("The seed file is valid", count_noun(resources, "resource")),
        check_archive(settings.seed_file, settings.archive_file),
        check_exports(settings.archive_file),
    ]


def _source_checks(record: Record, copy: str, capture: str | None) -> list[Check]:
    """Compare the record with a copy of archived pages; exit if it cannot be read.

    Args:
        record: The record.
        copy: Path of the copy, after the id of its source and `=` if that is given.
        capture: Time of the capture in a web archive.
    """
    from app.seed.verification import verify_copies  # noqa: PLC0415 - only needed here

    source_id, path = split_copy(copy)
    with exit_if_unreadable(path):
        return verify_copies(record, path, source_id or None, capture)


def _mirror_checks(settings: Settings, mirror: str, *, restore_times: bool) -> list[Check]:
    """Compare a mirror with its manifest and with the API's responses."""
    from app.mirror.check import check_mirror  # noqa: PLC0415 - only needed here
    from app.publish.verify import check_published  # noqa: PLC0415

    with progress_bar("Comparing", "responses", PROGRESS_MIN_ITEMS) as progress:
        if _is_url(mirror):
            return anyio.run(check_published, settings, mirror, progress)
        check = partial(check_mirror, settings, Path(mirror), progress, restore_times=restore_times)
        return anyio.run(check)


def _is_url(mirror: str) -> bool:
    return "://" in mirror


def _report(checks: Sequence[Check]) -> None:
    """Print the results; exit with a code if there are issues or differences."""
    _print_table(checks)
    issues = [issue for check in checks for issue in check.issues]
    differences = [difference for check in checks for difference in check.differences]
    for listed in (issues, differences):
        for issue in listed[:_MAX_LISTED_ISSUES]:
            print_error(str(issue))
        if len(listed) > _MAX_LISTED_ISSUES:
            print_error(f"and {len(listed) - _MAX_LISTED_ISSUES} more")
    if issues:
        raise typer.Exit(EXIT_INVALID)
    if differences:
        print_error("Not the cited text, byte for byte, but every quote stands in it, in order.")
        raise typer.Exit(EXIT_DIFFERENT)


def _print_table(checks: Sequence[Check]) -> None:
    from rich.console import Console  # noqa: PLC0415 - only needed here
    from rich.table import Table  # noqa: PLC0415

    table = Table("Check", "Found", "Result")
    for check in checks:
        table.add_row(check.name, check.summary, _result(check))
    Console(soft_wrap=True, highlight=False).print(table)


def _result(check: Check) -> str:
    """The result of a check, with the color that it is printed in."""
    if check.issues:
        return f"[red]{len(check.issues)} wrong"
    if check.differences:
        return "[yellow]different"
    return "[yellow]skipped" if check.skipped else "[green]ok"
