"""The record taken away: what there is, the files, and the entry for catalogues."""

from __future__ import annotations

import logging
import re
from base64 import b64encode
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import FileResponse, Response
from pydantic import Field
from starlette.types import Receive, Scope, Send

from app.archive.archive import ArchiveError
from app.exports.catalog import ExportCatalog
from app.exports.files import FileDigest
from app.exports.iati import SECTORS
from app.exports.listing import CATALOG, FILES, IATI, REGIONS, Export
from app.models.base import Model
from app.models.values import Sha256
from app.query.parameters import path_parameter
from app.responses.conditions import etag_matches
from app.responses.problems import InvalidParameters, NotFound, RangeNotSatisfiable, Unavailable
from app.responses.representations import encode_json
from app.routers.dependencies import ArchiveDep, NoParameters, current_archive
from app.routers.meta import SelfLink
from app.routers.openapi_responses import openapi_responses
from app.routers.route import Route

logger = logging.getLogger("cpc_record")

router = APIRouter(tags=["record"], route_class=Route)

_PREFIX = "/v1/exports/"
_RANGE = re.compile(r"bytes=(?:([0-9]{1,4000})-([0-9]{0,4000})|-([0-9]{1,4000}))", re.IGNORECASE)
_NOTHING_TO_REPORT = (
    f"{IATI.name} is not given: IATI asks of an activity a start and an organization, and no "
    "partnership of the record has the date of its signature and an investor or recipient."
)
_DIGEST_HEADER: dict[str, Any] = {
    "Repr-Digest": {
        "description": "SHA-256 of the whole file (RFC 9530), whatever range of it is sent.",
        "schema": {"type": "string"},
    }
}
_CONTENT: dict[str, Any] = {
    one.media_type: {"schema": {"type": "string", "format": "binary"}} for one in FILES.values()
} | {REGIONS.media_type: {"schema": {"type": "object"}}}


class ExportEntry(Model):
    """One export."""

    name: str = Field(description="File name.")
    path: str = Field(description="Where it is, from the root of the origin.")
    title: str = Field(description="What it is called.")
    description: str = Field(description="What it is and what it is good for.")
    media_type: str = Field(description="Its media type.")
    bytes: int = Field(ge=0, description="Its length, without content coding.")
    sha256: Sha256 = Field(description="Its SHA-256, hexadecimal, without content coding.")


class ExportsMeta(Model):
    """What the list says of itself."""

    release: str = Field(description="Release of the data: SHA-256 of its seed file.")


class Sector(Model):
    """A sector of the project's own vocabulary, as the IATI export uses it."""

    code: str = Field(description="Its code.")
    name: str = Field(description="What it means.")


class Vocabularies(Model):
    """The project's own vocabularies, besides its objectives."""

    sectors: list[Sector] = Field(description="Sectors that the IATI export names.")


class Exports(Model):
    """Every export that this server can give."""

    data: list[ExportEntry] = Field(description="The exports.")
    meta: ExportsMeta
    vocabularies: Vocabularies
    links: SelfLink


async def get_export_catalog(request: Request) -> ExportCatalog:
    """What this server offers to take away.

    Raises:
        Unavailable: The application has not started, or is stopping.
    """
    catalog: ExportCatalog | None = getattr(request.app.state, "exports", None)
    if catalog is None or catalog.archive is not current_archive(request):
        raise Unavailable("The record is not loaded yet.", headers={"Retry-After": "1"})
    return catalog


ExportCatalogDep = Annotated[ExportCatalog, Depends(get_export_catalog)]


@router.get(
    "/v1/exports",
    operation_id="getExports",
    summary="List exports",
    description="Every file that the record can be taken away as, with its length and digest. "
    "`record.json` is `/v1/record` itself. `iati.xml` and `data.json` are listed where the "
    "server's settings name who reports and who publishes, and `iati.xml` only where the record "
    "has a partnership that IATI can express. The first request after a release "
    "may take as long as it takes to write the files, unless `cpc-record build` wrote them.",
    response_model=Exports,
    response_description="The exports.",
    responses=openapi_responses(InvalidParameters),
    dependencies=[NoParameters],
)
async def list_exports(archive: ArchiveDep, catalog: ExportCatalogDep) -> Response:
    """Every export with its length and digest."""
    try:
        digests = await catalog.digests()
    except ArchiveError as error:
        raise _unwritten(error) from error
    body = {
        "data": [_entry(one, digests[one.name]) for one in await catalog.available()],
        "meta": {"release": archive.release},
        "vocabularies": {
            "sectors": [{"code": code, "name": name} for code, name in SECTORS.items()]
        },
        "links": {"self": "/v1/exports"},
    }
    return Response(encode_json(body), media_type="application/json")


@router.get(
    "/data.json",
    operation_id="getCatalogue",
    summary="Get the catalogue entry",
    description="The record as a dataset with its exports, for catalogues that harvest DCAT-US "
    "1.1. It is there where the server's settings name its address, publisher and contact. "
    "Keys that only a U.S. agency may claim are left out.",
    response_description="The catalogue of one dataset.",
    responses=openapi_responses(NotFound, InvalidParameters),
    dependencies=[NoParameters],
)
async def get_catalogue(catalog: ExportCatalogDep) -> Response:
    """The catalogue as DCAT-US 1.1.

    Raises:
        NotFound: A setting that it needs is not set.
    """
    publisher = catalog.publisher()
    if publisher is None:
        raise _not_set(CATALOG, catalog)
    return Response(await catalog.catalog_json(publisher), media_type=CATALOG.media_type)


