"""The partnerships as IATI activities (International Aid Transparency Initiative, 2.03).

Elements without evidence in the record are left out: budgets, flow, finance and aid types, DAC
sector codes, identifiers of organizations.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from app.archive.archive import Archive
from app.exports.terms import rights
from app.models.dates import first_day
from app.models.notation import qualified_amount
from app.query.labels import region_label

Json = dict[str, Any]

SECTORS: Mapping[str, str] = {"child-trafficking": "Action against trafficking in children"}
"""The project's own sector vocabulary: name of each code."""

_VERSION = "2.03"
_BATCH_PARTNERSHIPS = 50
_OWN_VOCABULARY = "99"
"""Code of a reporting organization's own vocabulary (SectorVocabulary, TagVocabulary)."""
_ORGANIZATION_TYPES = {
    "government": "10",
    "government_agency": "10",
    "international_organization": "40",
}
"""OrganisationType codes. All codes for NGOs depend on their country, so NGOs have no type."""
_FUNDING, _IMPLEMENTING = "1", "4"
_ACTUAL_START, _PLANNED_END = "2", "3"
_GENERAL, _OBJECTIVES, _OTHER = "1", "2", "4"
_QUALIFIER_NOTES = {
    "up_to": " The source gives the amount as a ceiling (up to).",
    "at_least": " The source gives the amount as a minimum (at least).",
    "about": " The source gives the amount as an approximation (about).",
}
_IMPLEMENTATION, _OUTGOING_COMMITMENT, _ACTIVITY_PAGE = "2", "2", "A12"
INVALID_IN_XML = {0xFFFE: "\ufffd", 0xFFFF: "\ufffd"}
"""Replacement of the characters that the record allows and XML does not (XML 1.0, 2.2)."""


@dataclass(frozen=True, slots=True)
class Reporter:
    """The organization that reports the activities.

    Attributes:
        ref: IATI organisation identifier.
        name: Name.
        type: OrganisationType code.
        origin: Public URL of the API, for the URLs of its vocabularies.
    """

    ref: str
    name: str
    type: str
    origin: str


class Money(NamedTuple):
    """An amount of whole currency units, its ISO 4217 code and its qualifier."""

    amount: int
    currency: str
    qualifier: str | None

    @classmethod
    def of(cls, document: Json, *fields: str) -> Money | None:
        """The amount in these fields of a document; None if it has none."""
        amount, currency, qualifier = (document[field] for field in fields)
        return None if amount is None else cls(amount, currency, qualifier)


def _investment(partnership: Json) -> Money | None:
    return Money.of(partnership, "investment_amount", "investment_currency", "investment_qualifier")


def _award_amount(award: Json) -> Money | None:
    return Money.of(award, "amount", "currency", "amount_qualifier")


async def stream_iati(archive: Archive, reporter: Reporter) -> AsyncIterator[bytes]:
    """An IATI document with one activity per partnership, in chunks.

    IATI requires a start date and a participating organization, so a partnership without a
    signature date, or without investor and recipients, is left out.
    """
    yield f'<?xml version="1.0" encoding="UTF-8"?>\n<iati-activities version="{_VERSION}">'.encode()
    last_rowid = 0
    while batch := await archive.run_in_thread(partial(_batch, last_rowid, archive, reporter)):
        yield b"".join(activity for _, activity in batch)
        last_rowid = batch[-1][0]
    yield b"\n</iati-activities>\n"


def has_activities(connection: sqlite3.Connection) -> bool:
    """Whether any partnership is an activity; the schema requires at least one in a document."""
    rows = connection.execute(
        "SELECT document FROM partnerships WHERE document ->> 'signed' IS NOT NULL ORDER BY rowid"
    )
    return any(
        _PartnershipData(connection, json.loads(document)).is_complete for (document,) in rows
    )


def _batch(
    last_rowid: int, archive: Archive, reporter: Reporter, connection: sqlite3.Connection
) -> list[tuple[int, bytes]]:
    """Rowid of each of the next partnerships, and its activity as XML, empty if left out."""
    rows = connection.execute(
        "SELECT rowid, document FROM partnerships WHERE rowid > ? ORDER BY rowid LIMIT ?",
        (last_rowid, _BATCH_PARTNERSHIPS),
    ).fetchall()
    metadata = archive.metadata
    notice = f"{metadata['archive_notice']} {rights(metadata)}"
    batch = []
    for rowid, document in rows:
        data = _PartnershipData(connection, json.loads(document))
        xml = _serialize(_activity(data, reporter, notice)) if data.is_complete else b""
        batch.append((rowid, xml))
    return batch


def _serialize(activity: Element) -> bytes:
    indent(activity, level=1)
    text: bytes = tostring(activity, encoding="utf-8")
    return b"\n  " + text.rstrip()


