"""The elements of IATI activities: one of a partnership, and one of each of its awards.

Children of an element are in the order that the schema of IATI 2.03 requires.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from xml.etree.ElementTree import Element, SubElement

from app.archive.archive import Archive
from app.exports.iati_data import Money, PartnershipData, award_amount
from app.exports.terms import rights
from app.models.dates import first_day, last_day
from app.models.notation import qualified_amount

Json = dict[str, Any]

VERSION = "2.03"
SECTORS: Mapping[str, str] = {"child-trafficking": "Action against trafficking in children"}
"""The project's own sector vocabulary: name of each code."""
INVALID_IN_XML = {0xFFFE: "\ufffd", 0xFFFF: "\ufffd"}
"""Replacement of the characters that the record allows and XML does not (XML 1.0, 2.2)."""

_PARTNERSHIP_LEVEL, _AWARD_LEVEL = "1", "2"
_PARENT, _CHILD = "1", "2"
_OWN_VOCABULARY = "99"
"""Code of a reporting organization's own vocabulary (SectorVocabulary, TagVocabulary)."""
_COUNTRY_VOCABULARY = "A4"
"""Code of ISO 3166-1 alpha-2 (GeographicVocabulary)."""
_WGS_84 = "http://www.opengis.net/def/crs/EPSG/0/4326"
_REACHES_ACTIVITY, _APPROXIMATE = "1", "2"
_POINT_DECIMALS = 4
_FUNDING, _IMPLEMENTING = "1", "4"
_ACTUAL_START, _PLANNED_END = "2", "3"
_GENERAL, _OBJECTIVES, _OTHER = "1", "2", "4"
_QUALIFIER_NOTES = {
    "up_to": " The source gives the amount as a ceiling (up to).",
    "at_least": " The source gives the amount as a minimum (at least).",
    "about": " The source gives the amount as an approximation (about).",
}
_IMPLEMENTATION, _OUTGOING_COMMITMENT, _ACTIVITY_PAGE = "2", "2", "A12"


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


def last_updated(archive: Archive) -> str:
    """When the record was last changed: the beginning of that day in UTC."""
    return f"{archive.metadata['modified']}T00:00:00Z"


def activities(data: PartnershipData, reporter: Reporter, archive: Archive) -> Iterator[Element]:
    """The activity of a complete partnership, then those of its awards, without money.

    An award with neither investor nor recipient has none, as IATI requires an organization.
    """
    awards = [award for award in data.awards if data.investor or data.recipient(award)]
    yield _partnership_activity(data, awards, reporter, archive)
    for award in awards:
        yield _award_activity(data, award, reporter, archive)


def _partnership_activity(
    data: PartnershipData, awards: Iterable[Json], reporter: Reporter, archive: Archive
) -> Element:
    partnership, regions = data.partnership, data.all_regions()
    identifier = _partnership_identifier(data, reporter)
    activity = _activity(identifier, _PARTNERSHIP_LEVEL, reporter, archive)
    _add_narrative(activity, "title", partnership["name"])
    _add_descriptions(activity, data)
    _add_status_description(activity, archive)
    _add_participants(activity, data, data.recipients)
    SubElement(activity, "activity-status", {"code": _IMPLEMENTATION})
    signed = partnership["signed"]
    _add_start(activity, signed, f"Signed {signed}. The start is derived from the signature.")
    _add_partnership_end(activity, data)
    _add_locations(activity, data, regions, archive)
    _add_classification(activity, data.objectives, reporter.origin)
    _add_commitments(activity, data)
    _add_document_links(activity, data.sources)
    for award in awards:
        _add_related_activity(activity, _award_identifier(award, reporter), _CHILD)
    return activity


def _award_activity(
    data: PartnershipData, award: Json, reporter: Reporter, archive: Archive
) -> Element:
    activity = _activity(_award_identifier(award, reporter), _AWARD_LEVEL, reporter, archive)
    _add_narrative(activity, "title", award["title"])
    _add_narrative(activity, "description", award["summary"], {"type": _GENERAL})
    money = "Any money is reported by the activity of the partnership, none by this one."
    _add_narrative(activity, "description", money, {"type": _OTHER})
    _add_status_description(activity, archive)
    _add_participants(activity, data, data.recipient(award))
    SubElement(activity, "activity-status", {"code": _IMPLEMENTATION})
    _add_award_dates(activity, data, award)
    _add_locations(activity, data, data.regions(award), archive)
    objectives = [item for item in data.objectives if item["id"] in (award["objectives"] or ())]
    _add_classification(activity, objectives, reporter.origin)
    _add_document_links(activity, data.sources)
    _add_related_activity(activity, _partnership_identifier(data, reporter), _PARENT)
    return activity


