"""The partnerships as IATI activities (International Aid Transparency Initiative, 2.03).

Elements without evidence in the record are left out: budgets, flow, finance and aid types, DAC
sector codes, identifiers of organizations.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import AsyncIterator
from functools import partial
from xml.etree.ElementTree import Element, indent, tostring

from app.archive.archive import Archive
from app.exports.iati_activities import (
    INVALID_IN_XML,
    SECTORS,
    VERSION,
    Reporter,
    activities,
    last_updated,
)
from app.exports.iati_data import PartnershipData

__all__ = ["INVALID_IN_XML", "SECTORS", "Reporter", "has_activities", "stream_iati"]

_BATCH_PARTNERSHIPS = 50


async def stream_iati(archive: Archive, reporter: Reporter) -> AsyncIterator[bytes]:
    """An IATI document with an activity per partnership and one per award, in chunks.

    IATI requires a start date and a participating organization, so a partnership without a
    signature date, or without investor and recipients, is left out.
    """
    opening = f'<iati-activities version="{VERSION}" generated-datetime="{last_updated(archive)}">'
    yield f'<?xml version="1.0" encoding="UTF-8"?>\n{opening}'.encode()
    last_rowid = 0
    while batch := await archive.run_in_thread(partial(_batch, last_rowid, archive, reporter)):
        yield b"".join(xml for _, xml in batch)
        last_rowid = batch[-1][0]
    yield b"\n</iati-activities>\n"


def has_activities(connection: sqlite3.Connection) -> bool:
    """Whether any partnership is an activity; the schema requires at least one in a document."""
    rows = connection.execute(
        "SELECT document FROM partnerships WHERE document ->> 'signed' IS NOT NULL ORDER BY rowid"
    )
    return any(
        PartnershipData(connection, json.loads(document)).is_complete for (document,) in rows
    )


def _batch(
    last_rowid: int, archive: Archive, reporter: Reporter, connection: sqlite3.Connection
) -> list[tuple[int, bytes]]:
    """Rowid of each of the next partnerships, and its activities as XML, empty if left out."""
    rows = connection.execute(
        "SELECT rowid, document FROM partnerships WHERE rowid > ? ORDER BY rowid LIMIT ?",
        (last_rowid, _BATCH_PARTNERSHIPS),
    ).fetchall()
    batch = []
    for rowid, document in rows:
        data = PartnershipData(connection, json.loads(document))
        made = activities(data, reporter, archive) if data.is_complete else ()
        batch.append((rowid, b"".join(map(_serialize, made))))
    return batch


def _serialize(activity: Element) -> bytes:
    indent(activity, level=1)
    text: bytes = tostring(activity, encoding="utf-8")
    return b"\n  " + text.rstrip()