class _PartnershipData:
    """A partnership with its related resources, as documents."""

    def __init__(self, connection: sqlite3.Connection, partnership: Json) -> None:
        self._connection = connection
        self.partnership = partnership
        partnership_id = partnership["id"]
        self.objectives = self._documents(
            "SELECT document FROM objectives WHERE partnership = ? ORDER BY position",
            partnership_id,
        )
        self.awards = self._documents(
            "SELECT document FROM awards WHERE partnership = ? ORDER BY rowid", partnership_id
        )
        self.investor = self._by_id("organizations", [partnership["investor"]])
        recipients = dict.fromkeys(award["recipient"] for award in self.awards)
        self.recipients = self._by_id("organizations", list(recipients))
        self.regions = self._by_id("regions", partnership["regions"] or self._award_regions())
        self.sources = self._documents(
            "SELECT document FROM sources WHERE id IN (SELECT source FROM citations "
            "WHERE resource_type = 'partnership' AND resource = ?) ORDER BY rowid",
            partnership_id,
        )

    @property
    def is_complete(self) -> bool:
        """Whether it has everything that IATI requires of an activity."""
        return bool(self.partnership["signed"] and (self.investor or self.recipients))

    @property
    def is_itemized(self) -> bool:
        """Whether there are awards, and all have amounts."""
        return bool(self.awards) and all(award["amount"] is not None for award in self.awards)

    def recipient_name(self, award: Json) -> str:
        """Name of an award's recipient."""
        names: dict[str, str] = {
            recipient["id"]: recipient["name"] for recipient in self.recipients
        }
        return names.get(award["recipient"], "an unnamed recipient")

    def _award_regions(self) -> list[str]:
        """Ids of the regions of its awards, each once."""
        return list(dict.fromkeys(id_ for award in self.awards for id_ in award["regions"] or ()))

    def region_label(self, region: Json) -> str:
        """Name of a region, with its country if another region has the same name."""
        return region_label(self._connection, region)

    def _documents(self, statement: str, *parameters: str) -> list[Json]:
        rows = self._connection.execute(statement, parameters)
        return [json.loads(document) for (document,) in rows]

    def _by_id(self, collection: str, ids: Sequence[str | None]) -> list[Json]:
        """Documents of the given ids, in the same order; null ids are skipped."""
        return self._documents(
            f"SELECT document FROM json_each(?) AS ids JOIN {collection} AS item "  # noqa: S608 - fixed names
            "ON item.id = ids.value ORDER BY ids.key",
            json.dumps([item_id for item_id in ids if item_id]),
        )


def _activity(data: _PartnershipData, reporter: Reporter, notice: str) -> Element:
    """An `iati-activity` element, with its children in the order that the schema requires."""
    partnership = data.partnership
    activity = Element("iati-activity", {"xml:lang": "en"})
    SubElement(activity, "iati-identifier").text = f"{reporter.ref}-{partnership['id']}"
    reporting = {"ref": reporter.ref, "type": reporter.type, "secondary-reporter": "1"}
    _add_narrative(activity, "reporting-org", reporter.name, reporting)
    _add_narrative(activity, "title", partnership["name"])
    _add_descriptions(activity, data, notice)
    for role, organizations in ((_FUNDING, data.investor), (_IMPLEMENTING, data.recipients)):
        for organization in organizations:
            attributes = {**_organization_type(organization), "role": role}
            _add_narrative(activity, "participating-org", organization["name"], attributes)
    SubElement(activity, "activity-status", {"code": _IMPLEMENTATION})
    _add_dates(activity, partnership)
    _add_locations(activity, data)
    _add_classification(activity, data, reporter.origin)
    _add_commitments(activity, data)
    for source in data.sources:
        _add_document_link(activity, source)
    return activity


def _add_narrative(
    parent: Element, tag: str, text: str, attributes: Mapping[str, str] | None = None
) -> Element:
    """Append an element with a `narrative` and return it."""
    element = SubElement(parent, tag, dict(attributes or {}))
    SubElement(element, "narrative").text = text.translate(INVALID_IN_XML)
    return element


def _add_descriptions(activity: Element, data: _PartnershipData, notice: str) -> None:
    _add_narrative(activity, "description", data.partnership["summary"], {"type": _GENERAL})
    if data.objectives:
        objectives = (f"{item['title']}: {item['summary']}" for item in data.objectives)
        _add_narrative(activity, "description", " ".join(objectives), {"type": _OBJECTIVES})
    for award in data.awards:
        _add_narrative(activity, "description", _award_description(award, data), {"type": _OTHER})
    investment = _investment(data.partnership)
    if data.is_itemized and investment:
        total = f"Total investment: {qualified_amount(*investment)}."
        _add_narrative(activity, "description", total, {"type": _OTHER})
    status = f"The activity status (implementation) is as of the archived source. {notice}"
    _add_narrative(activity, "description", status, {"type": _OTHER})


