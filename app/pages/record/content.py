"""What the page tells, in its order, and how much of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from string import ascii_uppercase

from app.pages.record.documents import DocumentReader, Excerpt, Json
from app.pages.record.outlines import Map, draw_map
from app.pages.record.timeline import TimeAxis

_TOLD = 2
_PARTNERSHIPS = 24
_OBJECTIVES = 8
_AWARDS = 6
_ACTIVITIES = 10
_REGIONS = 12
_ORGANIZATIONS = 16
_SOURCES = 2


@dataclass(frozen=True, slots=True)
class AwardSection:
    """An award and what it pays for.

    Attributes:
        letter: What it is called in figures.
        award: The award.
        activities: Its activities.
    """

    letter: str
    award: Json
    activities: Excerpt

    def is_in(self, objective: Json, region: Json) -> bool:
        """Whether the award lists both an objective and a region."""
        lists = (self.award["objectives"] or [], self.award["regions"] or [])
        return objective["id"] in lists[0] and region["id"] in lists[1]

    def works_in(self, region: Json) -> bool:
        """Whether the award lists a region."""
        return region["id"] in (self.award["regions"] or [])


@dataclass(frozen=True, slots=True)
class PartnershipSection:
    """A partnership with all that belongs to it.

    Attributes:
        partnership: The partnership.
        objectives: Its objectives.
        regions: The regions that it or its awards name.
        awards: Its awards, as a list.
        works: The same, with their activities.
    """

    partnership: Json
    objectives: Excerpt
    regions: Sequence[Json]
    awards: Excerpt
    works: Sequence[AwardSection]


@dataclass(frozen=True, slots=True)
class PageContent:
    """All that the page shows.

    Attributes:
        partnerships: The partnerships that are named.
        chapters: The first of them, each told with all that belongs to it.
        axis: Years of the timeline; None where no date is known.
        regions: The regions.
        map: Their outlines; None where none is known.
        organizations: The organizations.
        sources: The archived pages.
        bases: Number of citations of each basis.
    """

    partnerships: Excerpt
    chapters: Sequence[PartnershipSection]
    axis: TimeAxis | None
    regions: Excerpt
    map: Map | None
    organizations: Excerpt
    sources: Excerpt
    bases: Mapping[str, int]

    @property
    def others(self) -> Sequence[Json]:
        """The partnerships that are named only."""
        return self.partnerships.items[len(self.chapters) :]

    @property
    def works(self) -> list[AwardSection]:
        """Every award that is told, with its activities."""
        return [work for chapter in self.chapters for work in chapter.works]


def read_content(reader: DocumentReader) -> PageContent:
    """Read what the page tells: the first of everything, so that the page stays of one size."""
    partnerships = reader.some("partnerships", _PARTNERSHIPS)
    letters = iter(ascii_uppercase)
    chapters = []
    for partnership in partnerships.items[:_TOLD]:
        awards = reader.some("awards", _AWARDS, partnership=partnership["id"])
        works = [
            AwardSection(
                next(letters), award, reader.some("activities", _ACTIVITIES, award=award["id"])
            )
            for award in awards
        ]
        objectives = reader.some("objectives", _OBJECTIVES, partnership=partnership["id"])
        named = _regions(reader, [partnership, *awards])
        chapters.append(PartnershipSection(partnership, objectives, named, awards, works))
    regions = reader.some("regions", _REGIONS)
    names = {one["id"]: one["name"] for one in regions}
    return PageContent(
        partnerships,
        chapters,
        TimeAxis.of(_dates(chapters)),
        regions,
        draw_map(reader.outlines(regions.items), names),
        reader.some("organizations", _ORGANIZATIONS),
        reader.some("sources", _SOURCES),
        reader.bases(),
    )


def _regions(reader: DocumentReader, places: Sequence[Json]) -> list[Json]:
    """The regions that a partnership or one of its awards names, each once."""
    names = dict.fromkeys(name for one in places for name in one["regions"] or [])
    found = (reader.one("regions", name) for name in list(names)[:_REGIONS])
    return [one for one in found if one is not None]


def _dates(chapters: Sequence[PartnershipSection]) -> list[str | None]:
    signed = [one.partnership[name] for one in chapters for name in ("signed", "ends")]
    awards = [work.award for one in chapters for work in one.works]
    return signed + [award[name] for award in awards for name in ("announced", "ends")]
