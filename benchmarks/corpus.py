"""A seed of any size, in partnerships of the shipped record's shape.

``python -m benchmarks.corpus 100000 FOLDER`` writes `seed.json`, `regions.geojson` and one
archived page per partnership into a folder. The same count and number give the same bytes. The
content is meant to be awkward: every script, right-to-left text, quotes, separators, formulas, long
text, and null wherever it is allowed.
"""

from __future__ import annotations

import hashlib
import json
import random
import sys
from calendar import month_name
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

Json = dict[str, Any]

SHAPE = 24
"""Resources of one partnership, besides citations."""
EVERYWHERE = "everywhere"
"""A word in every resource's text."""

_LANGUAGES = (
    "shelter prosecution survivor prevention alliance municipality training justice referral "
    "Перу защита дети Ελλάδα προστασία παιδί حماية "
    "الأطفال שלום הגנה बच्चे संरक्षण การคุ้มครอง เด็ก "
    "儿童 保护 子ども 保護 아동 보호 საქართველო ბავშვი የሕፃናት "
    "ጥበቃ ᏣᎳᎩ ñandú Perú Łódź İstanbul straße "
    'naïve e\u0301te\u0301 "quoted" l\u2019enfant a|b back\\slash comma,comma semi;colon '
    "👩🏽\u200d🚒 50% under_score <b>tag</b> &amp; NEAR AND OR NOT title:x x* (y) ^z -w"
)
_WORDS = _LANGUAGES.split()
_OPENINGS = ("", "", "", "", "=1+1 ", "+1 ", "-2 ", "@sum ", "'=1 ", "'s ", '"', "#", "\u202b")
_PLACES = (
    ("PE", "PE-AMA"), ("PE", "PE-ANC"), ("PE", "PE-APU"), ("BO", "BO-L"), ("BO", "BO-S"),
    ("GH", "GH-AA"), ("GH", "GH-AH"), ("PH", "PH-CEB"), ("PH", "PH-00"), ("JM", "JM-01"),
    ("MN", "MN-1"), ("CO", "CO-ANT"),
)  # fmt: skip
_COUNTRIES = {
    "PE": "Peru",
    "BO": "Bolivia",
    "GH": "Ghana",
    "PH": "the Philippines",
    "JM": "Jamaica",
    "MN": "Mongolia",
    "CO": "Colombia",
}
_KINDS = ("government", "government_agency", "international_organization", "ngo")


