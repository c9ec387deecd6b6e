"""Commands for editing a seed."""

from __future__ import annotations

import json
import shutil
import signal
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from app.commands.options import CopiesOption, CopyOption, SeedOption, settings_with, split_copy
from app.commands.output import (
    EXIT_ARCHIVE,
    EXIT_INVALID,
    EXIT_USAGE,
    exit_if_unreadable,
    exit_on_error,
    exit_with,
    print_error,
)
from app.seed.errors import SeedError

if TYPE_CHECKING:
    from app.seed.captures import ArchivedPage
    from app.seed.copies import PageCopy
    from app.seed.drafts import Draft
    from app.seed.editing import Report
    from app.seed.errors import Issue


def new(
    seed: Annotated[Path, typer.Argument(metavar="SEED", help="Seed file to write.")],
    source: CopyOption,
    url: Annotated[str, typer.Option(metavar="URL", help="URL of the page.")],
) -> None:
    """Write the skeleton of a seed for a page, and the JSON Schema that completes it.

    It has one resource of each type. Texts that are left empty have to be written; `build` lists
    each of them. Nothing is overwritten.

    Example: `cpc-record new --source page.txt --url https://example.org/page seed.json`
    """
    from app.seed.captures import ArchivedPage  # noqa: PLC0415 - only needed here
    from app.seed.editing import new_draft  # noqa: PLC0415
    from app.seed.record import seed_schema  # noqa: PLC0415
    from app.seed.skeleton import SCHEMA_FILE, slug_of  # noqa: PLC0415

    if seed.exists():
        exit_with(EXIT_USAGE, f"{seed} exists already; choose another name.")
    [(id_, copy)] = _read_copy(source, [ArchivedPage("", url)])
    draft = new_draft(seed, url, id_ or slug_of(url), copy)
    schema = json.dumps(seed_schema(), indent=2, ensure_ascii=False)
    _write_file(seed.with_name(SCHEMA_FILE), f"{schema}\n")
    _write_file(seed, draft.text)
    typer.echo(f"{seed}: one resource of each type; its JSON Schema is {SCHEMA_FILE}")


def quote(
    words: Annotated[str, typer.Argument(help="Words of the page, at most 80 characters.")],
    source: CopyOption,
    url: Annotated[
        str, typer.Option(metavar="URL", help="URL of the page, to find it in a web archive.")
    ] = "",
) -> None:
    """Print words of a page as a quote for the seed: one line of JSON for each occurrence.

    A quote has the position of the words, and a prefix or suffix if they occur more than once.

    Example: `cpc-record quote --source page.txt 'a four-year plan'`
    """
    from app.seed.captures import ArchivedPage  # noqa: PLC0415 - only needed here
    from app.seed.editing import report_quotes  # noqa: PLC0415

    [(id_, copy)] = _read_copy(source, [ArchivedPage("", url)] if url else ())
    _print_report(report_quotes(copy.text, words, id_))


def cite(
    source: CopiesOption,
    seed: SeedOption = None,
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing; fail if anything is left out.")
    ] = False,
    renew: Annotated[
        bool, typer.Option("--renew", help="Also replace what differs from the copies.")
    ] = False,
) -> None:
    """Fill in what the seed leaves out and copies of its pages tell; change nothing else.

    That is the source, position and, where needed, prefix or suffix of quotes, the position of
    furniture, and the SHA-256 and length of sources. The seed need not be valid.

    Example: `cpc-record cite --source page.txt --seed seed.json`
    """
    from app.seed.drafts import fill_in  # noqa: PLC0415 - only needed here
    from app.seed.editing import report_filled  # noqa: PLC0415

    draft, copies = _read_draft(seed, source)
    filled = fill_in(draft, copies, renew=renew)
    if filled.added and not check:
        _write_file(draft.path, filled.draft.text)
    _print_report(report_filled(filled, check=check))


def coverage(source: CopiesOption, seed: SeedOption = None) -> None:
    """List the sentences of pages that nothing in the seed cites yet; fail if there are any.

    Furniture, such as a banner, need not be cited. The seed need not be valid.

    Example: `cpc-record coverage --source page.txt --seed seed.json`
    """
    from app.seed.drafts import fill_in  # noqa: PLC0415 - only needed here
    from app.seed.editing import report_coverage  # noqa: PLC0415

    draft, copies = _read_draft(seed, source)
    _print_report(report_coverage(fill_in(draft, copies).draft, copies))


