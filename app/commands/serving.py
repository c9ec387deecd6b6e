"""The command that serves the record."""

from __future__ import annotations

import signal
import socket
import sys
from typing import Annotated

import typer

from app.archive.archive import Archive
from app.archive.release import build_if_stale
from app.commands.options import ArchiveOption, SeedOption, settings_with
from app.commands.output import EXIT_ADDRESS, exit_on_error, exit_with, print_error, progress_bar
from app.settings import Settings

_WORKER_TIMEOUT_SECONDS = 30
"""Time for a worker to respond to a health check, even while it starts, before it is restarted."""


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
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    settings = settings_with(
        HOST=host, PORT=port, WORKERS=workers, SEED_FILE=seed, ARCHIVE_FILE=archive
    )
    from app.server.telemetry import check_telemetry  # noqa: PLC0415 - only needed here

    with exit_on_error(), progress_bar() as progress:
        check_telemetry(settings)
        compiled = build_if_stale(settings.seed_file, settings.archive_file, progress)
        opened = Archive.open(settings.archive_file)
        opened.close()
    _check_address(settings.host, settings.port)
    state = "compiled" if compiled else "up to date"
    name = f"{opened.label} ({opened.release[:12]})"
    print_error(f"Release {name} is {state}: {settings.archive_file}")
    if settings.port:
        host = f"[{settings.host}]" if ":" in settings.host else settings.host
        print_error(f"Record page: http://{host}:{settings.port}/")
        print_error(f"Documentation: http://{host}:{settings.port}/docs")
    _run_server(settings)


def _run_server(settings: Settings) -> None:
    """Run uvicorn until SIGINT or SIGTERM."""
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
        exit_with(
            EXIT_ADDRESS, f"Cannot listen on {host} port {port}: {reason}. See HOST and PORT."
        )