def write_corpus(folder: Path, resources: int, number: int = 1) -> Path:
    """Write a seed of at least `resources` resources and return its path."""
    folder.mkdir(parents=True, exist_ok=True)
    outlines = b'{"type":"FeatureCollection","features":[]}'
    (folder / "regions.geojson").write_bytes(outlines)
    chance = random.Random(number)  # noqa: S311 - not for secrets
    lists: dict[str, list[str]] = {name: [] for name in _COLLECTIONS}
    for index in range(-(-resources // SHAPE)):
        block = _Partnership(chance, index)
        for name, entry in block.entries():
            lists[name].append(json.dumps(entry, ensure_ascii=False, separators=(",", ":")))
        (folder / f"page-{index}.txt").write_text("".join(block.text), "utf-8", newline="")
    header = {
        "$schema": "seed.schema.json",
        "modified": "2026-02-03",
        "archive_notice": "A made-up record, to test and to measure.",
        "license": {"title": "Made up", "url": "https://example.org/license"},
        "outlines": {
            "file": "regions.geojson",
            "sha256": hashlib.sha256(outlines).hexdigest(),
            "reference": _REFERENCE,
            "note": "There are none.",
        },
    }
    path = folder / "seed.json"
    with path.open("w", encoding="utf-8") as file:
        file.write(json.dumps(header)[:-1])
        for name, entries in lists.items():
            file.write(f',\n"{name}":[\n' + ",\n".join(entries) + "\n]")
        file.write("}\n")
    return path


_COLLECTIONS = (
    "partnerships", "objectives", "awards", "activities", "regions", "organizations", "sources",
)  # fmt: skip
_REFERENCE = {"title": "Made up", "url": "https://example.org/made-up", "license": "CC0 1.0"}


class _Partnership:
    """One partnership with all that belongs to it, and the page that it rests on."""

    def __init__(self, chance: random.Random, index: int) -> None:
        self.chance, self.index, self.name = chance, index, f"p{index}"
        self.text: list[str] = []
        self.length = 0
        self.source = f"{self.name}-page"

    def entries(self) -> Iterator[tuple[str, Json]]:
        """Every entry of the seed, by collection."""
        regions = [f"{self.name}-region-{one}" for one in range(3)]
        objectives = [f"{self.name}-objective-{one}" for one in range(3)]
        partners = [f"{self.name}-org-{one}" for one in range(6)]
        yield "partnerships", self._partnership(regions, partners[0])
        for place, name in enumerate(objectives, start=1):
            yield "objectives", self._placed(name, "partnership", self.name, place)
        for number in range(2):
            award = f"{self.name}-award-{number}"
            yield "awards", self._award(award, partners[number + 1], objectives, regions)
            for place in range(1, 5):
                name = f"{award}-activity-{place}"
                yield "activities", self._activity(name, award, place, objectives, regions)
        for name in regions:
            yield "regions", self._region(name)
        for name in partners:
            yield "organizations", self._organization(name)
        yield "sources", self._source(partners[5])

    def _quote(self, fragment: str) -> Json:
        fragment = fragment[:80]
        start = self.length
        self.text.append(f"{fragment} / ")
        self.length += len(fragment) + 3
        return {
            "source": self.source,
            "start": start,
            "end": start + len(fragment),
            "exact": fragment,
        }

    def _cited(self, basis: str, *fragments: str) -> list[Json]:
        note = {"note": self._words(5)} if basis == "derived" else {}
        return [{"basis": basis, "quote": self._quote(one), **note} for one in fragments]

    def _words(self, most: int) -> str:
        chosen = self.chance.choices(_WORDS, k=self.chance.randint(1, most))
        return self.chance.choice(_OPENINGS) + " ".join(chosen)

    def _summary(self) -> str:
        long = 400 if self.chance.random() < 0.002 else 30
        return f"{self._words(long)} {EVERYWHERE} rare{self.chance.randrange(10**9)}"

    def _maybe(self, value: Any, likely: float = 0.8) -> Any:
        return value if self.chance.random() < likely else None

    def _some(self, values: Sequence[str]) -> list[str]:
        return self.chance.sample(values, self.chance.randint(1, len(values)))

    def _date(self) -> tuple[str, str]:
        """A date at a random precision, and as a page would write it."""
        year, month, day = (
            self.chance.randint(1990, 2030),
            self.chance.randint(1, 12),
            self.chance.randint(1, 28),
        )
        return self.chance.choice(
            [
                (f"{year}", f"in {year}"),
                (f"{year}-{month:02}", f"in {month_name[month]} {year}"),
                (f"{year}-{month:02}-{day:02}", f"on {month_name[month]} {day}, {year}"),
            ]
        )

    def _entry(self, name: str, values: Json, evidence: dict[str, list[Json]]) -> Json:
        """An entry whose nulls are, by chance, not stated or do not apply."""
        nulls = [field for field, value in values.items() if value is None]
        evidence = {field: cited for field, cited in evidence.items() if values[field] is not None}
        not_stated = [field for field in nulls if self.chance.random() < 0.8]
        return {"id": name, **values, "not_stated": not_stated, "evidence": evidence}

    def _partnership(self, regions: list[str], investor: str) -> Json:
        signed, written = self._date()
        amount = self._maybe(self.chance.randrange(1, 10**9) * 1_000)
        years = self.chance.randint(1, 10)
        values = {
            "name": f"{self._words(6)} {self.index}",
            "short_name": None,
            "summary": self._summary(),
            "countries": self._some(["US", "PE", "BO", "GH", "PH"]),
            "signed": self._maybe(signed),
            "planned_years": self._maybe(years),
            "ends": None,
            "investment_amount": amount,
            "investment_currency": None if amount is None else "USD",
            "investor": self._maybe(investor),
            "precedence": self._maybe([{"scope": "world", "ordinal": 3}], 0.1),
            "regions": self._maybe(self._some(regions)),
        }
        evidence = {
            "signed": self._cited("stated", written),
            "planned_years": self._cited("stated", f"for {years} years"),
            "investment_amount": self._cited("stated", f"${amount or 0:,}"),
            "precedence": self._cited("stated", "the third in the world"),
            "countries": self._cited(
                "derived", "the United States, Peru, Bolivia, Ghana, Philippines"
            ),
            **self._derived("investment_currency", "investor", "regions"),
            **self._worded("name", "summary"),
        }
        return self._entry(self.name, values, evidence)

    def _derived(self, *fields: str) -> dict[str, list[Json]]:
        return {field: self._cited("derived", self._words(6)) for field in fields}

    def _worded(self, *fields: str) -> dict[str, list[Json]]:
        return {field: self._cited("editorial", self._words(6)) for field in fields}

    def _placed(self, name: str, owner: str, owned_by: str, place: int) -> Json:
        values = {
            owner: owned_by,
            "position": place,
            "title": self._words(5),
            "summary": self._summary(),
        }
        return self._entry(name, values, self._worded("title", "summary"))

    def _award(self, name: str, recipient: str, objectives: list[str], regions: list[str]) -> Json:
        announced, written = self._date()
        amount = self._maybe(self.chance.randrange(10**7), 0.5)
        forms = self.chance.choice([["sex"], ["labor"], ["sex", "labor"], None, None, None])
        values = {
            "partnership": self.name,
            "recipient": self._maybe(recipient),
            "title": self._words(8),
            "summary": self._summary(),
            "announced": self._maybe(announced),
            "ends": None,
            "amount": amount,
            "currency": None if amount is None else "USD",
            "objectives": self._maybe(self._some(objectives)),
            "regions": self._maybe(self._some(regions)),
            "trafficking_forms": forms,
            "has_sub_recipients": self._maybe(self.chance.random() < 0.5, 0.5),
        }
        evidence = {
            "announced": self._cited("stated", written),
            "amount": self._cited("stated", f"${amount or 0:,}"),
            "trafficking_forms": self._cited("stated", " and ".join(forms or ["none"])),
            **self._derived("recipient", "currency", "objectives", "regions"),
            "has_sub_recipients": self._cited("derived", "without others"),
            **self._worded("title", "summary"),
        }
        return self._entry(name, values, evidence)

    def _activity(
        self, name: str, award: str, place: int, objectives: list[str], regions: list[str]
    ) -> Json:
        groups = list(dict.fromkeys(self._words(3) for _ in range(self.chance.randint(1, 4))))
        values = {
            "award": award,
            "position": place,
            "title": f"{self._words(8)} activity {place}",
            "summary": self._summary(),
            "objectives": self._maybe(self._some(objectives)),
            "regions": self._maybe(self._some(regions), 0.3),
            "stakeholders": self._maybe(groups),
            "supports": self._maybe(self._words(6), 0.2),
        }
        evidence = {
            **self._derived("objectives", "regions", "stakeholders", "supports"),
            **self._worded("title", "summary"),
        }
        return self._entry(name, values, evidence)

    def _region(self, name: str) -> Json:
        country, code = self.chance.choice(_PLACES)
        values = {
            "name": f"{self._words(3)} {EVERYWHERE}",
            "aliases": self._maybe(self._some(["Cuzco", "Qusqu", "Košice"]), 0.3),
            "country": country,
            "iso_3166_2": self._maybe(code),
            "inei_ubigeo": None,
            "wikidata": self._maybe(f"Q{self.chance.randint(1, 10**8)}"),
        }
        enriched = [{"basis": "enriched", "reference": _REFERENCE}]
        evidence = {
            "iso_3166_2": enriched,
            "wikidata": enriched,
            "aliases": self._cited("derived", "Cuzco, Qusqu, Košice"),
            "country": self._cited("derived", f"in {_COUNTRIES[country]}"),
            **self._worded("name"),
        }
        return self._entry(name, values, evidence)

    def _organization(self, name: str) -> Json:
        roles = self._some(["signatory", "investor", "implementer", "publisher"])
        values = {
            "name": f"{self._words(4)} {EVERYWHERE} {name.replace('-', ' ')}",
            "short_name": self._maybe(self._words(2), 0.3),
            "kind": self._maybe(self.chance.choice(_KINDS), 0.9),
            "roles": self._maybe(roles, 0.9),
        }
        evidence = {**self._derived("kind", "roles"), **self._worded("name", "short_name")}
        return self._entry(name, values, evidence)

    def _source(self, publisher: str) -> Json:
        values = {
            "publisher": publisher,
            "title": f"{self._words(5)} {EVERYWHERE}",
            "url": self._maybe(f"https://example.org/{self.index}"),
            "archived_from": None,
            "archived_to": None,
            "notices": self._maybe([self._words(4)]),
        }
        evidence = {
            "url": [{"basis": "enriched", "reference": _REFERENCE}],
            **self._derived("publisher", "notices"),
            **self._worded("title"),
        }
        entry = self._entry(self.source, values, evidence)
        content = "".join(self.text).encode()
        return {
            **entry,
            "sha256": hashlib.sha256(content).hexdigest(),
            "bytes": len(content),
            "characters": self.length,
            "furniture": None,
        }


def main() -> None:
    """Write a corpus as the command line says."""
    resources, folder, *number = sys.argv[1:]
    sys.stdout.write(f"{write_corpus(Path(folder), int(resources), *map(int, number))}\n")


if __name__ == "__main__":
    main()
