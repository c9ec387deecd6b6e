"""The command line of `cpc-record`."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import anyio
import typer

from app.archive.archive import COLLECTIONS, Archive, ArchiveError, ProgressCallback
from app.archive.release import build_archive, build_if_stale
from app.models.notation import count_noun
from app.seed.errors import SeedError
from app.settings import ConfigurationError, Settings, read_settings

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from app.seed.captures import ArchivedPage
    from app.seed.copies import PageCopy
    from app.seed.drafts import Draft
    from app.seed.editing import Report
    from app.seed.errors import Issue
    from app.seed.record import Record
    from app.seed.report import Check

EXIT_INVALID, EXIT_USAGE, EXIT_ARCHIVE, EXIT_ADDRESS, EXIT_DIFFERENT = 1, 2, 3, 4, 5
_PROGRESS_MIN_BYTES = 5_000_000
"""Size of a seed from which compiling it shows a progress bar."""
_PROGRESS_MIN_ITEMS = 2_000
"""Number of rows or responses from which a progress bar is shown."""
_WORKER_TIMEOUT_SECONDS = 30
"""Time for a worker to respond to a health check, even while it starts, before it is restarted."""
_MAX_LISTED_ISSUES = 100
_EDITING = "Commands for editing a seed"

cli = typer.Typer(
    name="cpc-record",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    help="Check, compile and serve the record of archived web pages in a seed file.",
    epilog="Exit codes: 0 success; 1 invalid seed or failed check; 2 wrong usage or setting; 3 the "
    "archive cannot be read or written; 4 the address is not available; 5 a copy of a page has "
    "every quote, but is not the cited text. Every setting can come from the environment; options "
    "override it.",
)
SeedOption = Annotated[
    Path | None,
    typer.Option("--seed", metavar="FILE", help="Seed file [default: SEED_FILE]."),
]
ArchiveOption = Annotated[
    Path | None,
    typer.Option("--archive", metavar="FILE", help="Compiled database [default: ARCHIVE_FILE]."),
]


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
MirrorOption = Annotated[Path | None, typer.Option(metavar="DIR", help="Static mirror to check.")]
RestoreTimesOption = Annotated[
    bool,
    typer.Option(
        "--restore-times",
        help="With `--mirror`: set lost modification times again, where the content is right.",
    ),
]
CopyOption = Annotated[
    str,
    typer.Option(
        "--source", metavar="[ID=]FILE", help="Copy of the page, after the id of its source."
    ),
]
CopiesOption = Annotated[
    list[str],
    typer.Option(
        "--source",
        metavar="[ID=]FILE",
        help="Copy of a page, after the id of its source if the seed has several. Repeat the "
        "option for several pages.",
    ),
]


@cli.command()
def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on [default: HOST].")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on [default: PORT].")] = None,
    workers: Annotated[
        int | None, typer.Option(help="Worker processes [default: WORKERS].")
    ] = None,
    seed: SeedOption = None,
    archive: ArchiveOption = None,
) -> None:
    """Serve the record over HTTP, after compiling it if needed."""
    settings = _settings(
        HOST=host, PORT=port, WORKERS=workers, SEED_FILE=seed, ARCHIVE_FILE=archive
    )
    from app.server.telemetry import check_telemetry  # noqa: PLC0415 - only needed here

    with _exit_on_error(), _progress_bar() as progress:
        check_telemetry(settings)
        compiled = build_if_stale(settings.seed_file, settings.archive_file, progress)
        opened = Archive.open(settings.archive_file)
        opened.close()
    _check_address(settings.host, settings.port)
    state = "compiled" if compiled else "up to date"
    name = f"{opened.label} ({opened.release[:12]})"
    _print_error(f"Release {name} is {state}: {settings.archive_file}")
    if settings.port:
        host = f"[{settings.host}]" if ":" in settings.host else settings.host
        _print_error(f"Record page: http://{host}:{settings.port}/")
        _print_error(f"Documentation: http://{host}:{settings.port}/docs")
    _run_server(settings)


@cli.command("build")
def build_(seed: SeedOption = None, archive: ArchiveOption = None) -> None:
    """Check the seed, compile it to the archive, and write the export files next to it."""
    settings = _settings(SEED_FILE=seed, ARCHIVE_FILE=archive)
    from app.exports.catalog import ExportCatalog  # noqa: PLC0415 - only needed here

    started = time.perf_counter()
    with _exit_on_error():
        with _progress_bar() as progress:
            build_archive(settings.seed_file, settings.archive_file, progress)
        opened = Archive.open(settings.archive_file)
        with _progress_bar("Writing exports", "rows", _PROGRESS_MIN_ITEMS) as progress:
            digests = anyio.run(ExportCatalog(opened, settings).build, progress)
        opened.close()
    seconds = time.perf_counter() - started
    counts = ", ".join(
        f"{count} {COLLECTIONS[name].type if count == 1 else name}"
        for name, count in opened.counts.items()
    )
    sizes = ", ".join(f"{name} {digest.bytes}" for name, digest in digests.items())
    typer.echo(f"{settings.archive_file}: release {opened.label} ({opened.release})")
    typer.echo(f"{counts}; {seconds:.1f} s")
    typer.echo(f"Exports, in bytes: {sizes}")


@cli.command()
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
    static mirror against its manifest and against the API's responses.

    The exit code is 5 if all that is wrong is that a copy is not the cited text, byte for byte,
    while all quotes stand in it, in order.
    """
    if restore_times and mirror is None:
        _exit(EXIT_USAGE, "--restore-times requires --mirror DIR.")
    if capture is not None and not source:
        _exit(EXIT_USAGE, "--capture requires --source FILE.")
    settings = _settings(SEED_FILE=seed, ARCHIVE_FILE=archive)
    with _exit_on_error():
        record, checks = _record_checks(settings)
        for copy in source or ():
            checks += _source_checks(record, copy, capture)
        if mirror is not None:
            checks += _mirror_checks(settings, mirror, restore_times=restore_times)
    _report(checks)


