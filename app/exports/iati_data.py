"""A partnership with everything that its IATI activities are made of."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from app.models.dates import last_day
from app.models.outline import Position, point_inside, polygons_of
from app.query.labels import region_label

Json = dict[str, Any]

_ORGANIZATION_TYPES: Mapping[str, str] = {
    "government": "10",
    "government_agency": "10",
    "international_organization": "40",
}
"""OrganisationType codes of kinds of organizations."""
_NGO_TYPES: Mapping[str, str] = {"international": "21", "regional": "23", "local": "24"}
"""OrganisationType codes of NGOs, by the word that the cited text has for them.

`national` is left out: the code list means an NGO of the donor's country by it, texts often one of
the recipient's.
"""
_DONOR_COUNTRIES = frozenset(
    (
        *("AT", "AU", "BE", "CA", "CH", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GB", "GR", "HU"),
        *("IE", "IS", "IT", "JP", "KR", "LT", "LU", "NL", "NO", "NZ", "PL", "PT", "SE", "SI", "SK"),
        "US",
    )
)
"""Members of the Development Assistance Committee of the OECD (2024): none receives aid."""


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


def award_amount(award: Json) -> Money | None:
    """The amount of an award."""
    return Money.of(award, "amount", "currency", "amount_qualifier")


class RecipientCountry(NamedTuple):
    """The country that receives the aid, and the rule that it was derived by, if any."""

    code: str
    note: str | None


class PartnershipData:
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
        self.recipients = self._by_id(
            "organizations", _distinct(award["recipient"] for award in self.awards)
        )
        regions = [partnership, *self.awards]
        listed = _distinct(id_ for item in regions for id_ in item["regions"] or ())
        self._regions = {region["id"]: region for region in self._by_id("regions", listed)}
        self._points = dict(self._find_points(listed))
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

    @property
    def investment(self) -> Money | None:
        """The whole investment."""
        return Money.of(
            self.partnership, "investment_amount", "investment_currency", "investment_qualifier"
        )

    @property
    def end(self) -> str | None:
        """The last end that the partnership or any of its awards has, as precise as stated."""
        ends = [item["ends"] for item in (self.partnership, *self.awards) if item["ends"]]
        return max(ends, key=last_day, default=None)

    def recipient(self, award: Json) -> list[Json]:
        """The recipient of an award; empty if there is none."""
        return [item for item in self.recipients if item["id"] == award["recipient"]]

    def only_recipient(self) -> list[Json]:
        """The recipient of all awards; empty if they have several, or one has none."""
        ids = {award["recipient"] for award in self.awards}
        return self.recipients if len(ids) == len(self.recipients) == 1 else []

    def regions(self, *items: Json) -> list[Json]:
        """The regions of partnerships or awards, each once."""
        ids = _distinct(id_ for item in items for id_ in item["regions"] or ())
        return [self._regions[id_] for id_ in ids]

    def all_regions(self) -> list[Json]:
        """The regions of the partnership or, if it has none, of its awards."""
        return self.regions(self.partnership) or self.regions(*self.awards)

    def recipient_country(self, regions: Sequence[Json]) -> RecipientCountry | None:
        """The country of the regions or, if they have none, of the signatories.

        None if there are several: their shares are unknown.
        """
        countries = {region["country"] for region in regions if region["country"]}
        if countries:
            return RecipientCountry(countries.pop(), None) if len(countries) == 1 else None
        signatories = [code for code in self.partnership["countries"] or () if code]
        recipients = [code for code in signatories if code not in _DONOR_COUNTRIES]
        if len(recipients) != 1:
            return None
        note = "Derived: the only signatory that is not a donor country (OECD DAC member)."
        return RecipientCountry(recipients[0], note)

    def region_label(self, region: Json) -> str:
        """Name of a region, with its country if another region has the same name."""
        return region_label(self._connection, region)

    def point(self, region: Json) -> Position | None:
        """Longitude and latitude of a point inside the outline of a region."""
        return self._points.get(region["id"])

    def organization_type(self, organization: Json) -> str | None:
        """OrganisationType code of an organization, as far as the record supports one.

        That of an NGO depends on where it is based, so it follows from the words that are cited
        for its kind, such as `a local NGO`.
        """
        if organization["kind"] != "ngo":
            return _ORGANIZATION_TYPES.get(organization["kind"])
        rows = self._connection.execute(
            "SELECT exact FROM citations WHERE resource = ? AND resource_type = 'organization' "
            "AND field = 'kind' AND exact IS NOT NULL",
            (organization["id"],),
        )
        words = {word for (exact,) in rows for word in re.findall(r"\w+", exact.decode().lower())}
        codes = [code for word, code in _NGO_TYPES.items() if word in words]
        return codes[0] if len(codes) == 1 else None

    def _find_points(self, regions: Sequence[str]) -> Iterator[tuple[str, Position]]:
        rows = self._connection.execute(
            "SELECT region, geometry FROM json_each(?) AS ids JOIN outlines "
            "ON outlines.region = ids.value",
            (json.dumps(regions),),
        )
        for region, geometry in rows:
            point = point_inside(polygons_of(json.loads(geometry)))
            if point is not None:
                yield region.decode(), point

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


def _distinct(ids: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(ids))