def _activity(identifier: str, level: str, reporter: Reporter, archive: Archive) -> Element:
    """An `iati-activity` with its identifier and reporter only."""
    attributes = {
        "xml:lang": "en",
        "last-updated-datetime": last_updated(archive),
        "hierarchy": level,
    }
    activity = Element("iati-activity", attributes)
    SubElement(activity, "iati-identifier").text = identifier
    reporting = {"ref": reporter.ref, "type": reporter.type, "secondary-reporter": "1"}
    _add_narrative(activity, "reporting-org", reporter.name, reporting)
    return activity


def _partnership_identifier(data: PartnershipData, reporter: Reporter) -> str:
    return f"{reporter.ref}-{data.partnership['id']}"


def _award_identifier(award: Json, reporter: Reporter) -> str:
    """Identifier of an award's activity; no id of a partnership has a period."""
    return f"{reporter.ref}-award.{award['id']}"


def _add_narrative(
    parent: Element, tag: str, text: str, attributes: Mapping[str, str] | None = None
) -> Element:
    """Append an element with a `narrative` and return it."""
    element = SubElement(parent, tag, dict(attributes or {}))
    SubElement(element, "narrative").text = text.translate(INVALID_IN_XML)
    return element


def _add_descriptions(activity: Element, data: PartnershipData) -> None:
    _add_narrative(activity, "description", data.partnership["summary"], {"type": _GENERAL})
    if data.objectives:
        objectives = (f"{item['title']}: {item['summary']}" for item in data.objectives)
        _add_narrative(activity, "description", " ".join(objectives), {"type": _OBJECTIVES})
    for award in data.awards:
        _add_narrative(activity, "description", _award_description(award, data), {"type": _OTHER})
    if data.is_itemized and data.investment:
        total = f"Total investment: {qualified_amount(*data.investment)}."
        _add_narrative(activity, "description", total, {"type": _OTHER})


def _add_status_description(activity: Element, archive: Archive) -> None:
    """What the codes leave open, the release, the archive notice and the licenses."""
    metadata = archive.metadata
    text = (
        "The activity status (implementation) is as of the archived source. The record has no "
        f"sector of the DAC list. Release {archive.label} of the record, SHA-256 "
        f"{archive.release}, last changed {metadata['modified']}. "
        f"{metadata['archive_notice']} {rights(metadata)}"
    )
    _add_narrative(activity, "description", text, {"type": _OTHER})


def _award_description(award: Json, data: PartnershipData) -> str:
    """An award in words, with dates as precise as in the source."""
    announced = (
        f"announced {award['announced']}" if award["announced"] else "no announcement date stated"
    )
    ends = f"until {award['ends']}" if award["ends"] else "no end date stated"
    names = [recipient["name"] for recipient in data.recipient(award)]
    facts = [f"Award to {names[0] if names else 'an unnamed recipient'}", announced, ends]
    if money := award_amount(award):
        facts.append(qualified_amount(*money))
    return f"{', '.join(facts)}: {award['title']}."


def _add_participants(
    activity: Element, data: PartnershipData, implementers: Iterable[Json]
) -> None:
    _add_organizations(activity, "participating-org", data, data.investor, {"role": _FUNDING})
    _add_organizations(activity, "participating-org", data, implementers, {"role": _IMPLEMENTING})


def _add_organizations(
    parent: Element,
    tag: str,
    data: PartnershipData,
    organizations: Iterable[Json],
    attributes: Mapping[str, str] | None = None,
) -> None:
    """Append organizations with their names, and their types where the record supports one."""
    for organization in organizations:
        code = data.organization_type(organization)
        type_ = {"type": code} if code else {}
        _add_narrative(parent, tag, organization["name"], {**type_, **(attributes or {})})


def _add_start(activity: Element, date: str, text: str) -> None:
    attributes = {"type": _ACTUAL_START, "iso-date": first_day(date).isoformat()}
    _add_narrative(activity, "activity-date", text + _precision_note(date, "first"), attributes)


def _add_end(activity: Element, date: str, text: str) -> None:
    attributes = {"type": _PLANNED_END, "iso-date": last_day(date).isoformat()}
    _add_narrative(activity, "activity-date", text + _precision_note(date, "last"), attributes)


def _precision_note(date: str, day: str) -> str:
    """Note on the day of a date that the source states to the month or year only."""
    if len(date) == 10:
        return ""
    part = "month" if len(date) == 7 else "year"
    return f" The source states no day; the {day} of the {part} is used."


def _add_partnership_end(activity: Element, data: PartnershipData) -> None:
    """The last end of the partnership and its awards, as the catalogs give it."""
    if (end := data.end) is None:
        return
    text = f"Planned until {end}."
    if end != data.partnership["ends"]:
        text += " Derived: the last end of an award."
        if data.partnership["ends"] is None:
            text += " The source gives none of the partnership."
    if any(award["ends"] is None for award in data.awards):
        text += " Not every award has an end in the source."
    _add_end(activity, end, text)


def _add_award_dates(activity: Element, data: PartnershipData, award: Json) -> None:
    announced, signed, ends = award["announced"], data.partnership["signed"], award["ends"]
    event, date = ("Announced", announced) if announced else ("Partnership signed", signed)
    _add_start(activity, date, f"{event} {date}. The start is derived from this date.")
    if ends:
        _add_end(activity, ends, f"Planned until {ends}.")