def _award_description(award: Json, data: _PartnershipData) -> str:
    """An award in words, with dates as precise as in the source."""
    announced = (
        f"announced {award['announced']}" if award["announced"] else "no announcement date stated"
    )
    ends = f"until {award['ends']}" if award["ends"] else "no end date stated"
    facts = [f"Award to {data.recipient_name(award)}", announced, ends]
    if money := _award_amount(award):
        facts.append(qualified_amount(*money))
    return f"{', '.join(facts)}: {award['title']}."


def _organization_type(organization: Json) -> dict[str, str]:
    code = _ORGANIZATION_TYPES.get(organization["kind"])
    return {"type": code} if code else {}


def _add_dates(activity: Element, partnership: Json) -> None:
    signed = partnership["signed"]
    text = f"Signed {signed}. The start is derived from the date of signature."
    _add_date(activity, _ACTUAL_START, signed, text)
    if ends := partnership["ends"]:
        _add_date(activity, _PLANNED_END, ends, f"Planned until {ends}.")


def _add_date(activity: Element, type_: str, date: str, text: str) -> None:
    attributes = {"type": type_, "iso-date": first_day(date).isoformat()}
    _add_narrative(activity, "activity-date", text + _precision_note(date), attributes)


def _precision_note(date: str) -> str:
    """Note on the day of a date that the source states to the month or year only."""
    if len(date) == 10:
        return ""
    part = "month" if len(date) == 7 else "year"
    return f" The source states no day; the first of the {part} is used."


def _add_locations(activity: Element, data: _PartnershipData) -> None:
    """Country and regions. Shares of several countries are unknown, so then none is reported."""
    countries = {region["country"] for region in data.regions if region["country"]}
    if len(countries) == 1:
        SubElement(activity, "recipient-country", {"code": countries.pop()})
    for region in data.regions:
        location = SubElement(activity, "location", {"ref": region["id"]})
        _add_narrative(location, "name", data.region_label(region))


def _add_classification(activity: Element, data: _PartnershipData, origin: str) -> None:
    sectors = {"vocabulary": _OWN_VOCABULARY, "vocabulary-uri": f"{origin}/v1/exports"}
    for code, name in SECTORS.items():
        _add_narrative(activity, "sector", name, {**sectors, "code": code})
    tags = {"vocabulary": _OWN_VOCABULARY, "vocabulary-uri": f"{origin}/v1/objectives"}
    for objective in data.objectives:
        _add_narrative(activity, "tag", objective["title"], {**tags, "code": objective["id"]})


def _add_commitments(activity: Element, data: _PartnershipData) -> None:
    """One commitment for each award if all have amounts, else one of the whole investment.

    Never both, as consumers add up commitments.
    """
    investment = _investment(data.partnership)
    if investment and not data.is_itemized:
        _add_investment(activity, data, investment)
        return
    for award in data.awards:
        if money := _award_amount(award):
            _add_award(activity, data, award, money)


def _add_investment(activity: Element, data: _PartnershipData, money: Money) -> None:
    signed = data.partnership["signed"]
    announced = sorted(award["announced"] for award in data.awards if award["announced"])
    event, date = ("announced", announced[0]) if announced else ("signed", signed)
    share = " for all awards" if data.awards else ""
    note = f"Total investment{share}, {event} {date}."
    _add_commitment(activity, data, money, date, note)


def _add_award(activity: Element, data: _PartnershipData, award: Json, money: Money) -> None:
    announced, signed = award["announced"], data.partnership["signed"]
    event, date = ("announced", announced) if announced else ("partnership signed", signed)
    transaction = _add_commitment(activity, data, money, date, f"Award, {event} {date}.")
    for recipient in data.recipients:
        if recipient["id"] == award["recipient"]:
            type_ = _organization_type(recipient)
            _add_narrative(transaction, "receiver-org", recipient["name"], type_)


def _add_commitment(
    activity: Element, data: _PartnershipData, money: Money, date: str, note: str
) -> Element:
    """A commitment by the investor on the first day of a date."""
    day = first_day(date).isoformat()
    transaction = SubElement(activity, "transaction")
    SubElement(transaction, "transaction-type", {"code": _OUTGOING_COMMITMENT})
    SubElement(transaction, "transaction-date", {"iso-date": day})
    attributes = {"currency": money.currency, "value-date": day}
    SubElement(transaction, "value", attributes).text = str(money.amount)
    text = note + _precision_note(date) + _QUALIFIER_NOTES.get(money.qualifier or "", "")
    _add_narrative(transaction, "description", text)
    for investor in data.investor:
        _add_narrative(transaction, "provider-org", investor["name"], _organization_type(investor))
    return transaction


def _add_document_link(activity: Element, source: Json) -> None:
    if source["url"]:
        page = {"format": "text/html", "url": source["url"]}
        link = SubElement(activity, "document-link", page)
        _add_narrative(link, "title", source["title"])
        SubElement(link, "category", {"code": _ACTIVITY_PAGE})
