"""What commands print besides their results: progress, errors, and exit codes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, NoReturn

import typer

from app.archive.archive import ArchiveError, ProgressCallback
from app.seed.errors import SeedError
from app.settings import ConfigurationError

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

EXIT_INVALID, EXIT_USAGE, EXIT_ARCHIVE, EXIT_ADDRESS, EXIT_DIFFERENT = 1, 2, 3, 4, 5
_PROGRESS_MIN_BYTES = 5_000_000
"""Size of a seed from which compiling it shows a progress bar."""
PROGRESS_MIN_ITEMS = 2_000
"""Number of rows or responses from which a progress bar is shown."""


@contextmanager
def exit_on_error() -> Iterator[None]:
    """Turn the project's own exceptions into a message and an exit code."""
    try:
        yield
    except SeedError as error:
        exit_with(EXIT_INVALID, str(error))
    except ArchiveError as error:
        exit_with(EXIT_ARCHIVE, str(error))
    except ConfigurationError as error:
        exit_with(EXIT_USAGE, str(error))


@contextmanager
def exit_if_unreadable(path: str) -> Iterator[None]:
    """Turn an error in reading a copy of a page into a message and an exit code."""
    try:
        yield
    except (OSError, ValueError) as error:
        exit_with(EXIT_USAGE, f"{path} cannot be read as the archived page: {error}.")


def exit_with(code: int, message: str) -> NoReturn:
    """Print a message to stderr and exit with a code."""
    print_error(message)
    raise typer.Exit(code)


def print_error(message: str) -> None:
    """Print to stderr, as stdout is for programs to read."""
    typer.echo(message, err=True)


@contextmanager
def progress_bar(
    label: str = "Compiling", unit: str = "bytes", minimum: int = _PROGRESS_MIN_BYTES
) -> Iterator[ProgressCallback]:
    """A callback that shows a progress bar on a terminal, from a total of `minimum` on."""
    started: list[tuple[Progress, TaskID]] = []

    def update(done: int, total: int) -> None:
        if total >= minimum:
            if not started:
                started.append(_start_bar(label, unit, total))
            bar, task = started[0]
            bar.update(task, completed=done)

    try:
        yield update
    finally:
        for bar, _ in started:
            bar.stop()


def _start_bar(label: str, unit: str, total: int) -> tuple[Progress, TaskID]:
    from rich import progress  # noqa: PLC0415 - only for large seeds
    from rich.console import Console  # noqa: PLC0415

    count_column = progress.TextColumn("{task.completed:,} of {task.total:,} " + unit)
    columns = (
        progress.TextColumn(label),
        progress.BarColumn(),
        progress.DownloadColumn() if unit == "bytes" else count_column,
        progress.TimeRemainingColumn(),
    )
    bar = progress.Progress(*columns, console=Console(stderr=True), transient=True)
    bar.start()
    return bar, bar.add_task(label, total=total)
