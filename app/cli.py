"""The command line of `cpc-record`."""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
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

    from app.seed.record import Record
    from app.seed.verification import Check

EXIT_INVALID, EXIT_USAGE, EXIT_ARCHIVE, EXIT_ADDRESS = 1, 2, 3, 4
_PROGRESS_MIN_BYTES = 5_000_000
"""Size of a seed from which compiling it shows a progress bar."""
_PROGRESS_MIN_ITEMS = 2_000
"""Number of rows or responses from which a progress bar is shown."""
_WORKER_TIMEOUT_SECONDS = 30
"""Time for a worker to respond to a health check, even while it starts, before it is restarted."""
_MAX_LISTED_ISSUES = 100

cli = typer.Typer(
    name="cpc-record",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    help="Serve the archived record of the United States–Peru Child Protection Compact as JSON.",
    epilog="Exit codes: 0 success; 1 invalid seed or failed check; 2 wrong usage or setting; 3 the "
    "archive cannot be read or written; 4 the address is not available. Every setting can come "
    "from the environment; options override it.",
)
SeedOption = Annotated[
    Path | None,
    typer.Option("--seed", metavar="FILE", help="Seed file [default: SEED_FILE]."),
]
ArchiveOption = Annotated[
    Path | None,
    typer.Option("--archive", metavar="FILE", help="Compiled database [default: ARCHIVE_FILE]."),
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
    _print_error(f"Release {opened.release[:12]} is {state}: {settings.archive_file}")
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
    typer.echo(f"{settings.archive_file}: release {opened.release}")
    typer.echo(f"{counts}; {seconds:.1f} s")
    typer.echo(f"Exports, in bytes: {sizes}")


@cli.command()
def verify(
    source: Annotated[
        list[str] | None,
        typer.Option(
            metavar="[ID=]FILE",
            help="Copy of an archived page, in which to find every quote. By default, it is "
            "compared with the source that it fits best. Repeat the option for several pages.",
        ),
    ] = None,
    mirror: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Static mirror to check."),
    ] = None,
    restore_times: Annotated[
        bool,
        typer.Option(
            "--restore-times",
            help="With `--mirror`: set lost modification times again, where the content is right.",
        ),
    ] = False,
    seed: SeedOption = None,
    archive: ArchiveOption = None,
) -> None:
    """Check the seed, and that the archive and the exports, if they were built, match it.

    With `--source`, also every quote against the archived page; with `--mirror`, also a static
    mirror against its manifest and against the API's responses.
    """
    if restore_times and mirror is None:
        _exit(EXIT_USAGE, "--restore-times requires --mirror DIR.")
    settings = _settings(SEED_FILE=seed, ARCHIVE_FILE=archive)
    from app.archive.release import check_archive  # noqa: PLC0415 - only needed here
    from app.exports.files import check_exports  # noqa: PLC0415 - only needed here
    from app.seed.record import load_record  # noqa: PLC0415 - only needed here
    from app.seed.verification import Check  # noqa: PLC0415 - only needed here

    with _exit_on_error():
        record = load_record(settings.seed_file)
        resources = sum(len(group) for group in record.resources.values())
        checks = [Check("The seed file is valid", count_noun(resources, "resource"))]
        checks.append(check_archive(settings.seed_file, settings.archive_file))
        checks.append(check_exports(settings.archive_file, record.release))
        for copy in source or ():
            checks += _source_checks(record, copy)
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


def _source_checks(record: Record, copy: str) -> list[Check]:
    """Compare the record with a copy of an archived page; exit if it cannot be read.

    Args:
        record: The record.
        copy: Path of the copy, after the id of its source and `=` if that is given.
    """
    from app.seed.verification import check_source  # noqa: PLC0415 - only needed here

    source_id, separator, path = copy.partition("=")
    if not separator or Path(copy).exists():
        source_id, path = "", copy
    try:
        return check_source(record, Path(path).read_bytes(), source_id or None)
    except (OSError, ValueError) as error:
        _exit(EXIT_USAGE, f"{path} cannot be read as the archived page: {error}.")


def _mirror_checks(settings: Settings, mirror: Path, *, restore_times: bool) -> list[Check]:
    """Compare a mirror with its manifest and with the API's responses."""
    from app.mirror.check import check_mirror  # noqa: PLC0415 - only needed here

    with _progress_bar("Comparing", "responses", _PROGRESS_MIN_ITEMS) as progress:
        check = partial(check_mirror, settings, mirror, progress, restore_times=restore_times)
        return anyio.run(check)


def _report(checks: Sequence[Check]) -> None:
    """Print the results; exit with a code if there are issues."""
    _print_table(checks)
    issues = [issue for check in checks for issue in check.issues]
    for issue in issues[:_MAX_LISTED_ISSUES]:
        _print_error(str(issue))
    if len(issues) > _MAX_LISTED_ISSUES:
        _print_error(f"and {len(issues) - _MAX_LISTED_ISSUES} more")
    if issues:
        raise typer.Exit(EXIT_INVALID)


def _print_table(checks: Sequence[Check]) -> None:
    from rich.console import Console  # noqa: PLC0415 - only needed here
    from rich.table import Table  # noqa: PLC0415

    table = Table("Check", "Found", "Result")
    for check in checks:
        passed = "[yellow]skipped" if check.skipped else "[green]ok"
        result = f"[red]{len(check.issues)} wrong" if check.issues else passed
        table.add_row(check.name, check.summary, result)
    Console(soft_wrap=True, highlight=False).print(table)


def _print_error(message: str) -> None:
    """Print to stderr, as stdout is for programs to read."""
    typer.echo(message, err=True)


def _exit(code: int, message: str) -> NoReturn:
    _print_error(message)
    raise typer.Exit(code)
