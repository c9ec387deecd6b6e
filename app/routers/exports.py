"""`/v1/exports`, `/data.json`, `/data-3.0.json`: the downloadable files, the DCAT-US catalogs."""

from __future__ import annotations

import logging
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
from app.exports.listing import (
    ANNOTATIONS,
    CATALOG,
    CATALOG_3,
    CSV_METADATA,
    EXPORTS,
    FILES,
    FILES_PREFIX,
    IATI,
    PARQUET_NAMES,
    REGIONS,
    SEED,
    Export,
)
from app.models.base import Model
from app.models.release import RELEASE_DESCRIPTION
from app.models.values import Sha256
from app.query.parameters import path_parameter
from app.responses.byte_ranges import requested_range
from app.responses.conditional_requests import etag_matches, not_modified_headers, selection_headers
from app.responses.problems import InvalidParameters, NotFound, RangeNotSatisfiable, Unavailable
from app.responses.representations import encode_json
from app.routers.dependencies import ArchiveDep, NoParameters, current_archive
from app.routers.links import description_link_header, download_link_header
from app.routers.meta import SelfLink
from app.routers.openapi_responses import (
    CONTENT_LINK_HEADER,
    DESCRIPTION_LINK_HEADER,
    openapi_responses,
    text_header,
)
from app.routers.route import Route

logger = logging.getLogger("cpc_record")

router = APIRouter(tags=["record"], route_class=Route)

_NO_IATI_ACTIVITIES = (
    f"{IATI.name} is not available: an IATI activity requires a start date and an organization, "
    "and no partnership in the record has both a date of signature and an investor or recipient."
)
_NO_PARQUET = (
    "Its exports were built without pyarrow, which writes Parquet. To enable it, run "
    "`pip install --require-hashes -r requirements-parquet.txt` and `cpc-record build`. "
    "The CSV of the collection has the same columns."
)
_NO_SEED = (
    "The seed was changed or removed before the exports of this release were built. The whole "
    "record is at /v1/record."
)
_FILE_HEADERS: dict[str, Any] = {
    "Content-Disposition": text_header(
        "`attachment`, with a file name that has the label of the release in it."
    ),
    "Repr-Digest": text_header("SHA-256 of the whole file (RFC 9530), also in partial responses."),
}
_FILE_CONTENT: dict[str, Any] = {
    export.bare_media_type: {"schema": {"type": "string", "format": "binary"}}
    for export in FILES.values()
} | {
    export.bare_media_type: {"schema": {"type": "object"}}
    for export in (SEED, REGIONS, CSV_METADATA, ANNOTATIONS)
}


class ExportEntry(Model):
    """An export file."""

    name: str = Field(description="File name.")
    path: str = Field(description="Path of the file, relative to the root of the origin.")
    title: str = Field(description="Title of the export.")
    description: str = Field(description="Contents and intended use.")
    media_type: str = Field(description="Media type of the file.")
    bytes: int = Field(ge=0, description="Size in bytes, without content coding.")
    sha256: Sha256 = Field(description="SHA-256 in hexadecimal, without content coding.")


class ExportsMeta(Model):
    """Metadata of the list."""

    release: str = Field(description=RELEASE_DESCRIPTION)


class Sector(Model):
    """A sector code of the project's own vocabulary, used in the IATI export."""

    code: str = Field(description="Sector code.")
    name: str = Field(description="Sector name.")


class Vocabularies(Model):
    """The project's own code lists, apart from the objectives."""

    sectors: list[Sector] = Field(description="Sectors used in the IATI export.")


class Exports(Model):
    """Response of `/v1/exports`."""

    data: list[ExportEntry] = Field(description="The available exports.")
    meta: ExportsMeta
    vocabularies: Vocabularies
    links: SelfLink


