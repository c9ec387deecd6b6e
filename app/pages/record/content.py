"""Reads what the record page shows, in the order of the page, with a limit for each list."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from string import ascii_uppercase

from app.pages.record.documents import DocumentReader, Excerpt, Json
from app.pages.record.outlines import Map, draw_map
from app.pages.record.timeline import TimeAxis
from app.pages.record.words import shorten

_MAX_PARTNERSHIP_SECTIONS = 2
_MAX_PARTNERSHIPS = 24
_MAX_OBJECTIVES = 8
_MAX_AWARDS = 6
_MAX_ACTIVITIES_PER_AWARD = 10
_MAX_ACTIVITIES = 40
_MAX_REGIONS = 12
_MAX_ORGANIZATIONS = 16
_MAX_SOURCES = 2
_MAX_MAP_NAME_CHARACTERS = 40


@dataclass(frozen=True, slots=True)
class AwardSection:
    """An award with its activities.

    Attributes:
        letter: Label of the award in the table and on the map.
        award: The award.
        activities: Its activities.
    """

    letter: str
    award: Json
    activities: Excerpt

    def covers(self, objective: Json, region: Json | None) -> bool:
        """Whether the award lists the objective and, if one is given, also the region."""
        if region is not None and not self.covers_region(region["id"]):
            return False
        return objective["id"] in (self.award["objectives"] or [])

    def covers_region(self, region_id: str) -> bool:
        """Whether the award lists the region."""
        return region_id in (self.award["regions"] or [])


@dataclass(frozen=True, slots=True)
class PartnershipSection:
    """A partnership with its objectives, regions and awards.

    Attributes:
        partnership: The partnership.
        objectives: Its objectives.
        regions: Regions that the partnership or one of its awards lists.
        awards: Its awards.
        award_sections: The same awards with their activities.
    """

    partnership: Json
    objectives: Excerpt
    regions: Excerpt
    awards: Excerpt
    award_sections: Sequence[AwardSection]

    @property
    def columns(self) -> Sequence[Json | None]:
        """Columns of the table of objectives: the regions, or one for the awards without them."""
        return self.regions.items or [None]


@dataclass(frozen=True, slots=True)
class PageContent:
    """Data of the record page.

    Attributes:
        partnerships: The partnerships.
        partnership_sections: The first of them, in full.
        time_axis: Years of the timeline; None if no date is known.
        regions: The regions.
        map: Map of their outlines; None if there is no outline.
        organizations: The organizations.
        sources: The archived pages.
        citation_counts: Number of citations by basis.
    """

    partnerships: Excerpt
    partnership_sections: Sequence[PartnershipSection]
    time_axis: TimeAxis | None
    regions: Excerpt
    map: Map | None
    organizations: Excerpt
    sources: Excerpt
    citation_counts: Mapping[str, int]

    @property
    def other_partnerships(self) -> Sequence[Json]:
        """Partnerships without a section of their own."""
        return self.partnerships.items[len(self.partnership_sections) :]

    @property
    def objective_sections(self) -> list[PartnershipSection]:
        """The partnership sections with objectives or awards."""
        sections = self.partnership_sections
        return [section for section in sections if section.objectives.items or section.awards.items]

    @property
    def objective_count(self) -> int:
        """Number of objectives of the partnership sections, with those that are not shown."""
        return sum(section.objectives.total for section in self.partnership_sections)

    @property
    def award_count(self) -> int:
        """Number of awards of the partnership sections, with those that are not shown."""
        return sum(section.awards.total for section in self.partnership_sections)

    @property
    def award_sections(self) -> list[AwardSection]:
        """The awards of every partnership section."""
        return [
            award_section
            for section in self.partnership_sections
            for award_section in section.award_sections
        ]


def read_content(reader: DocumentReader) -> PageContent:
    """The first items of each collection, limited so that the page's size is bounded."""
    partnerships = reader.first_items("partnerships", _MAX_PARTNERSHIPS)
    sections = _read_sections(reader, partnerships.items[:_MAX_PARTNERSHIP_SECTIONS])
    regions = reader.first_items("regions", _MAX_REGIONS)
    names = {
        region["id"]: shorten(reader.label(region), _MAX_MAP_NAME_CHARACTERS) for region in regions
    }
    return PageContent(
        partnerships,
        sections,
        TimeAxis.covering(_dates(sections)),
        regions,
        draw_map(reader.region_outlines(regions.items), names, _countries(regions)),
        reader.first_items("organizations", _MAX_ORGANIZATIONS),
        reader.first_items("sources", _MAX_SOURCES),
        reader.count_citations_by_basis(),
    )


def _read_sections(
    reader: DocumentReader, partnerships: Sequence[Json]
) -> list[PartnershipSection]:
    """The partnerships in full; their awards share the number of activities on the page."""
    awards_by_partnership = [
        reader.first_items("awards", _MAX_AWARDS, partnership=partnership["id"])
        for partnership in partnerships
    ]
    award_count = sum(map(len, awards_by_partnership))
    max_activities = min(_MAX_ACTIVITIES_PER_AWARD, _MAX_ACTIVITIES // max(award_count, 1))
    letters = iter(ascii_uppercase)
    return [
        PartnershipSection(
            partnership,
            reader.first_items("objectives", _MAX_OBJECTIVES, partnership=partnership["id"]),
            _listed_regions(reader, [partnership, *awards]),
            awards,
            [
                AwardSection(
                    next(letters),
                    award,
                    reader.first_items("activities", max_activities, award=award["id"]),
                )
                for award in awards
            ],
        )
        for partnership, awards in zip(partnerships, awards_by_partnership, strict=True)
    ]


def _listed_regions(reader: DocumentReader, resources: Sequence[Json]) -> Excerpt:
    """Regions that a partnership and its awards list, without duplicates."""
    ids = dict.fromkeys(
        region_id for resource in resources for region_id in resource["regions"] or []
    )
    found = (reader.find("regions", region_id) for region_id in list(ids)[:_MAX_REGIONS])
    return Excerpt([region for region in found if region is not None], len(ids), "/v1/regions")


def _countries(regions: Iterable[Json]) -> set[str]:
    return {region["country"] for region in regions if region["country"] is not None}


def _dates(sections: Sequence[PartnershipSection]) -> list[str | None]:
    partnership_dates = [
        section.partnership[field] for section in sections for field in ("signed", "ends")
    ]
    awards = [
        award_section.award for section in sections for award_section in section.award_sections
    ]
    return partnership_dates + [award[field] for award in awards for field in ("announced", "ends")]
