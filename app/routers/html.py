"""HTML pages rendered from templates, with their Content-Security-Policy."""

from __future__ import annotations

from fastapi.concurrency import run_in_threadpool
from fastapi.responses import Response

from app.pages.guide.rendering import render_template
from app.responses.formats import HTML

_CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""Same-origin files and `data:` images in style sheets; nothing inline (CSP Level 3)."""


async def html_response(template: str, **context: object) -> Response:
    """A page rendered from a template in a worker thread, because the first rendering is slow."""
    body = await run_in_threadpool(render_template, template, **context)
    headers = {"Content-Security-Policy": _CONTENT_SECURITY_POLICY}
    return Response(body, headers=headers, media_type=HTML.content_type)