async def get_export_catalog(request: Request) -> ExportCatalog:
    """The export catalog of the open archive, as a FastAPI dependency.

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
    operation_id="listExports",
    summary="List exports",
    description="All available export files with size and SHA-256. `record.json` is `/v1/record` "
    "itself. `iati.xml` requires settings that identify the reporting organization, and a "
    "partnership that can be expressed in IATI; `data.json` and `data-3.0.json` require settings "
    "that identify the publisher, and `annotations.jsonld` the public URL. Parquet files are only "
    "listed if they were built, which requires pyarrow. The first request after a release may be "
    "slow because it generates the files, unless `cpc-record build` already has.",
    response_model=Exports,
    response_description="The available exports.",
    responses=openapi_responses(InvalidParameters),
    dependencies=[NoParameters],
)
async def list_exports(archive: ArchiveDep, catalog: ExportCatalogDep) -> Response:
    """All available exports with size and digest."""
    try:
        digests = await catalog.digests()
    except ArchiveError as error:
        raise _not_writable(error) from error
    body = {
        "data": [
            _entry(export, digests[name]) for name, export in EXPORTS.items() if name in digests
        ],
        "meta": {"release": archive.release},
        "vocabularies": {
            "sectors": [{"code": code, "name": name} for code, name in SECTORS.items()]
        },
        "links": {"self": "/v1/exports"},
    }
    return Response(encode_json(body), media_type="application/json")


@router.get(
    "/data.json",
    operation_id="getCatalog",
    summary="Get the DCAT-US catalog",
    description="A DCAT-US 1.1 catalog with the record as its only dataset and the exports as "
    "distributions, for harvesting by data portals. It requires settings for the public URL, "
    "publisher and contact. Fields reserved for U.S. agencies are omitted.",
    response_description="The catalog.",
    responses=openapi_responses(NotFound, InvalidParameters, headers=DESCRIPTION_LINK_HEADER),
    dependencies=[NoParameters],
)
async def get_catalog(catalog: ExportCatalogDep) -> Response:
    """The DCAT-US 1.1 catalog.

    Raises:
        NotFound: A required setting is missing.
    """
    publisher = catalog.publisher()
    if publisher is None:
        raise _not_set(CATALOG, catalog)
    body = await catalog.catalog_json(publisher)
    headers = description_link_header(catalog.archive)
    return Response(body, headers=headers, media_type=CATALOG.media_type)


@router.get(
    CATALOG_3.path,
    operation_id="getLinkedDataCatalog",
    summary="Get the DCAT-US 3.0 catalog",
    description="A DCAT-US 3.0 catalog as JSON-LD: the record as its only dataset, the exports as "
    "distributions with size and SHA-256, and the API as data service. It requires settings for "
    "the public URL, publisher and contact.",
    response_class=Response,
    response_description="The catalog.",
    responses=openapi_responses(NotFound, InvalidParameters, headers=DESCRIPTION_LINK_HEADER),
    openapi_extra={
        "responses": {"200": {"content": {CATALOG_3.media_type: {"schema": {"type": "object"}}}}}
    },
    dependencies=[NoParameters],
)
async def get_catalog_3(catalog: ExportCatalogDep) -> Response:
    """The DCAT-US 3.0 catalog.

    Raises:
        NotFound: A required setting is missing.
        Unavailable: The files do not exist and cannot be written.
    """
    publisher = catalog.publisher()
    if publisher is None:
        raise _not_set(CATALOG_3, catalog)
    try:
        body = await catalog.catalog_3_json(publisher)
    except ArchiveError as error:
        raise _not_writable(error) from error
    headers = description_link_header(catalog.archive)
    return Response(body, headers=headers, media_type=CATALOG_3.media_type)


@router.get(
    "/v1/exports/{file}",
    operation_id="getExport",
    summary="Get an export",
    description="Downloads one of the files listed at `/v1/exports`. Responses have no content "
    "coding, so `Repr-Digest` is the digest of the saved file. Files on disk support range "
    "requests, so that downloads can be resumed. A range beyond the end of the file returns 416; "
    "a multi-range request returns the whole file.",
    response_class=Response,
    response_description="The file.",
    responses=openapi_responses(
        NotFound,
        RangeNotSatisfiable,
        InvalidParameters,
        headers=_FILE_HEADERS | CONTENT_LINK_HEADER,
    )
    | {206: {"description": "The requested range of the file."}},
    openapi_extra={
        "parameters": [path_parameter("file", "Name of the file.", [*FILES])],
        "responses": {"200": {"content": _FILE_CONTENT}},
    },
    dependencies=[NoParameters],
)
@router.head("/v1/exports/{file}", include_in_schema=False, dependencies=[NoParameters])
async def get_export(request: Request, catalog: ExportCatalogDep) -> Response:
    """One export file, or a range of it.

    Raises:
        NotFound: No export has this name, or a required setting is missing.
        RangeNotSatisfiable: The requested range begins beyond the end of the file.
        Unavailable: The file does not exist and cannot be written.
    """
    name = request.path_params["file"]
    if name not in FILES:
        raise NotFound("No export has this name. See /v1/exports for all exports.")
    try:
        digest, content = await _find_content(name, catalog)
    except ArchiveError as error:
        raise _not_writable(error) from error
    file_name = FILES[name].file_name(catalog.archive.label)
    headers = {
        **_validators(digest),
        **download_link_header(request, catalog.archive, FILES[name]),
        "Content-Disposition": f'attachment; filename="{file_name}"',
    }
    if isinstance(content, Path):
        response: Response = _file_response(content, FILES[name], headers)
    else:
        headers["Content-Length"] = str(digest.bytes)
        body = b"" if request.method == "HEAD" else content
        response = Response(body, headers=headers, media_type=FILES[name].media_type)
    if _is_not_modified(request, headers["ETag"]):
        return _not_modified(response)
    if isinstance(response, ExportFileResponse):
        response.check_range(request)
    return response


def _is_not_modified(request: Request, etag: str) -> bool:
    """Whether `If-None-Match` matches the entity tag."""
    _, _, if_none_match = selection_headers(request.headers.raw)
    return bool(if_none_match) and etag_matches(if_none_match, etag.encode())


def _not_modified(response: Response) -> Response:
    """The 304 for a response."""
    not_modified = Response(status_code=304)
    not_modified.raw_headers = not_modified_headers(response.raw_headers)
    return not_modified


def _file_response(path: Path, export: Export, headers: Mapping[str, str]) -> ExportFileResponse:
    """A response that streams a file from disk.

    Raises:
        Unavailable: The file has just been removed.
    """
    try:
        return ExportFileResponse(path, export, headers)
    except FileNotFoundError:
        detail = "The file was removed during the request. Retry, and it is generated again."
        raise Unavailable(detail, headers={"Retry-After": "2"}) from None


async def _find_content(name: str, catalog: ExportCatalog) -> tuple[FileDigest, Path | bytes]:
    """The digest of an export with its path, or its bytes if it cannot be stored.

    Raises:
        ArchiveError: The file does not exist and cannot be written.
        NotFound: A required setting is missing, the export would be empty, or it could not be
            built.
    """
    if name == IATI.name:
        reporter = catalog.reporter()
        if reporter is None:
            raise _not_set(IATI, catalog)
        if not await catalog.has_iati_activities():
            raise NotFound(_NO_IATI_ACTIVITIES)
        export = await catalog.iati_export(reporter)
        return export.digest, export.content
    if name == ANNOTATIONS.name:
        origin = catalog.origin
        if origin is None:
            raise _not_set(ANNOTATIONS, catalog)
        export = await catalog.annotations_export(origin)
        return export.digest, export.content
    files = await catalog.files()
    if name not in files.digests:
        reason = _NO_PARQUET if name in PARQUET_NAMES else _NO_SEED
        raise NotFound(f"This server does not provide {name}. {reason}")
    return files.digests[name], files.directory / name


class ExportFileResponse(FileResponse):
    """An export file, or one range of it (RFC 9110, 14).

    The whole file is sent if there are several ranges, the range is malformed, `If-Range` names
    another version or the method is not GET.
    """

    def __init__(self, path: Path, export: Export, headers: Mapping[str, str]) -> None:
        status = path.stat()
        self._size_bytes = status.st_size
        self._send_range = False
        super().__init__(path, headers=headers, media_type=export.media_type, stat_result=status)
        del self.headers["last-modified"]  # file times differ between servers

    def check_range(self, request: Request) -> None:
        """Decide whether to send a range or the whole file.

        Raises:
            RangeNotSatisfiable: The requested range begins beyond the end of the file.
        """
        is_current = request.headers.get("if-range") in (None, self.headers["etag"])
        if is_current and request.method == "GET":
            byte_range = requested_range(request.headers.get("range", ""), self._size_bytes)
            self._send_range = byte_range is not None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the response (ASGI 3). Starlette sees `Range` only if a range is to be sent."""
        hidden = (b"if-range",) if self._send_range else (b"if-range", b"range")
        headers = [pair for pair in scope["headers"] if pair[0] not in hidden]
        await super().__call__({**scope, "headers": headers}, receive, send)


def is_export_path(path: str) -> bool:
    """Whether a path is that of an export file. Those are not cached and support ranges."""
    return path.startswith(FILES_PREFIX)


def without_accept_encoding(scope: Scope) -> Scope:
    """An ASGI scope without `Accept-Encoding`: digests and ranges refer to the uncoded file."""
    headers = [pair for pair in scope["headers"] if pair[0] != b"accept-encoding"]
    return {**scope, "headers": headers}


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
    """`ETag` and `Repr-Digest` (RFC 9530, 3) of a file."""
    encoded = b64encode(bytes.fromhex(digest.sha256)).decode()
    return {"ETag": f'"{digest.sha256}"', "Repr-Digest": f"sha-256=:{encoded}:"}


def _not_set(export: Export, catalog: ExportCatalog) -> NotFound:
    names = ", ".join(catalog.missing_settings(export.name))
    return NotFound(f"This server does not provide {export.name}. To enable it, set {names}.")


def _not_writable(error: ArchiveError) -> Unavailable:
    logger.error("%s", error)
    detail = "The export files do not exist and cannot be written at the moment."
    return Unavailable(detail, headers={"Retry-After": "60"})