@cli.command()
def freeze(
    folder: Annotated[
        Path,
        typer.Argument(
            metavar="DIR",
            help="Directory to write to: new, empty, or an older mirror, which is replaced.",
        ),
    ],
    seed: SeedOption = None,
    archive: ArchiveOption = None,
) -> None:
    """Write a static mirror of the API, with configurations for nginx and Caddy."""
    settings = _settings(SEED_FILE=seed, ARCHIVE_FILE=archive)
    from app.mirror.freeze import MirrorError, freeze_record  # noqa: PLC0415 - only needed here

    started = time.perf_counter()
    with _exit_on_error():
        with _progress_bar() as progress:
            build_if_stale(settings.seed_file, settings.archive_file, progress)
        try:
            with _progress_bar("Freezing", "responses", _PROGRESS_MIN_ITEMS) as progress:
                frozen = anyio.run(freeze_record, settings, folder, progress)
        except MirrorError as error:
            _exit(EXIT_ARCHIVE, str(error))
    seconds = time.perf_counter() - started
    typer.echo(
        f"{folder}: {count_noun(frozen.addresses, 'URL')} in {count_noun(frozen.files, 'file')}"
    )
    rate = count_noun(round(frozen.addresses / seconds), "URL")
    typer.echo(f"{count_noun(frozen.bytes, 'byte')}; {seconds:.1f} s, {rate} per second")


@cli.command(rich_help_panel=_EDITING)
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
        _exit(EXIT_USAGE, f"{seed} exists already; choose another name.")
    [(id_, copy)] = _read_copy(source, [ArchivedPage("", url)])
    draft = new_draft(seed, url, id_ or slug_of(url), copy)
    schema = json.dumps(seed_schema(), indent=2, ensure_ascii=False)
    _write_file(seed.with_name(SCHEMA_FILE), f"{schema}\n")
    _write_file(seed, draft.text)
    typer.echo(f"{seed}: one resource of each type; its JSON Schema is {SCHEMA_FILE}")


@cli.command(rich_help_panel=_EDITING)
def quote(
    words: Annotated[str, typer.Argument(help="Words of the page, at most 80 characters.")],
    source: CopyOption,
) -> None:
    """Print words of a page as a quote for the seed: one line of JSON for each occurrence.

    A quote has the position of the words, and a prefix or suffix if they occur more than once.

    Example: `cpc-record quote --source page.txt 'a four-year plan'`
    """
    from app.seed.editing import report_quotes  # noqa: PLC0415 - only needed here

    [(id_, copy)] = _read_copy(source)
    _print_report(report_quotes(copy.text, words, id_))


@cli.command(rich_help_panel=_EDITING)
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


