"""Random seeds that are valid but odd: few or no values, extreme dates, long texts, any script."""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from typing import Any

from app.models.notation import ordinal_digits, us_date

Json = dict[str, Any]

ODD_TEXTS = (
    "x",
    " ",
    "0",
    "-",
    "null",
    "=1+1",
    "''@SUM(A1)",
    'a "quoted", |piped| \\ and back\\slashed',
    "<script>alert(1)</script> & ]]> <!-- {{ 7 * 7 }} {% raw %} %s %d",
    "line\nfeed and\ttab",
    "line\u2028separator\u2029paragraph\u0085next line",
    "no\u00a0break, zero\u200bwidth, soft\u00adhyphen, \ufeffmark",
    "منظمة العمل الدولية",
    "\u202eright to left\u202c and שלום",
    "国际劳工组织の記録 한국어",
    "Ιούνιος, Июнь, Łódź, Øresund, œuvre, ß, İstanbul",
    "e\u0301\u0323 Z\u0351\u036b\u0343 \u0301",
    "\U0001f469\u200d\U0001f467 \U0001f1f5\U0001f1ea \U0001d518\U0001d52b",
    "\ufffe \uffff \U0010ffff \ue000 \x80 \x9f",
    "NEAR(a b) AND OR NOT * ^ : ( ) -",
)
DATES = ("0001", "0001-01", "0001-01-01", "1999-02", "2000-02-29", "2017", "9999", "9999-12",
         "9999-12-31")  # fmt: skip
SCOPES = ("world", "africa", "americas", "asia", "europe", "oceania")
QUALIFIERS = {"up_to": "up to", "at_least": "at least", "about": "about"}
COUNTRIES = ("PE", "US", "BO", "FJ", "AQ", "GB", "TR", "CI", "MM")
URLS = (
    "http://a",
    "https://example.org/?a='b'&c=(d),e;f#/g?h",
    "https://[::1]:8080/%3Cscript%3E",
    "https://example.org/" + "a" * 1_979,
)
COLLECTIONS = (
    "partnerships", "objectives", "awards", "activities", "regions", "organizations", "sources",
)  # fmt: skip


@dataclass(frozen=True)
class Shape:
    """A kind of record.

    Attributes:
        counts: Minimum and maximum number of resources of each type; 0 to 3 if not given.
        nulls: Probability that a field that may be null is null.
        texts: Kind of text: `odd`, `short`, `long` or `usual`.
        outlines: Regions with an outline: `none`, `no file`, `some`, `all`.
        years: Kind of dates: `any`, `first`, `last`.
    """

    counts: dict[str, tuple[int, int]]
    nulls: float = 0.3
    texts: str = "odd"
    outlines: str = "some"
    years: str = "any"


_EMPTY = dict.fromkeys(COLLECTIONS, (0, 0))
_ONE = dict.fromkeys(COLLECTIONS, (1, 1))
SHAPES = {
    "nothing at all": Shape(_EMPTY, outlines="no file"),
    "one of each, all null": Shape(_ONE, nulls=1, texts="short", outlines="none"),
    "one of each, all given": Shape(_ONE, nulls=0, outlines="all"),
    "year 1": Shape({**_ONE, "awards": (2, 3)}, nulls=0.1, years="first"),
    "year 9999": Shape({**_ONE, "awards": (2, 3)}, nulls=0.1, years="last"),
    "no partnership": Shape({"partnerships": (0, 0), "regions": (1, 3)}),
    "no awards": Shape({"partnerships": (1, 2), "awards": (0, 0)}),
    "no regions": Shape({"partnerships": (1, 2), "awards": (1, 3), "regions": (0, 0)}),
    "no organizations": Shape({"partnerships": (1, 2), "awards": (1, 3), "organizations": (0, 0)}),
    "no sources": Shape({"partnerships": (1, 2), "awards": (1, 3), "sources": (0, 0)}),
    "regions alone": Shape({**_EMPTY, "regions": (1, 5)}, outlines="all"),
    "several partnerships": Shape({"partnerships": (3, 5), "awards": (4, 8), "sources": (2, 4)}),
    "many": Shape(
        {"partnerships": (2, 2), "awards": (12, 12), "activities": (60, 60), "regions": (30, 30)},
        texts="usual",
    ),
    "long texts": Shape({**_ONE, "awards": (2, 2)}, nulls=0, texts="long"),
    "short texts": Shape({"partnerships": (1, 1), "awards": (1, 2)}, texts="short"),
    "any": Shape({}),
}
"""Kinds of records, by name."""


