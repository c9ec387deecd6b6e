"""Generator of seeds of any size, made of partnerships shaped like the shipped record.

``python -m benchmarks.corpus 100000 FOLDER`` writes `seed.json`, `regions.geojson` and one
archived page per partnership into a directory. The same size and random seed give the same bytes.
The content is deliberately difficult: many scripts, right-to-left text, quotes, separators,
spreadsheet formulas, long text, and null wherever it is allowed.
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

RESOURCES_PER_PARTNERSHIP = 24
"""Citations not counted."""
COMMON_WORD = "everywhere"
"""A word that occurs in the text of every resource."""

_TEXT = (
    "shelter prosecution survivor prevention alliance municipality training justice referral "
    "Перу защита дети Ελλάδα προστασία παιδί حماية "
    "الأطفال שלום הגנה बच्चे संरक्षण การคุ้มครอง เด็ก "
    "儿童 保护 子ども 保護 아동 보호 საქართველო ბავშვი የሕፃናት "
    "ጥበቃ ᏣᎳᎩ ñandú Perú Łódź İstanbul straße "
    'naïve e\u0301te\u0301 "quoted" l\u2019enfant a|b back\\slash comma,comma semi;colon '
    "👩🏽\u200d🚒 50% under_score <b>tag</b> &amp; NEAR AND OR NOT title:x x* (y) ^z -w"
)
_WORDS = _TEXT.split()
_PREFIXES = ("", "", "", "", "=1+1 ", "+1 ", "-2 ", "@sum ", "'=1 ", "'s ", '"', "#", "\u202b")
_SUBDIVISIONS = (
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


def write_corpus(folder: Path, resources: int, random_seed: int = 1) -> Path:
    """Write a seed of at least `resources` resources into a directory and return its path."""
    folder.mkdir(parents=True, exist_ok=True)
    outlines = b'{"type":"FeatureCollection","features":[]}'
    (folder / "regions.geojson").write_bytes(outlines)
    rng = random.Random(random_seed)  # noqa: S311 - not for secrets
    entries: dict[str, list[str]] = {name: [] for name in _COLLECTIONS}
    for index in range(-(-resources // RESOURCES_PER_PARTNERSHIP)):
        partnership = _Partnership(rng, index)
        for name, entry in partnership.entries():
            entries[name].append(json.dumps(entry, ensure_ascii=False, separators=(",", ":")))
        page = "".join(partnership.text)
        (folder / f"page-{index}.txt").write_text(page, "utf-8", newline="")
    path = folder / "seed.json"
    with path.open("w", encoding="utf-8") as file:
        file.write(json.dumps(_header(outlines))[:-1])
        for name, documents in entries.items():
            file.write(f',\n"{name}":[\n' + ",\n".join(documents) + "\n]")
        file.write("}\n")
    return path


def _header(outlines: bytes) -> Json:
    """The fields of a seed before its collections."""
    return {
        "$schema": "seed.schema.json",
        "shape": 2,
        "title": "A corpus",
        "description": "Random words.",
        "keywords": ["random words"],
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


_COLLECTIONS = (
    "partnerships", "objectives", "awards", "activities", "regions", "organizations", "sources",
)  # fmt: skip
_REFERENCE = {"title": "Made up", "url": "https://example.org/made-up", "license": "CC0 1.0"}


class _Partnership:
    """One partnership with its related resources, and the page that they cite."""

    def __init__(self, rng: random.Random, index: int) -> None:
        self.rng, self.index, self.name = rng, index, f"p{index}"
        self.text: list[str] = []
        self.length = 0
        self.source = f"{self.name}-page"

    def entries(self) -> Iterator[tuple[str, Json]]:
        """Every entry of the seed, with the name of its collection."""
        regions = [f"{self.name}-region-{number}" for number in range(3)]
        objectives = [f"{self.name}-objective-{number}" for number in range(3)]
        organizations = [f"{self.name}-org-{number}" for number in range(6)]
        yield "partnerships", self._partnership(regions, organizations[0])
        for position, name in enumerate(objectives, start=1):
            yield "objectives", self._objective(name, position)
        for number in range(2):
            award = f"{self.name}-award-{number}"
            yield "awards", self._award(award, organizations[number + 1], objectives, regions)
            for position in range(1, 5):
                name = f"{award}-activity-{position}"
                yield "activities", self._activity(name, award, position, objectives, regions)
        for name in regions:
            yield "regions", self._region(name)
        for name in organizations:
            yield "organizations", self._organization(name)
        yield "sources", self._source(organizations[5])

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

    def _evidence(self, basis: str, *fragments: str) -> list[Json]:
        note = {"note": self._words(5)} if basis == "derived" else {}
        return [{"basis": basis, "quote": self._quote(text), **note} for text in fragments]

    def _words(self, maximum: int) -> str:
        words = self.rng.choices(_WORDS, k=self.rng.randint(1, maximum))
        return self.rng.choice(_PREFIXES) + " ".join(words)

    def _summary(self) -> str:
        maximum = 400 if self.rng.random() < 0.002 else 30
        return f"{self._words(maximum)} {COMMON_WORD} rare{self.rng.randrange(10**9)}"

    def _optional(self, value: Any, probability: float = 0.8) -> Any:
        return value if self.rng.random() < probability else None

    def _sample(self, values: Sequence[str]) -> list[str]:
        return self.rng.sample(values, self.rng.randint(1, len(values)))

    def _date(self) -> tuple[str, str]:
        """A date at a random precision, in ISO 8601 and in the words of a page."""
        year, month, day = (
            self.rng.randint(1990, 2030),
            self.rng.randint(1, 12),
            self.rng.randint(1, 28),
        )
        return self.rng.choice(
            [
                (f"{year}", f"in {year}"),
                (f"{year}-{month:02}", f"in {month_name[month]} {year}"),
                (f"{year}-{month:02}-{day:02}", f"on {month_name[month]} {day}, {year}"),
            ]
        )

    def _entry(self, name: str, values: Json, evidence: dict[str, list[Json]]) -> Json:
        """An entry; most of its null fields, chosen at random, are listed in `not_stated`."""
        nulls = [field for field, value in values.items() if value is None]
        evidence = {field: items for field, items in evidence.items() if values[field] is not None}
        not_stated = [field for field in nulls if self.rng.random() < 0.8]
        return {"id": name, **values, "not_stated": not_stated, "evidence": evidence}

    def _partnership(self, regions: list[str], investor: str) -> Json:
        signed, signed_text = self._date()
        amount = self._optional(self.rng.randrange(1, 10**9) * 1_000)
        years = self.rng.randint(1, 10)
        values = {
            "name": f"{self._words(6)} {self.index}",
            "short_name": None,
            "summary": self._summary(),
            "countries": self._sample(["US", "PE", "BO", "GH", "PH"]),
            "signed": self._optional(signed),
            "planned_years": self._optional(years),
            "ends": None,
            "investment_amount": amount,
            "investment_currency": None if amount is None else "USD",
            "investment_qualifier": None,
            "investor": self._optional(investor),
            "precedence": self._optional([{"scope": "world", "ordinal": 3}], 0.1),
            "regions": self._optional(self._sample(regions)),
        }
        evidence = {
            "signed": self._evidence("stated", signed_text),
            "planned_years": self._evidence("stated", f"for {years} years"),
            "investment_amount": self._evidence("stated", f"${amount or 0:,}"),
            "precedence": self._evidence("stated", "the third in the world"),
            "countries": self._evidence(
                "derived", "the United States, Peru, Bolivia, Ghana, Philippines"
            ),
            **self._derived("investment_currency", "investor", "regions"),
            **self._editorial("name", "summary"),
        }
        return self._entry(self.name, values, evidence)

    def _derived(self, *fields: str) -> dict[str, list[Json]]:
        return {field: self._evidence("derived", self._words(6)) for field in fields}

    def _editorial(self, *fields: str) -> dict[str, list[Json]]:
        return {field: self._evidence("editorial", self._words(6)) for field in fields}

    def _objective(self, name: str, position: int) -> Json:
        values = {
            "partnership": self.name,
            "position": position,
            "title": self._words(5),
            "summary": self._summary(),
        }
        return self._entry(name, values, self._editorial("title", "summary"))

    def _award(self, name: str, recipient: str, objectives: list[str], regions: list[str]) -> Json:
        announced, announced_text = self._date()
        amount = self._optional(self.rng.randrange(10**7), 0.5)
        forms = self.rng.choice([["sex"], ["labor"], ["sex", "labor"], None, None, None])
        values = {
            "partnership": self.name,
            "recipient": self._optional(recipient),
            "title": self._words(8),
            "summary": self._summary(),
            "announced": self._optional(announced),
            "ends": None,
            "amount": amount,
            "currency": None if amount is None else "USD",
            "amount_qualifier": None,
            "objectives": self._optional(self._sample(objectives)),
            "regions": self._optional(self._sample(regions)),
            "trafficking_forms": forms,
            "has_sub_recipients": self._optional(self.rng.random() < 0.5, 0.5),
        }
        evidence = {
            "announced": self._evidence("stated", announced_text),
            "amount": self._evidence("stated", f"${amount or 0:,}"),
            "trafficking_forms": self._evidence("stated", " and ".join(forms or ["none"])),
            **self._derived("recipient", "currency", "objectives", "regions"),
            "has_sub_recipients": self._evidence("derived", "without others"),
            **self._editorial("title", "summary"),
        }
        return self._entry(name, values, evidence)

    def _activity(
        self, name: str, award: str, position: int, objectives: list[str], regions: list[str]
    ) -> Json:
        stakeholders = list(dict.fromkeys(self._words(3) for _ in range(self.rng.randint(1, 4))))
        values = {
            "award": award,
            "position": position,
            "title": f"{self._words(8)} activity {position}",
            "summary": self._summary(),
            "objectives": self._optional(self._sample(objectives)),
            "regions": self._optional(self._sample(regions), 0.3),
            "stakeholders": self._optional(stakeholders),
            "supports": self._optional(self._words(6), 0.2),
        }
        evidence = {
            **self._derived("objectives", "regions", "stakeholders", "supports"),
            **self._editorial("title", "summary"),
        }
        return self._entry(name, values, evidence)

    def _region(self, name: str) -> Json:
        country, code = self.rng.choice(_SUBDIVISIONS)
        values = {
            "name": f"{self._words(3)} {COMMON_WORD}",
            "aliases": self._optional(self._sample(["Cuzco", "Qusqu", "Košice"]), 0.3),
            "country": country,
            "iso_3166_2": self._optional(code),
            "inei_ubigeo": None,
            "wikidata": self._optional(f"Q{self.rng.randint(1, 10**8)}"),
        }
        enriched = [{"basis": "enriched", "reference": _REFERENCE}]
        evidence = {
            "iso_3166_2": enriched,
            "wikidata": enriched,
            "aliases": self._evidence("derived", "Cuzco, Qusqu, Košice"),
            "country": self._evidence("derived", f"in {_COUNTRIES[country]}"),
            **self._editorial("name"),
        }
        return self._entry(name, values, evidence)

    def _organization(self, name: str) -> Json:
        roles = self._sample(["signatory", "investor", "implementer", "publisher"])
        values = {
            "name": f"{self._words(4)} {COMMON_WORD} {name.replace('-', ' ')}",
            "short_name": self._optional(self._words(2), 0.3),
            "kind": self._optional(self.rng.choice(_KINDS), 0.9),
            "roles": self._optional(roles, 0.9),
        }
        evidence = {**self._derived("kind", "roles"), **self._editorial("name", "short_name")}
        return self._entry(name, values, evidence)

    def _source(self, publisher: str) -> Json:
        values = {
            "publisher": publisher,
            "title": f"{self._words(5)} {COMMON_WORD}",
            "url": self._optional(f"https://example.org/{self.index}"),
            "archived_from": None,
            "archived_to": None,
            "notices": self._optional([self._words(4)]),
            "captured": None,
            "memento": None,
            "extraction_tool": None,
            "extraction_version": None,
        }
        evidence = {
            "url": [{"basis": "enriched", "reference": _REFERENCE}],
            **self._derived("publisher", "notices"),
            **self._editorial("title"),
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
    """Write a corpus: `python -m benchmarks.corpus RESOURCES FOLDER [RANDOM_SEED]`."""
    resources, folder, *random_seed = sys.argv[1:]
    sys.stdout.write(f"{write_corpus(Path(folder), int(resources), *map(int, random_seed))}\n")


if __name__ == "__main__":
    main()