@cli.command(rich_help_panel=_EDITING)
def coverage(source: CopiesOption, seed: SeedOption = None) -> None:
    """List the sentences of pages that nothing in the seed cites yet; fail if there are any.

    Furniture, such as a banner, need not be cited. The seed need not be valid.

    Example: `cpc-record coverage --source page.txt --seed seed.json`
    """
    from app.seed.drafts import fill_in  # noqa: PLC0415 - only needed here
    from app.seed.editing import report_coverage  # noqa: PLC0415

    draft, copies = _read_draft(seed, source)
    _print_report(report_coverage(fill_in(draft, copies).draft, copies))


@cli.command(rich_help_panel=_EDITING)
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
    paths = [Path(_split_copy(argument)[1]) for argument in source]
    with suppress(KeyboardInterrupt):
        for _ in each_save([_settings(SEED_FILE=seed).seed_file, *paths]):
            Console().clear()
            with suppress(typer.Exit):
                draft, copies = _read_draft(seed, source)
                errors_of = partial(_errors_of, copies=copies)
                _print_report(report_state(draft, copies, errors_of))


@cli.command(rich_help_panel=_EDITING)
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

    path = _settings(SEED_FILE=seed).seed_file
    with _exit_on_error(), _progress_bar() as progress:
        planned = plan_release(path, note, replace=replace, progress=progress)
    if planned.is_complete:
        typer.echo(f"{path} is release {planned.label}: {planned.file}")
        return
    if check:
        _exit(EXIT_INVALID, f"{path} is not filed as a release. Run `cpc-record release`.")
    if planned.note is None:
        _exit(EXIT_USAGE, "--note TEXT is required: why the release is made.")
    for line in planned.describe():
        typer.echo(line)
    if not yes:
        typer.confirm(f"File it as {planned.file}?", abort=True)
    with _exit_on_error():
        write_release(planned)
    typer.echo(f"{path} is release {planned.label}: {planned.file}")


@cli.command()
def schema() -> None:
    """Print the JSON Schema of the seed file."""
    from app.seed.record import seed_schema  # noqa: PLC0415 - only needed here

    print(json.dumps(seed_schema(), indent=2, ensure_ascii=False))


@cli.command()
def openapi(seed: SeedOption = None, archive: ArchiveOption = None) -> None:
    """Print the OpenAPI document of the API, with examples from the record."""
    settings = _settings(SEED_FILE=seed, ARCHIVE_FILE=archive)
    from app.main import create_app  # noqa: PLC0415 - only needed here
    from app.routers.openapi import openapi_document  # noqa: PLC0415

    with _exit_on_error():
        build_if_stale(settings.seed_file, settings.archive_file)
        opened = Archive.open(settings.archive_file)
    document = openapi_document(create_app(settings), opened)
    print(json.dumps(document, indent=2, ensure_ascii=False))
    opened.close()


def main() -> None:
    """Run the command line: the entry point of `cpc-record` and `python -m app`."""
    cli()


def _settings(**options: object) -> Settings:
    """Read the settings, after writing options to the environment, where workers read them."""
    os.environ.update({name: str(value) for name, value in options.items() if value is not None})
    try:
        return read_settings()
    except ConfigurationError as error:
        _exit(EXIT_USAGE, str(error))


def _run_server(settings: Settings) -> None:
    """Run uvicorn until SIGINT or SIGTERM."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    import uvicorn  # noqa: PLC0415 - only needed here

    from app.server.logs import logging_config  # noqa: PLC0415 - only needed here

    uvicorn.run(
        "app.main:app",
        host=settings.host,
        port=settings.port,
        workers=settings.workers,
        http="app.server.connections:Connection",
        ws="none",
        log_level=settings.log_level,
        log_config=logging_config(settings.log_format, settings.log_level),
        access_log=False,  # the application has its own
        server_header=False,
        proxy_headers=settings.forwarded_allow_ips is not None,
        forwarded_allow_ips=settings.forwarded_allow_ips,
        timeout_keep_alive=settings.idle_seconds,
        timeout_graceful_shutdown=settings.stop_seconds,
        timeout_worker_healthcheck=_WORKER_TIMEOUT_SECONDS,
    )


def _check_address(host: str, port: int) -> None:
    """Exit with a message if the address is not available."""
    try:
        family, socket_type, _, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        with socket.socket(family, socket_type) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        reason = error.strerror or error
        _exit(EXIT_ADDRESS, f"Cannot listen on {host} port {port}: {reason}. See HOST and PORT.")


@contextmanager
def _exit_on_error() -> Iterator[None]:
    """Turn the project's own exceptions into a message and an exit code."""
    try:
        yield
    except SeedError as error:
        _exit(EXIT_INVALID, str(error))
    except ArchiveError as error:
        _exit(EXIT_ARCHIVE, str(error))
    except ConfigurationError as error:
        _exit(EXIT_USAGE, str(error))


