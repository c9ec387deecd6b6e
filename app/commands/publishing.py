"""The command that publishes the record to an object store."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated

import anyio
import typer

from app.archive.release import build_if_stale
from app.commands.options import ArchiveOption, SeedOption, settings_with
from app.commands.output import (
    EXIT_ARCHIVE,
    PROGRESS_MIN_ITEMS,
    exit_on_error,
    exit_with,
    print_error,
    progress_bar,
)
from app.models.notation import count_noun
from app.settings import Settings

if TYPE_CHECKING:
    from app.publish.publish import Plan, Uploads
    from app.publish.snapshot import Snapshot
    from app.publish.store import Store

_UPLOAD_MIN_ITEMS = 200
"""Number of objects from which a progress bar is shown; each takes a request."""
TargetArgument = Annotated[
    str,
    typer.Argument(
        metavar="URL",
        help="Bucket and prefix to publish to: s3://BUCKET/PREFIX, gs://…, az://… or file:///DIR.",
    ),
]
MirrorOption = Annotated[
    Path | None,
    typer.Option(
        metavar="DIR",
        help="Mirror to publish, written by `freeze`. By default, the record is frozen first.",
    ),
]
KeepOption = Annotated[
    int,
    typer.Option(min=0, max=1_000, help="Number of previous snapshots to keep."),
]
ParallelOption = Annotated[
    int, typer.Option(min=1, max=256, help="Number of uploads at the same time.")
]
DryRunOption = Annotated[
    bool, typer.Option("--dry-run", help="Print what would be done, and write nothing.")
]
OnlyPublisherOption = Annotated[
    bool,
    typer.Option(
        "--only-publisher",
        help="For stores without conditional writes: no other run publishes at the same time.",
    ),
]


def publish(  # noqa: PLR0913, PLR0917 - one for each option
    target: TargetArgument,
    mirror: MirrorOption = None,
    keep: KeepOption = 2,
    parallel: ParallelOption = 16,
    dry_run: DryRunOption = False,
    only_publisher: OnlyPublisherOption = False,
    seed: SeedOption = None,
    archive: ArchiveOption = None,
) -> None:
    """Publish a static mirror to an object store, behind a CDN.

    Every mirror is a snapshot of its own in the bucket, which is put in place at once when all of
    it is there. If the command is interrupted, run it again: only what is missing is uploaded.
    """
    settings = settings_with(SEED_FILE=seed, ARCHIVE_FILE=archive)
    from app.publish.publish import make_plan  # noqa: PLC0415 - only needed here
    from app.publish.store import open_store  # noqa: PLC0415

    with _exit_on_publish_error(), TemporaryDirectory() as temporary:
        store = open_store(target)
        work = Path(temporary)
        snapshot = _prepare(mirror or _freeze(settings, work / "frozen"), work)
        plan = anyio.run(make_plan, store, snapshot, keep)
        if dry_run:
            _report_plan(store, plan)
        else:
            _carry_out(store, plan, parallel, conditional=not only_publisher)


@contextmanager
def _exit_on_publish_error() -> Iterator[None]:
    from app.publish.store import PublishError  # noqa: PLC0415 - only needed here

    with exit_on_error():
        try:
            yield
        except PublishError as error:
            exit_with(EXIT_ARCHIVE, str(error))


def _freeze(settings: Settings, directory: Path) -> Path:
    """Write the mirror of the record to a directory."""
    from app.mirror.freeze import MirrorError, freeze_record  # noqa: PLC0415 - only needed here
    from app.mirror.packaging import Packaging  # noqa: PLC0415

    with progress_bar() as progress:
        build_if_stale(settings.seed_file, settings.archive_file, progress)
    try:
        with progress_bar("Freezing", "responses", PROGRESS_MIN_ITEMS) as progress:
            anyio.run(freeze_record, settings, directory, Packaging(), progress)
    except MirrorError as error:
        exit_with(EXIT_ARCHIVE, str(error))
    return directory


def _prepare(mirror: Path, work: Path) -> Snapshot:
    from app.publish.snapshot import prepare_snapshot  # noqa: PLC0415 - only needed here

    snapshot = prepare_snapshot(mirror, work)
    objects = count_noun(snapshot.objects, "object")
    print_error(f"Snapshot {snapshot.name}: {objects}, {count_noun(snapshot.total_bytes, 'byte')}")
    return snapshot


def _report_plan(store: Store, plan: Plan) -> None:
    """Print what a run would do."""
    missing = list(plan.missing)
    size = count_noun(sum(stored.bytes for stored in missing), "byte")
    typer.echo(f"{store.url}: would upload {count_noun(len(missing), 'object')}, {size}")
    before = plan.before[0].snapshot if plan.before else "nothing"
    typer.echo(f"would put in place {plan.after.snapshot}, after {before}")
    for name in plan.after.removing:
        typer.echo(f"would remove {name}")


def _carry_out(store: Store, plan: Plan, parallel: int, *, conditional: bool) -> None:
    from app.publish.publish import carry_out  # noqa: PLC0415 - only needed here

    started = time.perf_counter()
    with progress_bar("Uploading", "objects", _UPLOAD_MIN_ITEMS) as progress:

        async def run() -> Uploads:
            return await carry_out(
                store, plan, progress, parallel=parallel, conditional=conditional
            )

        uploads = anyio.run(run)
    seconds = time.perf_counter() - started
    there = plan.snapshot.objects - uploads.objects
    typer.echo(
        f"{store.url}: uploaded {count_noun(uploads.objects, 'object')}, "
        f"{count_noun(uploads.bytes, 'byte')}; {there:,} were there; {seconds:.1f} s"
    )
    typer.echo(f"in place: {plan.after.snapshot}, release {plan.after.label}")
    for name in plan.after.previous:
        typer.echo(f"kept: {name}")
    for name in plan.after.removing:
        typer.echo(f"removed: {name}")
