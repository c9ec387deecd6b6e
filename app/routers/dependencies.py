"""Dependencies and request helpers of the endpoints."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from fastapi import Depends, Request

from app.archive.archive import ARCHIVE_KEY, Archive
from app.query.parameters import parse_query_string, split_query_string
from app.responses.formats import Format, negotiate_format
from app.responses.problems import NotAcceptable, Unavailable
from app.responses.representations import QueryPairs


def current_archive(request: Request) -> Archive:
    """The open archive. Hot endpoints call it directly: a dependency costs 10% per request.

    Raises:
        Unavailable: The application has not started, or is stopping.
    """
    archive: Archive | None = request.scope[ARCHIVE_KEY]
    if archive is None:
        raise Unavailable("The record is not loaded yet.", headers={"Retry-After": "1"})
    return archive


async def get_archive(request: Request) -> Archive:
    """The open archive, as a FastAPI dependency."""
    return current_archive(request)


async def reject_parameters(request: Request) -> None:
    """Reject every query parameter, for endpoints that take none.

    Raises:
        InvalidParameters: The query string has a parameter.
    """
    parse_query_string(request.scope["query_string"], {})


def accept_header(request: Request) -> bytes:
    """The `Accept` header. Repeated field lines are joined by commas (RFC 9110, 5.2)."""
    return b", ".join(value for name, value in request.headers.raw if name == b"accept")


def choose_format(request: Request, name: str | None, formats: Sequence[Format]) -> Format:
    """The format with this name; without a name, the one that `Accept` prefers.

    Raises:
        NotAcceptable: The client accepts none of the formats.
    """
    if name is not None:
        return next(format_ for format_ in formats if format_.name == name)
    negotiated = negotiate_format(accept_header(request), formats)
    if negotiated is None:
        available = ", ".join(format_.media_type for format_ in formats)
        raise NotAcceptable(f"Available formats: {available}. Accept allows none of them.")
    return negotiated


def query_pairs(request: Request) -> QueryPairs:
    """Decoded names and values of an already validated query string, in the order sent."""
    pairs = split_query_string(request.scope["query_string"])
    return [(name.decode(), value.decode()) for name, value in pairs]


ArchiveDep = Annotated[Archive, Depends(get_archive)]
NoParameters = Depends(reject_parameters)