@contextmanager
def _progress_bar(
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
        check_exports(settings.archive_file, record.release),
    ]


def _source_checks(record: Record, copy: str, capture: str | None) -> list[Check]:
    """Compare the record with a copy of archived pages; exit if it cannot be read.

    Args:
        record: The record.
        copy: Path of the copy, after the id of its source and `=` if that is given.
        capture: Time of the capture in a web archive.
    """
    from app.seed.verification import verify_copies  # noqa: PLC0415 - only needed here

    source_id, path = _split_copy(copy)
    try:
        return verify_copies(record, str(path), source_id or None, capture)
    except (OSError, ValueError) as error:
        _exit(EXIT_USAGE, f"{path} cannot be read as the archived page: {error}.")


def _read_copy(argument: str, pages: Sequence[ArchivedPage] = ()) -> list[tuple[str, PageCopy]]:
    """The copies in a file, each with the id of its source, empty if that is not known.

    Args:
        argument: Path of the file, after the id of the source and `=` if that is given.
        pages: The pages that it may be a copy of.
    """
    from app.seed.copies import read_copies  # noqa: PLC0415 - only needed here

    id_, path = _split_copy(argument)
    try:
        copies = read_copies(path, [page for page in pages if not id_ or page.source in ("", id_)])
    except (OSError, ValueError) as error:
        _exit(EXIT_USAGE, f"{path} cannot be read as the archived page: {error}.")
    return [(id_ or copy.source or "", copy) for copy in copies]


def _split_copy(argument: str) -> tuple[str, str]:
    """The id of the source before a copy, empty if none is given, and its path."""
    id_, separator, path = argument.partition("=")
    return ("", argument) if not separator or Path(argument).exists() else (id_, path)


def _read_draft(seed: Path | None, arguments: Sequence[str]) -> tuple[Draft, dict[str, PageCopy]]:
    """The seed as it is written, and the copies by the id of their source."""
    from app.seed.drafts import Draft, match_copies  # noqa: PLC0415 - only needed here

    path = _settings(SEED_FILE=seed).seed_file
    with _exit_on_error():
        draft = Draft.read(path)
    pages = draft.pages()
    try:
        return draft, match_copies(
            draft, [copy for argument in arguments for copy in _read_copy(argument, pages)]
        )
    except ValueError as error:
        _exit(EXIT_USAGE, f"{path}: {error}.")


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
        _exit(EXIT_ARCHIVE, f"{path.parent} cannot be written to: {error.strerror or error}.")


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
        _print_error(message)
    if report.failed:
        raise typer.Exit(EXIT_INVALID)


def _mirror_checks(settings: Settings, mirror: Path, *, restore_times: bool) -> list[Check]:
    """Compare a mirror with its manifest and with the API's responses."""
    from app.mirror.check import check_mirror  # noqa: PLC0415 - only needed here

    with _progress_bar("Comparing", "responses", _PROGRESS_MIN_ITEMS) as progress:
        check = partial(check_mirror, settings, mirror, progress, restore_times=restore_times)
        return anyio.run(check)


def _report(checks: Sequence[Check]) -> None:
    """Print the results; exit with a code if there are issues or differences."""
    _print_table(checks)
    issues = [issue for check in checks for issue in check.issues]
    differences = [difference for check in checks for difference in check.differences]
    for listed in (issues, differences):
        for issue in listed[:_MAX_LISTED_ISSUES]:
            _print_error(str(issue))
        if len(listed) > _MAX_LISTED_ISSUES:
            _print_error(f"and {len(listed) - _MAX_LISTED_ISSUES} more")
    if issues:
        raise typer.Exit(EXIT_INVALID)
    if differences:
        _print_error("Not the cited text, byte for byte, but every quote stands in it, in order.")
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


def _print_error(message: str) -> None:
    """Print to stderr, as stdout is for programs to read."""
    typer.echo(message, err=True)


def _exit(code: int, message: str) -> NoReturn:
    _print_error(message)
    raise typer.Exit(code)
