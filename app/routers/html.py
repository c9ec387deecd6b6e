"""HTML pages rendered from templates, with their Content-Security-Policy."""

from __future__ import annotations

import logging
from urllib.parse import quote

from fastapi.concurrency import run_in_threadpool
from fastapi.responses import Response
from starlette.types import Scope

from app.archive.archive import ARCHIVE_KEY, Archive
from app.pages.guide.rendering import render_template
from app.pages.record.words import shorten
from app.responses.formats import HTML
from app.responses.problems import (
    InvalidParameters,
    MethodNotAllowed,
    NotFound,
    Problem,
    prefers_html,
)
from app.routers.suggestions import nearest_path

_CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""Same-origin files and `data:` images in style sheets; nothing inline (CSP Level 3)."""

_TITLE_CHARACTERS = 80
_UNNAMED = "Archived record"
"""Name of the record where none is open, as in an error of a server that starts."""

logger = logging.getLogger("cpc_record")


async def html_response(scope: Scope, template: str, **context: object) -> Response:
    """A page rendered from a template in a worker thread, because the first rendering is slow."""
    archive: Archive | None = scope.get(ARCHIVE_KEY)
    title = _UNNAMED if archive is None else shorten(archive.metadata["title"], _TITLE_CHARACTERS)
    body = await run_in_threadpool(render_template, template, record_title=title, **context)
    headers = {"Content-Security-Policy": _CONTENT_SECURITY_POLICY}
    return Response(body, headers=headers, media_type=HTML.content_type)


def _error_context(problem: Problem, scope: Scope) -> dict[str, object]:
    """What the page of a problem shows: besides the problem, a way on."""
    path: str = scope["path"]
    routes = scope["app"].routes if "app" in scope else ()
    return {
        "problem": problem.document(path),
        "suggestion": _suggested_url(problem, scope),
        "nearest": nearest_path(path, routes, itself=isinstance(problem, MethodNotAllowed)),
        "retry_after": problem.headers.get("Retry-After"),
    }


def _suggested_url(problem: Problem, scope: Scope) -> str | None:
    """The URL that was probably meant."""
    if isinstance(problem, NotFound):
        return problem.suggestion
    if isinstance(problem, InvalidParameters):
        query = problem.correct()
        path = quote(scope["path"])
        return None if query is None else f"{path}?{query}" if query else path
    return None


async def problem_response(problem: Problem, scope: Scope) -> Response:
    """A problem as the response to a request: a page if `Accept` prefers HTML, otherwise JSON.

    If the page itself cannot be rendered, the response is JSON: an error must not lead to another.
    """
    path: str = scope["path"]
    accept = b", ".join(value for name, value in scope["headers"] if name == b"accept")
    document = problem.response(path)
    if not prefers_html(accept):
        return document
    try:
        context = await run_in_threadpool(_error_context, problem, scope)
        page = await html_response(scope, "error.html", **context)
    except Exception:
        logger.exception("The page of a problem cannot be rendered.")
        return document
    page.status_code = problem.status
    page.headers.update({"Cache-Control": "no-store", **problem.headers})
    return page