def edit(source: CopiesOption, seed: SeedOption = None) -> None:
    """Show the errors and the coverage of the seed, again on every save, until Ctrl-C.

    These are the errors that `build` finds or, once there are none, those that `verify` finds. What
    `cite` fills in is not an error.

    Example: `cpc-record edit --source page.txt --seed seed.json`
    """
    from rich.console import Console  # noqa: PLC0415 - only needed here

    from app.seed.editing import report_state  # noqa: PLC0415
    from app.seed.watching import each_save  # noqa: PLC0415

    signal.signal(signal.SIGTERM, signal.default_int_handler)
    paths = [Path(split_copy(argument)[1]) for argument in source]
    with suppress(KeyboardInterrupt):
        for _ in each_save([settings_with(SEED_FILE=seed).seed_file, *paths]):
            Console().clear()
            with suppress(typer.Exit):
                draft, copies = _read_draft(seed, source)
                errors_of = partial(_errors_of, copies=copies)
                _print_report(report_state(draft, copies, errors_of))


def _read_copy(argument: str, pages: Sequence[ArchivedPage] = ()) -> list[tuple[str, PageCopy]]:
    """The copies in a file, each with the id of its source, empty if that is not known.

    Args:
        argument: Path of the file, after the id of the source and `=` if that is given.
        pages: The pages that it may be a copy of.
    """
    from app.seed.copies import read_copies  # noqa: PLC0415 - only needed here

    id_, path = split_copy(argument)
    with exit_if_unreadable(path):
        copies = read_copies(path, [page for page in pages if not id_ or page.source in ("", id_)])
    return [(id_ or copy.source or "", copy) for copy in copies]


def _read_draft(seed: Path | None, arguments: Sequence[str]) -> tuple[Draft, dict[str, PageCopy]]:
    """The seed as it is written, and the copies by the id of their source."""
    from app.seed.drafts import Draft, match_copies  # noqa: PLC0415 - only needed here

    path = settings_with(SEED_FILE=seed).seed_file
    with exit_on_error():
        draft = Draft.read(path)
    pages = draft.pages()
    try:
        return draft, match_copies(
            draft, [copy for argument in arguments for copy in _read_copy(argument, pages)]
        )
    except ValueError as error:
        exit_with(EXIT_USAGE, f"{path}: {error}.")


def _write_file(path: Path, text: str) -> None:
    """Replace a file atomically, or what it links to; an existing one keeps its permissions."""
    from app.archive.atomic import move_into_place  # noqa: PLC0415 - only needed here

    target = path.resolve()
    with _written_next_to(target, text) as temporary:
        if target.exists():
            shutil.copymode(target, temporary)
        move_into_place(temporary, target)


@contextmanager
def _written_next_to(path: Path, text: str) -> Iterator[Path]:
    """A temporary file with this text in the directory of another; exit if it cannot be written."""
    from app.archive.atomic import temporary_file  # noqa: PLC0415 - only needed here

    try:
        with temporary_file(path) as temporary:
            temporary.write_bytes(text.encode())
            yield temporary
    except OSError as error:
        exit_with(EXIT_ARCHIVE, f"{path.parent} cannot be written to: {error.strerror or error}.")


def _errors_of(draft: Draft, copies: Mapping[str, PageCopy]) -> Sequence[Issue]:
    """The errors of a draft; if it is valid, what `verify` finds in it, except for the coverage.

    For that, it is written next to its file for a moment.
    """
    from app.seed.record import load_record  # noqa: PLC0415 - only needed here
    from app.seed.verification import COVERAGE_CHECK, check_source  # noqa: PLC0415

    with _written_next_to(draft.path, draft.text) as path:
        try:
            record = load_record(path)
        except SeedError as error:
            return error.issues
    checks = (check for id_, copy in copies.items() for check in check_source(record, copy, id_))
    return [issue for check in checks if check.name != COVERAGE_CHECK for issue in check.issues]


def _print_report(report: Report) -> None:
    """Print a report; exit with a code if it says that something is missing or wrong."""
    for line in report.output:
        typer.echo(line)
    for message in report.messages:
        print_error(message)
    if report.failed:
        raise typer.Exit(EXIT_INVALID)
