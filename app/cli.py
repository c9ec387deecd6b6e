"""The command line: serve, build and verify the record."""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import anyio
import typer

from app.archive.archive import Archive, ArchiveError
from app.archive.archive import ProgressCallback as Told
from app.archive.release import build_archive, build_if_stale
from app.seed.errors import SeedError
from app.settings import ConfigurationError, Settings, read_settings

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from app.seed.verification import Check

FAULTY, MISUSED, UNWRITABLE, UNREACHABLE = 1, 2, 3, 4
_WORTH_A_BAR = 5_000_000
_PATIENCE = 30
"""Seconds that a process may be busy, with starting say, before it is taken for dead."""
_MANY = 2_000
"""Answers from which on there is a bar."""
_SHOWN = 100
"""Most issues that are listed."""

cli = typer.Typer(
    name="cpc-record",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    help="Serve the archived record of the United States–Peru Child Protection Compact as JSON.",
    epilog="Exit codes: 0 all is well, 1 the record is faulty or a check failed, 2 wrong usage or "
    "setting, 3 the archive cannot be written or read, 4 the address cannot be listened on. Every "
    "setting can be given by the environment; options win.",
)
Seed = Annotated[
    Path | None,
    typer.Option("--seed", metavar="FILE", help="The record; SEED_FILE if not given."),
]
Target = Annotated[
    Path | None,
    typer.Option(
        "--archive", metavar="FILE", help="The compiled record; ARCHIVE_FILE if not given."
    ),
]


@cli.command()
def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on; HOST.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on; PORT.")] = None,
    workers: Annotated[int | None, typer.Option(help="Processes to answer with; WORKERS.")] = None,
    seed: Seed = None,
    archive: Target = None,
) -> None:
    """Serve the record over HTTP, compiling it first where that is needed."""
    settings = _settings(
        HOST=host, PORT=port, WORKERS=workers, SEED_FILE=seed, ARCHIVE_FILE=archive
    )
    from app.server.telemetry import check_telemetry  # noqa: PLC0415 - the other commands do without it

    with _told(), _bar() as progress:
        check_telemetry(settings)
        compiled = build_if_stale(settings.seed_file, settings.archive_file, progress)
        opened = Archive.open(settings.archive_file)
        opened.close()
    _try_address(settings.host, settings.port)
    state = "compiled" if compiled else "up to date"
    _say(f"Record {opened.release[:12]} is {state}: {settings.archive_file}")
    if settings.port:
        host = f"[{settings.host}]" if ":" in settings.host else settings.host
        _say(f"Documentation: http://{host}:{settings.port}/docs")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    import uvicorn  # noqa: PLC0415 - the other commands do without it

    from app.server.logs import logging_config  # noqa: PLC0415 - as above

    uvicorn.run(
        "app.main:app",
        host=settings.host,
        port=settings.port,
        workers=settings.workers,
        http="app.server.connections:Connection",
        ws="none",
        log_level=settings.log_level,
        log_config=logging_config(settings.log_format, settings.log_level),
        access_log=False,  # the application logs its requests itself
        server_header=False,
        proxy_headers=settings.forwarded_allow_ips is not None,
        forwarded_allow_ips=settings.forwarded_allow_ips,
        timeout_keep_alive=settings.idle_seconds,
        timeout_graceful_shutdown=settings.stop_seconds,
        timeout_worker_healthcheck=_PATIENCE,
    )


@cli.command("build")
def build_(seed: Seed = None, archive: Target = None) -> None:
    """Check the record, compile it into the archive, and write the exports beside it."""
    settings = _settings(SEED_FILE=seed, ARCHIVE_FILE=archive)
    from app.exports.catalog import ExportCatalog  # noqa: PLC0415 - serving makes them at first use

    started = time.perf_counter()
    with _told():
        with _bar() as progress:
            build_archive(settings.seed_file, settings.archive_file, progress)
        opened = Archive.open(settings.archive_file)
        with _bar("Writing exports", "rows", _MANY) as progress:
            digests = anyio.run(ExportCatalog(opened, settings).build, progress)
        opened.close()
    seconds = time.perf_counter() - started
    counted = ", ".join(f"{count} {name}" for name, count in opened.counts.items())
    typer.echo(f"{settings.archive_file}: release {opened.release}")
    kept = ", ".join(f"{name} {one.bytes}" for name, one in digests.items())
    typer.echo(f"{counted}; {seconds:.1f} s")
    typer.echo(f"Exports, in bytes: {kept}")


@cli.command()
def verify(
    source: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="A copy of the archived page to check every quote in."),
    ] = None,
    mirror: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="A mirror to check, file by file and answer by answer."),
    ] = None,
    seed: Seed = None,
    archive: Target = None,
) -> None:
    """Check the record, the archive against it, and the record against the archived page.

    With `--mirror`, a mirror too: against its manifest, and against the answers of this record.
    """
    settings = _settings(SEED_FILE=seed, ARCHIVE_FILE=archive)
    from app.archive.release import check_archive  # noqa: PLC0415 - as above
    from app.exports.files import check_exports  # noqa: PLC0415 - as above
    from app.seed.record import load_record  # noqa: PLC0415 - serving never needs it
    from app.seed.verification import Check, check_source  # noqa: PLC0415 - as above

    with _told():
        record = load_record(settings.seed_file)
        resources = sum(len(group) for group in record.resources.values())
        checks = [Check("The seed file is sound", f"{resources} resources")]
        if settings.archive_file.exists():
            checks.append(check_archive(settings.seed_file, settings.archive_file))
            checks.append(check_exports(settings.archive_file, record.release))
        if source is not None:
            try:
                checks += check_source(record, source.read_bytes())
            except (OSError, ValueError) as error:
                _stop(MISUSED, f"{source} cannot be read as the archived page: {error}.")
        if mirror is not None:
            from app.mirror.check import check_mirror  # noqa: PLC0415 - as above

            with _bar("Comparing", "answers", _MANY) as progress:
                checks += anyio.run(check_mirror, settings, mirror, progress)
    _conclude(checks)