@router.get(
    "/v1/exports/{file}",
    operation_id="getExport",
    summary="Get an export",
    description="One of the files that `/v1/exports` lists. Sent without content coding, so that "
    "`Repr-Digest` is the digest of the file that is kept; files on disk in ranges too, so that "
    "a download can be resumed. A range beyond the end is a problem; several ranges at once are "
    "answered with the whole file.",
    response_class=Response,
    response_description="The file.",
    responses=openapi_responses(
        NotFound, RangeNotSatisfiable, InvalidParameters, headers=_DIGEST_HEADER
    )
    | {206: {"description": "The range of a file that `Range` asked for."}},
    openapi_extra={
        "parameters": [path_parameter("file", "Its name.", [*FILES])],
        "responses": {"200": {"content": _CONTENT}},
    },
    dependencies=[NoParameters],
)
@router.head("/v1/exports/{file}", include_in_schema=False, dependencies=[NoParameters])
async def get_export(request: Request, catalog: ExportCatalogDep) -> Response:
    """One file.

    Raises:
        NotFound: There is no such export, or a setting that it needs is not set.
        RangeNotSatisfiable: The file ends before the range that is asked for.
        Unavailable: It is not there and cannot be written.
    """
    name = request.path_params["file"]
    if name not in FILES:
        raise NotFound("No export has this name. /v1/exports lists them all.")
    try:
        digest, content = await _content(name, catalog)
    except ArchiveError as error:
        raise _unwritten(error) from error
    headers = _validators(digest)
    known = b",".join(value for name, value in request.headers.raw if name == b"if-none-match")
    if known and etag_matches(known, headers["ETag"].encode()):
        return Response(status_code=304, headers=headers)
    if isinstance(content, bytes):
        headers["Content-Length"] = str(digest.bytes)
        body = b"" if request.method == "HEAD" else content
        return Response(body, headers=headers, media_type=FILES[name].media_type)
    try:
        file = ExportFileResponse(content, FILES[name], headers)
    except FileNotFoundError:
        told = "The file was removed while it was asked for. Ask again, and it is made again."
        raise Unavailable(told, headers={"Retry-After": "2"}) from None
    file.check_range(request)
    return file


async def _content(name: str, catalog: ExportCatalog) -> tuple[FileDigest, Path | bytes]:
    """The digest of a file, and where it is.

    Raises:
        ArchiveError: It is not there and cannot be written.
        NotFound: A setting that it needs is not set, or nothing can be in it.
    """
    if name == IATI.name:
        reporter = catalog.reporter()
        if reporter is None:
            raise _not_set(IATI, catalog)
        if not await catalog.has_iati_activities():
            raise NotFound(_NOTHING_TO_REPORT)
        export = await catalog.iati_export(reporter)
        return export.digest, export.content
    files = await catalog.files()
    return files.digests[name], files.folder / name


class ExportFileResponse(FileResponse):
    """A file, or one range of it (RFC 9110, 14).

    Several ranges, one that is malformed, one of another file by `If-Range`, and one asked for
    with another method than GET are answered with the whole.
    """

    def __init__(self, path: Path, export: Export, headers: Mapping[str, str]) -> None:
        status = path.stat()
        self.length = status.st_size
        self.ranged = False
        super().__init__(path, headers=headers, media_type=export.media_type, stat_result=status)
        del self.headers["last-modified"]  # the time of a file is another on every machine

    def check_range(self, request: Request) -> None:
        """Find out whether a range is to be sent.

        Raises:
            RangeNotSatisfiable: The file ends before it.
        """
        asked = _RANGE.fullmatch(request.headers.get("range", "").strip())
        fits = request.headers.get("if-range") in (None, self.headers["etag"])
        if asked is None or not fits or request.method != "GET":
            return
        first, last, tail = asked.groups()
        if first and last and int(last) < int(first):
            return
        if (int(tail) == 0 if tail else int(first) >= self.length) or not self.length:
            detail = f"The file has {self.length} bytes; ask for bytes from 0 to {self.length - 1}."
            raise RangeNotSatisfiable(detail, headers={"Content-Range": f"bytes */{self.length}"})
        self.ranged = True

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request (ASGI 3)."""
        dropped = (b"if-range",) if self.ranged else (b"if-range", b"range")
        kept = [pair for pair in scope["headers"] if pair[0] not in dropped]
        await super().__call__({**scope, "headers": kept}, receive, send)


def is_export_path(path: str) -> bool:
    """Whether a path is that of a file, which is not kept in memory but read in ranges."""
    return path.startswith(_PREFIX)


def without_accept_encoding(scope: Scope) -> Scope:
    """A request that accepts no content coding: digests and ranges are of the file itself."""
    kept = [pair for pair in scope["headers"] if pair[0] != b"accept-encoding"]
    return {**scope, "headers": kept}


def _entry(export: Export, digest: FileDigest) -> dict[str, Any]:
    return {
        "name": export.name,
        "path": export.path,
        "title": export.title,
        "description": export.description,
        "media_type": export.media_type,
        "bytes": digest.bytes,
        "sha256": digest.sha256,
    }


def _validators(digest: FileDigest) -> dict[str, str]:
    """A strong entity tag, and the digest (RFC 9530, 3)."""
    encoded = b64encode(bytes.fromhex(digest.sha256)).decode()
    return {"ETag": f'"{digest.sha256}"', "Repr-Digest": f"sha-256=:{encoded}:"}


def _not_set(export: Export, catalog: ExportCatalog) -> NotFound:
    names = ", ".join(catalog.missing_settings(export.name))
    return NotFound(f"{export.name} is not given by this server. To give it, set {names}.")


def _unwritten(error: ArchiveError) -> Unavailable:
    logger.error("%s", error)
    told = "The files are not there, and they cannot be written now."
    return Unavailable(told, headers={"Retry-After": "60"})
