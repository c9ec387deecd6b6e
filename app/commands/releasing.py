"""The command that makes a release of a seed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from app.commands.options import SeedOption, settings_with
from app.commands.output import EXIT_INVALID, EXIT_USAGE, exit_on_error, exit_with, progress_bar
from app.models.release import is_note

if TYPE_CHECKING:
    from app.archive.filing import PlannedRelease


def release(
    note: Annotated[
        str | None, typer.Option(metavar="TEXT", help="Why the release is made, for readers.")
    ] = None,
    check: Annotated[
        bool,
        typer.Option("--check", help="Only check that the seed is a filed release, for CI."),
    ] = False,
    replace: Annotated[
        bool,
        typer.Option(
            "--replace",
            help="Replace the last release, which must not have been published; its note is the "
            "default.",
        ),
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask for confirmation.")] = False,
    seed: SeedOption = None,
) -> None:
    """Make a release of the seed: check it, show every change, ask, and file it.

    The seed is stamped with a label, which is its date of `modified`, and the note. A copy is filed
    in the directory `releases` next to it. Interrupted at any time, nothing is lost: run the
    command again.

    Example: `cpc-record release --note "Corrects the title of an award."`
    """
    from app.archive.filing import plan_release, write_release  # noqa: PLC0415 - only needed here

    if check and (replace or note is not None):
        exit_with(EXIT_USAGE, "--check changes nothing; omit --note and --replace.")
    if note is not None and not is_note(note):
        exit_with(
            EXIT_USAGE, "--note: expected text that is not blank, without control characters."
        )
    path = settings_with(SEED_FILE=seed).seed_file
    with exit_on_error(), progress_bar() as progress:
        planned = plan_release(path, note, replace=replace, progress=progress)
    if check:
        _require_complete(path, planned)
    _require_note(path, planned, note)
    if not planned.is_filed:
        for line in planned.describe():
            typer.echo(line)
        if not yes:
            typer.confirm(f"File it as {planned.file}?", abort=True)
    with exit_on_error():
        write_release(planned)
    typer.echo(f"{path} is release {planned.label}: {planned.file}")


def _require_complete(path: Path, planned: PlannedRelease) -> None:
    """Exit unless a seed is a filed release with its stamp."""
    if planned.is_filed and not planned.is_stamped:
        message = f"{path} is release {planned.label}, but lacks its stamp."
        exit_with(EXIT_INVALID, f"{message} `cpc-record release` writes it.")
    if not planned.is_complete:
        exit_with(EXIT_INVALID, f"{path} is not filed as a release. Run `cpc-record release`.")


def _require_note(path: Path, planned: PlannedRelease, note: str | None) -> None:
    """Exit unless a release has a note, which is the given one, if any."""
    if planned.is_filed and note not in (None, planned.note):
        message = f"{path} is release {planned.label}, with another note. As long as it has not "
        exit_with(EXIT_USAGE, f"{message}been published, --replace changes the note.")
    if planned.note is None:
        exit_with(EXIT_USAGE, "--note TEXT is required: why the release is made.")
