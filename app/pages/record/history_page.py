"""Renders the page of the history."""

from __future__ import annotations

import sqlite3

from markupsafe import Markup

from app.archive.archive import Archive
from app.exports.terms import licenses
from app.pages.record.documents import DocumentReader
from app.pages.record.footnotes import Footnotes, selectors_by_type
from app.pages.record.history import read_history
from app.pages.record.rendering import (
    RenderedPage,
    content_security_policy,
    environment,
    style_sheet,
)


def render_history(
    archive: Archive, origin: str | None, connection: sqlite3.Connection
) -> RenderedPage:
    """The history as a self-contained HTML page, in the style of the record page."""
    reader, style = DocumentReader(archive, connection), style_sheet()
    first = next(iter(archive.releases))
    body = (
        environment()
        .get_template("history.html")
        .render(
            archive=archive,
            licenses=licenses(archive.metadata),
            origin=origin,
            style=Markup(style),  # noqa: S704 - a file of this package
            releases=read_history(reader),
            changes_path=f"/v1/changes?since={first}",
            footnotes=Footnotes(reader),
            selectors_by_type=selectors_by_type,
        )
    )
    return RenderedPage(body.encode(), content_security_policy(style))