@cli.command()
def freeze(
    folder: Annotated[
        Path,
        typer.Argument(
            metavar="DIR",
            help="Where the mirror goes: new, empty, or a mirror that is replaced as a whole.",
        ),
    ],
    seed: Seed = None,
    archive: Target = None,
) -> None:
    """Write every default answer as a file, for nginx, Caddy or any other web server."""
    settings = _settings(SEED_FILE=seed, ARCHIVE_FILE=archive)
    from app.mirror.freeze import MirrorError, freeze_record  # noqa: PLC0415 - serving never needs it

    started = time.perf_counter()
    with _told():
        with _bar() as progress:
            build_if_stale(settings.seed_file, settings.archive_file, progress)
        try:
            with _bar("Freezing", "answers", _MANY) as progress:
                frozen = anyio.run(freeze_record, settings, folder, progress)
        except MirrorError as error:
            _stop(UNWRITABLE, str(error))
    seconds = time.perf_counter() - started
    typer.echo(f"{folder}: {frozen.addresses} addresses in {frozen.files} files")
    rate = frozen.addresses / seconds
    typer.echo(f"{frozen.bytes} bytes; {seconds:.1f} s, {rate:.0f} addresses a second")


@cli.command()
def schema() -> None:
    """Print the JSON Schema of the seed file."""
    from app.seed.record import seed_schema  # noqa: PLC0415 - serving never needs it

    print(json.dumps(seed_schema(), indent=2, ensure_ascii=False))


@cli.command()
def openapi(seed: Seed = None, archive: Target = None) -> None:
    """Print the OpenAPI document of the API, with examples from the record."""
    settings = _settings(SEED_FILE=seed, ARCHIVE_FILE=archive)
    from app.main import create_app  # noqa: PLC0415 - the other commands do without it
    from app.routers.openapi import openapi_document  # noqa: PLC0415

    with _told():
        build_if_stale(settings.seed_file, settings.archive_file)
        opened = Archive.open(settings.archive_file)
    document = openapi_document(create_app(settings), opened)
    print(json.dumps(document, indent=2, ensure_ascii=False))
    opened.close()


def main() -> None:
    """The entry point of `cpc-record` and `python -m app`."""
    cli()


def _settings(**options: object) -> Settings:
    """The settings, options first; left in the environment for worker processes to read."""
    os.environ.update({name: str(value) for name, value in options.items() if value is not None})
    try:
        return read_settings()
    except ConfigurationError as error:
        _stop(MISUSED, str(error))


def _try_address(host: str, port: int) -> None:
    """Stop with a sentence where the address cannot be listened on."""
    try:
        family, kind, _, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        with socket.socket(family, kind) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        reason = error.strerror or error
        _stop(UNREACHABLE, f"Cannot listen on {host} port {port}: {reason}. See HOST and PORT.")


@contextmanager
def _told() -> Iterator[None]:
    """Turns the project's own errors into a sentence and an exit code."""
    try:
        yield
    except SeedError as error:
        _stop(FAULTY, str(error))
    except ArchiveError as error:
        _stop(UNWRITABLE, str(error))
    except ConfigurationError as error:
        _stop(MISUSED, str(error))


@contextmanager
def _bar(
    doing: str = "Compiling", unit: str = "bytes", worth: int = _WORTH_A_BAR
) -> Iterator[Told]:
    """A progress bar on a terminal, once there is enough to do."""
    shown: list[tuple[Progress, TaskID]] = []

    def told(done: int, total: int) -> None:
        if total >= worth:
            if not shown:
                shown.append(_start_bar(doing, unit, total))
            bar, task = shown[0]
            bar.update(task, completed=done)

    try:
        yield told
    finally:
        for bar, _ in shown:
            bar.stop()


def _start_bar(doing: str, unit: str, total: int) -> tuple[Progress, TaskID]:
    from rich import progress  # noqa: PLC0415 - most starts have nothing to wait for
    from rich.console import Console  # noqa: PLC0415

    counted = progress.TextColumn("{task.completed:,} of {task.total:,} " + unit)
    columns = (
        progress.TextColumn(doing),
        progress.BarColumn(),
        progress.DownloadColumn() if unit == "bytes" else counted,
        progress.TimeRemainingColumn(),
    )
    bar = progress.Progress(*columns, console=Console(stderr=True), transient=True)
    bar.start()
    return bar, bar.add_task(doing, total=total)


def _conclude(checks: Sequence[Check]) -> None:
    """Show what was checked and what was missed; with issues, the exit code says so."""
    _show(checks)
    issues = [issue for check in checks for issue in check.issues]
    for issue in issues[:_SHOWN]:
        _say(str(issue))
    if len(issues) > _SHOWN:
        _say(f"and {len(issues) - _SHOWN} more")
    if issues:
        raise typer.Exit(FAULTY)


def _show(checks: Sequence[Check]) -> None:
    from rich.console import Console  # noqa: PLC0415 - serving never needs it
    from rich.table import Table  # noqa: PLC0415

    table = Table("Check", "Found", "Result")
    for check in checks:
        result = f"[red]{len(check.issues)} wrong" if check.issues else "[green]ok"
        table.add_row(check.name, check.summary, result)
    Console(soft_wrap=True, highlight=False).print(table)


def _say(message: str) -> None:
    """Tell the person, not the program that reads the output."""
    typer.echo(message, err=True)


def _stop(code: int, message: str) -> NoReturn:
    _say(message)
    raise typer.Exit(code)
