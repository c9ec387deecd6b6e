"""Renders the page of the history."""

from __future__ import annotations

import sqlite3

from app.archive.archive import Archive
from app.pages.record.documents import DocumentReader
from app.pages.record.history import read_history
from app.pages.record.rendering import RenderedPage, render_template


def render_history(
    archive: Archive, origin: str | None, connection: sqlite3.Connection
) -> RenderedPage:
    """The history as a self-contained HTML page, in the style of the record page."""
    reader = DocumentReader(archive, connection)
    return render_template("history.html", reader, origin, history=read_history(reader))
