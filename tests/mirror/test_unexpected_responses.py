"""`freeze` and `verify --mirror` stop at any response that a mirror cannot stand for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from app.main import Application, create_app
from app.mirror import freeze as mirror_writer
from app.mirror.check import compare
from app.mirror.entries import CrawlError
from app.mirror.freeze import MirrorError, internal_settings
from app.mirror.packaging import Packaging
from app.settings import Settings
from tests.conftest import SEED
from tests.support.published import PUBLISHED

pytestmark = [pytest.mark.anyio, pytest.mark.process]

Endpoint = Callable[[Request], Response]


def respond(status: int, **headers: str) -> Endpoint:
    """An endpoint that returns a status."""

    def endpoint(_: Request) -> Response:
        fields = {name.replace("_", "-"): value for name, value in headers.items()}
        return PlainTextResponse("unexpected", status, fields)

    return endpoint


def fail(_: Request) -> Response:
    """An endpoint that raises."""
    raise LookupError


def fail_in_gzip(request: Request) -> Response:
    """An endpoint that raises for clients that accept gzip, and has enough to be compressed."""
    if "gzip" in request.headers.get("accept-encoding", ""):
        raise LookupError
    return PlainTextResponse("x" * 2_000)


def fail_with_query(request: Request) -> Response:
    """An endpoint that raises where it has a query string."""
    if request.url.query:
        raise LookupError
    return PlainTextResponse("x")


def fail_as_ndjson(request: Request) -> Response:
    """An endpoint of a long collection that raises for NDJSON."""
    if "ndjson" in request.headers["accept"]:
        raise LookupError
    return PlainTextResponse("x", headers={"link": '</v1/awards?cursor=x>; rel="next"'})


def break_off(_: Request) -> Response:
    """An endpoint whose body raises after some chunks."""

    def chunks() -> Iterator[bytes]:
        yield from [b"x"] * 4
        raise LookupError

    return StreamingResponse(chunks(), media_type="text/plain")


def broken_app(archive: Path, path: str, endpoint: Endpoint) -> Application:
    """The real application, in which one path has another endpoint."""
    settings = Settings(seed_file=SEED, archive_file=archive, cache_bytes=0, **PUBLISHED)
    app = create_app(internal_settings(settings))
    app.router.routes.insert(0, Route(path, endpoint))
    return app


def names_in(folder: Path) -> list[str]:
    """Names in a folder, hidden ones included."""
    return [path.name for path in folder.iterdir()]


UNEXPECTED: list[Any] = [
    ("/", fail, r"/ returned status 500; expected"),
    ("/", respond(404), r"/ returned status 404; expected"),
    ("/v1", respond(503), r"/v1 returned status 503; expected"),
    ("/v1/meta", respond(307, location="/v1"), r"/v1/meta returned status 307; expected"),
    ("/v1/awards", respond(301, location="/v1"), r"/v1/awards returned status 301; expected"),
    ("/v1/awards", respond(206), r"/v1/awards returned status 206; expected"),
    ("/v1/awards", respond(204), r"/v1/awards returned status 204; expected"),
    ("/v1/awards", respond(422), r"/v1/awards returned status 422; expected"),
    (
        "/v1/regions",
        respond(200, cache_control="no-store"),
        r"status 200 with Cache-Control: no",
    ),
    ("/v1/awards/peru-ilo", respond(404), r"/v1/awards/peru-ilo returned status 404; expected"),
    ("/v1/awards/peru-ilo", respond(500), r"/v1/awards/peru-ilo returned status 500; expected"),
    ("/v1/exports/record.sqlite", respond(404), r"/record\.sqlite returned status 404; expected"),
    ("/v1/exports/iati.xml", respond(404), r"/v1/exports/iati\.xml returned status 404; expected"),
    ("/docs/docs.js", respond(404), r"/docs/docs\.js returned status 404; expected"),
    ("/problems/not-found", respond(404), r"/problems/not-found returned status 404; expected"),
    ("/v1/search", respond(200), r"/v1/search returned status 200; expected 422"),
    ("/v1/search", respond(500), r"/v1/search returned status 500; expected 422"),
    ("/healthz", respond(503), r"/healthz returned status 503; expected 200"),
    ("/openapi.json", fail_in_gzip, r"/openapi\.json in gzip returned status 500; expected"),
    ("/robots.txt", fail_with_query, r"/robots\.txt\?.* returned status 500; expected 200 or 422"),
    ("/v1/awards", fail_as_ndjson, r"/v1/awards as application/x-ndjson returned status 500;"),
    ("/odd", respond(200, x_odd="$odd"), r"x-odd cannot be written .* \$odd"),
    ("/odd", break_off, r"/odd: incomplete response"),
]
"""Path, its endpoint, and what the message says."""


@pytest.mark.parametrize(("path", "endpoint", "message"), UNEXPECTED)
async def test_freeze_names_an_unexpected_response(
    exported_archive: Path, tmp_path: Path, path: str, endpoint: Endpoint, message: str
) -> None:
    """The URL and its status are in the message, and nothing is written."""
    app = broken_app(exported_archive, path, endpoint)
    async with app.router.lifespan_context(app):
        with pytest.raises(MirrorError, match=rf"^Cannot write .*{message}.*\.$"):
            await mirror_writer.freeze(app, tmp_path / "record", Packaging(), lambda *_: None)
    assert names_in(tmp_path) == []


@pytest.mark.parametrize(
    ("path", "endpoint", "message"),
    [case for case in UNEXPECTED if case[2].endswith("expected")],
)
async def test_verify_names_an_unexpected_response(
    exported_archive: Path, mirror: Path, path: str, endpoint: Endpoint, message: str
) -> None:
    """A mirror is not called right when the application it is compared with fails."""
    app = broken_app(exported_archive, path, endpoint)
    with pytest.raises(CrawlError, match=message):
        await compare(app, mirror, lambda *_: None)


async def test_what_a_setting_disables_is_left_out(exported_archive: Path, tmp_path: Path) -> None:
    """Exports that are not available are expected to be missing, and nothing else is."""
    app = create_app(internal_settings(Settings(seed_file=SEED, archive_file=exported_archive)))
    async with app.router.lifespan_context(app):
        await mirror_writer.freeze(app, tmp_path / "record", Packaging(), lambda *_: None)
        check = await compare(app, tmp_path / "record", lambda *_: None)
    assert check.issues == []
