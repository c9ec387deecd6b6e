"""A page to read: a template filled in, and what it may load."""

from __future__ import annotations

from fastapi.concurrency import run_in_threadpool
from fastapi.responses import Response

from app.pages.guide.rendering import render
from app.responses.formats import HTML

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""This origin's files, icons within style sheets, and nothing inline (CSP 3)."""


async def html_response(template: str, **context: object) -> Response:
    """The page that a template makes of its context, on another thread: the first takes long."""
    body = await run_in_threadpool(render, template, **context)
    headers = {"Content-Security-Policy": _POLICY}
    return Response(body, headers=headers, media_type=HTML.content_type)