class SeedWriter:
    """Writes one random seed, with its outlines, to a directory."""

    def __init__(self, shape: Shape, number: int) -> None:
        self.shape = shape
        self.random = Random(number)  # noqa: S311 - the same seed must be written again
        self.data: Json = {name: [] for name in COLLECTIONS}
        self._positions: dict[str, int] = {}

    def write(self, folder: Path) -> Path:
        """Write `seed.json`, and a file of outlines if the shape has one."""
        for name in ("sources", "organizations", "regions", "partnerships", "objectives"):
            self._add(name)
        for name in ("awards", "activities"):
            self._add(name)
        for source in self.data["sources"]:
            source["characters"] = self._positions.get(source["id"], 0) + self._pick(0, 1, 10**6)
            source["bytes"] = source["characters"] * self._pick(1, 4)
        header = {
            "shape": 2,
            "title": self._title(),
            "description": self._text(100_000),
            "keywords": [self._title()],
            "modified": self._pick("0001-01-01", "2026-11-27", "9999-12-31"),
            "archive_notice": self._pick(None, self._text(100_000)),
            "license": self._license(),
            "wording_license": self._pick(None, self._license()),
        }
        self.data = {**header, **self.data}
        self._write_outlines(folder)
        path = folder / "seed.json"
        path.write_text(json.dumps(self.data, ensure_ascii=False), "utf-8")
        return path

    def _license(self) -> Json:
        return {"title": self._text(100_000), "url": self._pick(*URLS)}

    def _pick(self, *values: Any) -> Any:
        return self.random.choice(values)

    def _add(self, collection: str) -> None:
        low, high = self.shape.counts.get(collection, (0, 3))
        make = getattr(self, f"_{collection}")
        for number in range(self.random.randint(low, high)):
            fields = make(number)
            if fields is None:
                return  # nothing that it could belong to
            self.data[collection].append(self._with_evidence(collection, fields))

    def _slug(self, number: int) -> str:
        """An id that no other resource of the type has."""
        return str(
            self._pick(f"{number}", f"a-{number}-z", f"{number}{'-0' * 40}", f"z{number:099}")
        )

    def _text(self, longest: int) -> str:
        match self.shape.texts:
            case "short":
                return str(self._pick("x", "0", ".", "é"))
            case "usual":
                return f"Protect children in {self._pick('Lima', 'Cusco', 'Loreto')}"
            case "long" if longest:
                text = str(self._pick("word ", "x", "ة", "👩", "<b>&"))
                return (text * longest)[: self._pick(longest, min(longest, 5_000))]
        return str(self._pick(*ODD_TEXTS))

    def _title(self) -> str:
        return self._text(1_000)

    def _summary(self) -> str:
        return self._text(self._pick(1_000, 20_000))

    def _maybe(self, value: Any) -> Any:
        """The value or null; an empty list is null."""
        return None if value == [] or self.random.random() < self.shape.nulls else value

    def _several(self, values: list[Any]) -> list[Any]:
        return self.random.sample(values, self.random.randint(0, len(values)))

    def _ids(self, collection: str, **values: Any) -> list[str]:
        return [
            item["id"]
            for item in self.data[collection]
            if all(item[field] == value for field, value in values.items())
        ]

    def _reference(self, collection: str) -> str | None:
        ids = self._ids(collection)
        return self._maybe(self.random.choice(ids)) if ids else None

    def _references(self, ids: list[str]) -> list[str] | None:
        return self._maybe(self._several(ids))  # type: ignore[no-any-return]

    def _titles(self) -> list[str] | None:
        return self._maybe(sorted({self._title() for _ in range(self._pick(1, 3))}))  # type: ignore[no-any-return]

    def _period(self) -> tuple[str | None, str | None]:
        dates = {"first": DATES[:3], "last": DATES[-3:]}.get(self.shape.years, DATES)
        start, end = sorted((self._pick(*dates), self._pick(*dates)))
        return self._maybe(start), self._maybe(end)

    def _money(self) -> tuple[int | None, str | None]:
        amount = self._maybe(self._pick(0, 1, 500_000, 5_000_000, 2**53 - 1))
        return amount, None if amount is None else self._pick("USD", "PEN", "JPY", "XAU")

    def _qualifier(self, amount: int | None) -> str | None:
        return None if amount is None else self._maybe(self._pick(*QUALIFIERS))

    def _sources(self, number: int) -> Json:
        start, end = self._period()
        furniture = [{"start": 0, "end": 1, "reason": self._title()}]
        return {
            "id": self._slug(number),
            "publisher": None,
            "title": self._title(),
            "url": self._maybe(self._pick(*URLS)),
            "archived_from": start,
            "archived_to": end,
            "notices": self._titles(),
            "captured": self._maybe(self._pick("2021-01-20T23:59:59Z", "2020-02-29T00:00:00Z")),
            "memento": self._maybe(self._pick(*URLS)),
            "extraction_tool": self._maybe(self._title()),
            "extraction_version": self._maybe(self._title()),
            "sha256": hashlib.sha256(bytes(number)).hexdigest(),
            "bytes": 0,
            "characters": 0,
            "furniture": self._maybe(furniture) if self._positions else None,
        }

    def _organizations(self, number: int) -> Json:
        kinds = ("government", "government_agency", "international_organization", "ngo")
        roles = ["signatory", "investor", "implementer", "publisher"]
        return {
            "id": self._slug(number),
            "name": self._title(),
            "short_name": self._maybe(self._title()),
            "kind": self._maybe(self._pick(*kinds)),
            "roles": self._maybe(self._several(roles)),
        }

    def _regions(self, number: int) -> Json:
        country = self._maybe(self._pick(*COUNTRIES))
        code = "PE-CUS" if country == "PE" else None
        return {
            "id": self._slug(number),
            "name": self._title(),
            "aliases": self._titles(),
            "country": country,
            "iso_3166_2": self._maybe(code),
            "inei_ubigeo": self._maybe(self._pick("08", "1501", "150101")),
            "wikidata": self._maybe("Q1"),
        }

    def _partnerships(self, number: int) -> Json:
        start, end = self._period()
        amount, currency = self._money()
        ranks = [{"scope": scope, "ordinal": self._pick(1, 2, 11, 10_000)} for scope in
                 self._several(list(SCOPES))[:3]]  # fmt: skip
        return {
            "id": self._slug(number),
            "name": self._title(),
            "short_name": self._maybe(self._title()),
            "summary": self._summary(),
            "countries": self._maybe(self._several(list(COUNTRIES))),
            "signed": start,
            "planned_years": self._maybe(self._pick(1, 4, 100)),
            "ends": end,
            "investment_amount": amount,
            "investment_currency": currency,
            "investment_qualifier": self._qualifier(amount),
            "investor": self._reference("organizations"),
            "precedence": self._maybe(ranks),
            "regions": self._references(self._ids("regions")),
        }

    def _objectives(self, number: int) -> Json | None:
        return self._child("objectives", number, "partnership", "partnerships")

    def _child(self, name: str, number: int, field: str, parents: str) -> Json | None:
        """A resource with a position below a parent."""
        ids = self._ids(parents)
        if not ids:
            return None
        parent = self.random.choice(ids)
        position = len(self._ids(name, **{field: parent})) + 1
        return {
            "id": self._slug(number),
            field: parent,
            "position": position,
            "title": self._title(),
            "summary": self._summary(),
        }

    def _awards(self, number: int) -> Json | None:
        partnerships = self._ids("partnerships")
        if not partnerships:
            return None
        partnership = self.random.choice(partnerships)
        start, end = self._period()
        amount, currency = self._money()
        return {
            "id": self._slug(number),
            "partnership": partnership,
            "recipient": self._reference("organizations"),
            "title": self._title(),
            "summary": self._summary(),
            "announced": start,
            "ends": end,
            "amount": amount,
            "currency": currency,
            "amount_qualifier": self._qualifier(amount),
            "objectives": self._references(self._ids("objectives", partnership=partnership)),
            "regions": self._references(self._ids("regions")),
            "trafficking_forms": self._maybe(self._several(["sex", "labor"])),
            "has_sub_recipients": self._maybe(self._pick(True, False)),
        }

    def _activities(self, number: int) -> Json | None:
        child = self._child("activities", number, "award", "awards")
        if child is None:
            return None
        [award] = [item for item in self.data["awards"] if item["id"] == child["award"]]
        objectives = self._ids("objectives", partnership=award["partnership"])
        return child | {
            "objectives": self._references(objectives),
            "regions": self._references(self._ids("regions")),
            "stakeholders": self._titles(),
            "supports": self._maybe(self._title()),
        }

    def _with_evidence(self, collection: str, fields: Json) -> Json:
        """The resource with a citation for each value, and some nulls listed as not stated."""
        parent = {"objectives": "partnership", "awards": "partnership", "activities": "award"}
        uncited = {"id", "position", parent.get(collection)}
        if collection == "sources":
            uncited |= {"sha256", "bytes", "characters"}
        cited = [field for field in fields if field not in uncited]
        nulls = [field for field in cited if fields[field] is None]
        evidence = {
            field: self._citations(field, fields[field])
            for field in cited
            if fields[field] is not None
        }
        return {**fields, "not_stated": self._several(nulls), "evidence": evidence}

    def _citations(self, field: str, value: Any) -> list[Json]:
        """One citation, or two unless both are of one publication."""
        made = [self._citation(field, value) for _ in range(self._pick(1, 1, 2))]
        return made[: len(set(map(_cited, made)))]

    def _citation(self, field: str, value: Any) -> Json:
        """A citation of a random basis: a quote that supports the value, or a reference."""
        quote = _supporting_quote(field, value)
        sources = self._ids("sources")
        note = self._maybe(self._text(2_000))
        if quote is None or not sources or self._pick(True, False):
            reference = {
                "title": self._title(),
                "url": self._pick(*URLS),
                "license": self._title(),
            }
            return {"basis": "enriched", "reference": reference, "note": note}
        exact = quote or self._title()[:80]
        source = self.random.choice(sources)
        prefix, suffix = (self._maybe("= ") if len(exact) < 77 else None for _ in range(2))
        start = self._positions.get(source, 0) + len(prefix or "")
        end = start + len(exact)
        self._positions[source] = end + len(suffix or "")
        quoted = {"source": source, "start": start, "end": end, "exact": exact}
        quoted |= {"prefix": prefix, "suffix": suffix}
        if self._pick(True, False):
            return {"basis": "derived", "quote": quoted, "note": note or "x"}
        return {"basis": "editorial", "quote": quoted, "note": note}

    def _write_outlines(self, folder: Path) -> None:
        if self.shape.outlines == "no file":
            return
        regions = self._ids("regions")
        if self.shape.outlines == "none":
            regions = []
        elif self.shape.outlines == "some":
            regions = self._several(regions)
        features = [
            {"type": "Feature", "id": region, "properties": None, "geometry": self._geometry()}
            for region in regions
        ]
        content = json.dumps({"type": "FeatureCollection", "features": features}).encode()
        (folder / "regions.geojson").write_bytes(content)
        self.data["outlines"] = {
            "file": "regions.geojson",
            "sha256": hashlib.sha256(content).hexdigest(),
            "reference": {"title": self._title(), "url": self._pick(*URLS), "license": "x"},
            "note": self._text(2_000),
        }

    def _geometry(self) -> Json | None:
        """An outline: none, tiny, without an area, round, at a pole, or cut in two."""
        west, south = self.random.uniform(-180, 170), self.random.uniform(-90, 80)
        kind = self._pick("null", "tiny", "line", "round", "world", "pole", "cut", "high")
        rings = {
            "tiny": [_rectangle(west, south, 1e-9, 1e-9)],
            "line": [[[west, south], [west + 1, south + 1], [west, south], [west, south]]],
            "round": [_circle(west + 5, south + 5, 4), _circle(west + 5, south + 5, 1)],
            "world": [_rectangle(-180, -90, 360, 180)],
            "pole": [_rectangle(-180, -90, 360, 0.01)],
            "high": [[[x, y, 3_000] for x, y in _circle(west + 5, south + 5, 4)]],
        }
        if kind == "null":
            return None
        if kind == "cut":
            halves = [[_rectangle(179, south, 1, 1)], [_rectangle(-180, south, 2, 1)]]
            return {"type": "MultiPolygon", "coordinates": halves}
        return {"type": "Polygon", "coordinates": rings[kind]}


