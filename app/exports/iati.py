"""The partnerships as IATI activities (International Aid Transparency Initiative, 2.03).

What the record does not support is left out: budgets, flow, finance and aid types, DAC sector
codes, sums of single awards, identifiers of organizations.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from app.archive.archive import Archive
from app.models.dates import first_day

Json = dict[str, Any]

SECTORS: Mapping[str, str] = {"child-trafficking": "Action against trafficking in children"}
"""The project's own vocabulary of sectors: what each code means."""

_VERSION = "2.03"
_BATCH = 50
_OWN = "99"
"""Vocabulary code of the reporting organization's own (SectorVocabulary, TagVocabulary)."""
_ORGANIZATION_TYPES = {
    "government": "10",
    "government_agency": "10",
    "international_organization": "40",
}
"""OrganisationType codes; none is of an NGO whatever its country, so an NGO has no type."""
_FUNDING, _IMPLEMENTING = "1", "4"
_ACTUAL_START, _PLANNED_END = "2", "3"
_GENERAL, _OBJECTIVES, _OTHER = "1", "2", "4"
_IMPLEMENTATION, _OUTGOING_COMMITMENT, _ACTIVITY_PAGE = "2", "2", "A12"
_UNFIT = {0xFFFE: "\ufffd", 0xFFFF: "\ufffd"}
"""Characters that the record may hold and XML may not (XML 1.0, 2.2)."""


@dataclass(frozen=True, slots=True)
class Reporter:
    """Who reports the activities.

    Attributes:
        ref: Its IATI organisation identifier.
        name: Its name.
        kind: Its OrganisationType code.
        origin: Where the API is, for the addresses of its vocabularies.
    """

    ref: str
    name: str
    kind: str
    origin: str


async def stream_iati(archive: Archive, reporter: Reporter) -> AsyncIterator[bytes]:
    """Every partnership that IATI can express as an activity, in pieces.

    IATI asks of each activity a start and an organization, so a partnership without the date of
    its signature, or without investor and recipients, is left out.
    """
    yield f'<?xml version="1.0" encoding="UTF-8"?>\n<iati-activities version="{_VERSION}">'.encode()
    reached = 0
    while found := await archive.run_in_thread(partial(_batch, reached, archive, reporter)):
        yield b"".join(written for _, written in found)
        reached = found[-1][0]
    yield b"\n</iati-activities>\n"


def has_activities(connection: sqlite3.Connection) -> bool:
    """Whether there is any activity: the schema does not allow a document without one."""
    rows = connection.execute(
        "SELECT document FROM partnerships WHERE document ->> 'signed' IS NOT NULL ORDER BY rowid"
    )
    return any(_Facts(connection, json.loads(document)).expressible for (document,) in rows)


def _batch(
    reached: int, archive: Archive, reporter: Reporter, connection: sqlite3.Connection
) -> list[tuple[int, bytes]]:
    """Row numbers of the next partnerships, and what is written for each."""
    rows = connection.execute(
        "SELECT rowid, document FROM partnerships WHERE rowid > ? ORDER BY rowid LIMIT ?",
        (reached, _BATCH),
    ).fetchall()
    notice = archive.header["archive_notice"]
    written = []
    for number, document in rows:
        facts = _Facts(connection, json.loads(document))
        activity = _activity(facts, reporter, notice) if facts.expressible else None
        written.append((number, b"" if activity is None else _written(activity)))
    return written


def _written(activity: Element) -> bytes:
    indent(activity, level=1)
    text: bytes = tostring(activity, encoding="utf-8")
    return b"\n  " + text.rstrip()


class _Facts:
    """What the record says of one partnership, and of what belongs to it."""

    def __init__(self, connection: sqlite3.Connection, partnership: Json) -> None:
        self._connection = connection
        self.partnership = partnership
        name = partnership["id"]
        self.objectives = self._documents(
            "SELECT document FROM objectives WHERE partnership = ? ORDER BY position", name
        )
        self.awards = self._documents(
            "SELECT document FROM awards WHERE partnership = ? ORDER BY rowid", name
        )
        self.investor = self._named("organizations", [partnership["investor"]])
        recipients = dict.fromkeys(award["recipient"] for award in self.awards)
        self.recipients = self._named("organizations", list(recipients))
        self.regions = self._named("regions", partnership["regions"] or [])
        self.sources = self._documents(
            "SELECT document FROM sources WHERE id IN (SELECT source FROM citations "
            "WHERE resource_type = 'partnership' AND resource = ?) ORDER BY rowid",
            name,
        )

    @property
    def expressible(self) -> bool:
        """Whether there is all that IATI demands of an activity."""
        return bool(self.partnership["signed"] and (self.investor or self.recipients))

    def recipient_of(self, award: Json) -> str:
        """Name of an award's recipient."""
        names = [one["name"] for one in self.recipients if one["id"] == award["recipient"]]
        return names[0] if names else "a recipient that is not named"

    def _documents(self, statement: str, *bound: str) -> list[Json]:
        return [json.loads(row[0]) for row in self._connection.execute(statement, bound)]

    def _named(self, collection: str, names: Sequence[str | None]) -> list[Json]:
        """Documents in the order of their ids."""
        return self._documents(
            f"SELECT document FROM json_each(?) AS named JOIN {collection} AS one "  # noqa: S608 - fixed names
            "ON one.id = named.value ORDER BY named.key",
            json.dumps([name for name in names if name]),
        )