def _add_locations(
    activity: Element, data: PartnershipData, regions: Sequence[Json], archive: Archive
) -> None:
    if country := data.recipient_country(regions):
        element = SubElement(activity, "recipient-country", {"code": country.code})
        if country.note:
            SubElement(element, "narrative").text = country.note
    for region in regions:
        _add_location(activity, data, region, archive)


def _add_location(activity: Element, data: PartnershipData, region: Json, archive: Archive) -> None:
    """A region; its codes are in words, as no vocabulary of IATI has them."""
    location = SubElement(activity, "location", {"ref": region["id"]})
    SubElement(location, "location-reach", {"code": _REACHES_ACTIVITY})
    _add_narrative(location, "name", data.region_label(region))
    point = data.point(region)
    facts = [
        f"{name} {region[field]}."
        for name, field in (("ISO 3166-2", "iso_3166_2"), ("Wikidata", "wikidata"))
        if region[field]
    ]
    if point:
        title = archive.metadata["outlines"]["reference"]["title"]
        facts.append(
            f"The point is an illustrative one inside the outline of the region ({title})."
        )
    if facts:
        _add_narrative(location, "description", " ".join(facts))
    if region["country"]:
        code = {"vocabulary": _COUNTRY_VOCABULARY, "code": region["country"]}
        SubElement(location, "administrative", code)
    if point:
        longitude, latitude = (round(degrees, _POINT_DECIMALS) for degrees in point)
        position = SubElement(SubElement(location, "point", {"srsName": _WGS_84}), "pos")
        position.text = f"{latitude} {longitude}"
        SubElement(location, "exactness", {"code": _APPROXIMATE})


def _add_classification(activity: Element, objectives: Iterable[Json], origin: str) -> None:
    sectors = {"vocabulary": _OWN_VOCABULARY, "vocabulary-uri": f"{origin}/v1/exports"}
    for code, name in SECTORS.items():
        _add_narrative(activity, "sector", name, {**sectors, "code": code})
    tags = {"vocabulary": _OWN_VOCABULARY, "vocabulary-uri": f"{origin}/v1/objectives"}
    for objective in objectives:
        _add_narrative(activity, "tag", objective["title"], {**tags, "code": objective["id"]})


def _add_commitments(activity: Element, data: PartnershipData) -> None:
    """One commitment for each award if all have amounts, else one of the whole investment.

    Never both, as consumers add up commitments.
    """
    if data.investment and not data.is_itemized:
        _add_investment(activity, data, data.investment)
        return
    for award in data.awards:
        if money := award_amount(award):
            _add_award(activity, data, award, money)


def _add_investment(activity: Element, data: PartnershipData, money: Money) -> None:
    signed = data.partnership["signed"]
    announced = sorted(award["announced"] for award in data.awards if award["announced"])
    event, date = ("announced", announced[0]) if announced else ("signed", signed)
    share = " for all awards" if data.awards else ""
    note = f"Total investment{share}, {event} {date}."
    commitment = _add_commitment(activity, data, money, date, note)
    _add_organizations(commitment, "receiver-org", data, data.only_recipient())


def _add_award(activity: Element, data: PartnershipData, award: Json, money: Money) -> None:
    announced, signed = award["announced"], data.partnership["signed"]
    event, date = ("announced", announced) if announced else ("partnership signed", signed)
    note = f"Award, {event} {date}."
    commitment = _add_commitment(activity, data, money, date, note)
    _add_organizations(commitment, "receiver-org", data, data.recipient(award))


def _add_commitment(
    activity: Element, data: PartnershipData, money: Money, date: str, note: str
) -> Element:
    """A commitment by the investor on the first day of a date."""
    day = first_day(date).isoformat()
    transaction = SubElement(activity, "transaction")
    SubElement(transaction, "transaction-type", {"code": _OUTGOING_COMMITMENT})
    SubElement(transaction, "transaction-date", {"iso-date": day})
    attributes = {"currency": money.currency, "value-date": day}
    SubElement(transaction, "value", attributes).text = str(money.amount)
    text = note + _precision_note(date, "first") + _QUALIFIER_NOTES.get(money.qualifier or "", "")
    _add_narrative(transaction, "description", text)
    _add_organizations(transaction, "provider-org", data, data.investor)
    return transaction


def _add_document_links(activity: Element, sources: Iterable[Json]) -> None:
    for source in sources:
        if source["url"]:
            page = {"format": "text/html", "url": source["url"]}
            link = SubElement(activity, "document-link", page)
            _add_narrative(link, "title", source["title"])
            SubElement(link, "category", {"code": _ACTIVITY_PAGE})


def _add_related_activity(activity: Element, identifier: str, type_: str) -> None:
    SubElement(activity, "related-activity", {"ref": identifier, "type": type_})