def _supporting_quote(field: str, value: Any) -> str | None:
    """A text that supports a value: empty if any does, None if none does."""
    if field in {"signed", "ends", "announced", "archived_from", "archived_to"}:
        return us_date(value)
    if field in {"planned_years", "investment_amount", "amount"}:
        return f"{value:,}"
    if field == "precedence":
        return " and ".join(
            f"{ordinal_digits(rank['ordinal'])} in {rank['scope']}" for rank in value
        )
    if field in {"investment_qualifier", "amount_qualifier"}:
        return QUALIFIERS[value]
    if field in {"country", "countries", "aliases"}:
        return None
    return "without" if value is False else ""


def _cited(citation: Json) -> tuple[str, ...]:
    """What tells one citation of a field from another."""
    reference = citation.get("reference")
    return (reference["title"], reference["url"]) if reference else (str(citation["quote"]),)


def _rectangle(west: float, south: float, width: float, height: float) -> list[list[float]]:
    east, north = west + width, south + height
    return [[west, south], [east, south], [east, north], [west, north], [west, south]]


def _circle(x: float, y: float, radius: float) -> list[list[float]]:
    """A ring in clockwise direction, which RFC 7946 does not want of an outer one."""
    ring = [
        [x + radius * math.sin(angle / 20), y + radius * math.cos(angle / 20)]
        for angle in range(125)
    ]
    return [*ring, ring[0]]


def write_seed(folder: Path, shape: str, number: int) -> Path:
    """Write the random seed of a shape and a number; the same ones always give the same seed."""
    return SeedWriter(replace(SHAPES[shape]), number).write(folder)