def _activity(facts: _Facts, reporter: Reporter, notice: str) -> Element:
    """The elements in the order that the schema demands."""
    partnership = facts.partnership
    activity = Element("iati-activity", {"xml:lang": "en"})
    SubElement(activity, "iati-identifier").text = f"{reporter.ref}-{partnership['id']}"
    reporting = {"ref": reporter.ref, "type": reporter.kind, "secondary-reporter": "1"}
    _told(activity, "reporting-org", reporter.name, reporting)
    _told(activity, "title", partnership["name"])
    _describe(activity, facts, notice)
    for role, organizations in ((_FUNDING, facts.investor), (_IMPLEMENTING, facts.recipients)):
        for one in organizations:
            _told(activity, "participating-org", one["name"], {**_type(one), "role": role})
    SubElement(activity, "activity-status", {"code": _IMPLEMENTATION})
    _date(activity, partnership)
    _place(activity, facts)
    _classify(activity, facts, reporter.origin)
    _commit(activity, facts)
    for source in facts.sources:
        _link(activity, source)
    return activity


def _told(
    parent: Element, tag: str, text: str, attributes: Mapping[str, str] | None = None
) -> Element:
    """An element whose text is a narrative."""
    element = SubElement(parent, tag, dict(attributes or {}))
    SubElement(element, "narrative").text = text.translate(_UNFIT)
    return element


def _describe(activity: Element, facts: _Facts, notice: str) -> None:
    _told(activity, "description", facts.partnership["summary"], {"type": _GENERAL})
    if facts.objectives:
        aims = " ".join(f"{one['title']}: {one['summary']}" for one in facts.objectives)
        _told(activity, "description", aims, {"type": _OBJECTIVES})
    for award in facts.awards:
        _told(activity, "description", _award_in_words(award, facts), {"type": _OTHER})
    standing = f"The status, implementation, is that of the archived source. {notice}"
    _told(activity, "description", standing, {"type": _OTHER})


def _award_in_words(award: Json, facts: _Facts) -> str:
    """An award; its dates stay at the precision of the source."""
    announced = f"announced {award['announced']}" if award["announced"] else "announced on no date"
    ends = f"until {award['ends']}" if award["ends"] else "until no date that is given"
    return f"Award to {facts.recipient_of(award)}, {announced}, {ends}: {award['title']}."


def _type(organization: Json) -> dict[str, str]:
    code = _ORGANIZATION_TYPES.get(organization["kind"])
    return {"type": code} if code else {}


def _date(activity: Element, partnership: Json) -> None:
    signed = partnership["signed"]
    derived = "The signature is taken as the start; that it is the start is derived."
    given = {"type": _ACTUAL_START, "iso-date": first_day(signed).isoformat()}
    _told(activity, "activity-date", f"Signed {signed}. {derived}{_padded(signed)}", given)
    if ends := partnership["ends"]:
        given = {"type": _PLANNED_END, "iso-date": first_day(ends).isoformat()}
        _told(activity, "activity-date", f"Planned until {ends}.{_padded(ends)}", given)


def _padded(value: str) -> str:
    """What is to be said of a date that the source gives without a day."""
    if len(value) == 10:
        return ""
    part = "month" if len(value) == 7 else "year"
    return f" The source gives no day: the first of the {part} stands for it."


def _place(activity: Element, facts: _Facts) -> None:
    """Country and places; shares of several countries are not known, so then none is given."""
    countries = {region["country"] for region in facts.regions if region["country"]}
    if len(countries) == 1:
        SubElement(activity, "recipient-country", {"code": countries.pop()})
    for region in facts.regions:
        location = SubElement(activity, "location", {"ref": region["id"]})
        _told(location, "name", region["name"])


def _classify(activity: Element, facts: _Facts, origin: str) -> None:
    sectors = {"vocabulary": _OWN, "vocabulary-uri": f"{origin}/v1/exports"}
    for code, meaning in SECTORS.items():
        _told(activity, "sector", meaning, {**sectors, "code": code})
    objectives = {"vocabulary": _OWN, "vocabulary-uri": f"{origin}/v1/objectives"}
    for objective in facts.objectives:
        _told(activity, "tag", objective["title"], {**objectives, "code": objective["id"]})


def _commit(activity: Element, facts: _Facts) -> None:
    """One commitment of the whole investment, where its sum and its currency are known."""
    partnership = facts.partnership
    amount, currency = partnership["investment_amount"], partnership["investment_currency"]
    if amount is None or currency is None:
        return
    announced = sorted(award["announced"] for award in facts.awards if award["announced"])
    told, value = ("announced", announced[0]) if announced else ("signed", partnership["signed"])
    day = first_day(value).isoformat()
    transaction = SubElement(activity, "transaction")
    SubElement(transaction, "transaction-type", {"code": _OUTGOING_COMMITMENT})
    SubElement(transaction, "transaction-date", {"iso-date": day})
    money = {"currency": currency, "value-date": day}
    SubElement(transaction, "value", money).text = str(amount)
    whole = f"The whole investment, for all awards together, {told} {value}.{_padded(value)}"
    _told(transaction, "description", whole)
    for investor in facts.investor:
        _told(transaction, "provider-org", investor["name"], _type(investor))


def _link(activity: Element, source: Json) -> None:
    if source["url"]:
        page = {"format": "text/html", "url": source["url"]}
        link = SubElement(activity, "document-link", page)
        _told(link, "title", source["title"])
        SubElement(link, "category", {"code": _ACTIVITY_PAGE})
