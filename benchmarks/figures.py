"""The figures to reach, as data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Figure:
    """A ratio of two medians of one run.

    Attributes:
        what: What it says, for a person.
        scene: Where both are measured.
        over: Name of the measurement above the line.
        under: Name of the one below it; where empty, the first is the figure itself.
        wanted: Whether it should be at least or at most the target.
        target: What to reach; None where it only tells.
    """

    what: str
    scene: str
    over: str
    under: str
    wanted: Literal["at least", "at most"] = "at least"
    target: float | None = None


FIGURES = (
    Figure("Kept list vs bare ASGI, same bytes", "kept", "kept list", "bare list", target=0.92),
    Figure("The same in zstd", "kept", "kept list, zstd", "bare list, zstd", target=0.92),
    Figure("Kept item vs bare ASGI, same bytes", "kept", "kept item", "bare item", target=0.92),
    Figure("304 vs bare ASGI with the list's bytes", "kept", "kept 304", "bare list", target=1.0),
    Figure("Kept list of 20 vs Datasette", "kept", "kept list", "Datasette list", target=50),
    Figure("Kept list of 20 vs ROAPI", "kept", "kept list", "ROAPI list", target=7),
    Figure("Kept list vs a fixed FastAPI route", "kept", "kept list", "fixed FastAPI"),
    Figure("Kept list vs nginx, a file of the same bytes", "kept", "kept list", "nginx list"),
    Figure("Cold list vs Datasette", "cold", "cold list", "Datasette filtered", target=5),
    Figure("Cold list vs ROAPI", "cold", "cold list", "ROAPI filtered", target=0.8),
    Figure(
        "Cold list vs idiomatic FastAPI, the faster way",
        "cold", "cold list", "idiomatic FastAPI, async def", target=6,
    ),
    Figure(
        "Cold list vs idiomatic FastAPI, the usual way",
        "cold", "cold list", "idiomatic FastAPI, def", target=6,
    ),
    Figure(
        "Cold list vs FastAPI with the same parameters and fixed bytes",
        "cold", "cold list", "fixed FastAPI, parameters", target=0.5,
    ),
    Figure("Cold item vs Datasette's row page", "scale", "cold item", "Datasette row", target=3),
    Figure(
        "Item, 100,000 resources vs shipped, p50",
        "scale", "item, 100,000", "item, shipped", "at most", 1.5,
    ),
    Figure(
        "Page at 90 % depth, 100,000 vs shipped, p50",
        "scale", "deep page, 100,000", "deep page, shipped", "at most", 1.5,
    ),
    Figure(
        "List under a filter that selects a third, total first seen, 100,000 vs shipped, p50",
        "scale", "filtered third, 100,000", "filtered third, shipped", "at most", 6,
    ),
    Figure(
        "Search of a rare word, 100,000 vs shipped, p50",
        "search", "rare word, 100,000", "rare word, shipped", "at most", 2,
    ),
    Figure(
        "Search of a word in every resource: Datasette's p50 vs ours",
        "search", "common word, Datasette", "common word", target=2,
    ),
    Figure(
        "Kept answer's p99 at a tenth of capacity, beside slow searches vs alone",
        "stall", "kept p99, beside searches", "kept p99, alone", "at most", 3,
    ),
    Figure(
        "Resources compiled a second, citations among them",
        "compile", "compiled resources", "", target=10_000,
    ),
    Figure(
        "The same, citations not counted",
        "compile", "compiled resources less citations", "", target=10_000,
    ),
    Figure(
        "Most memory while compiling vs the seed file",
        "compile", "compiling, most memory", "seed file", "at most", 6,
    ),
    Figure(
        "First answer after start vs a hello-world FastAPI, time",
        "start", "first answer, ours", "first answer, hello", "at most", 1.4,
    ),
    Figure("The same, memory", "start", "memory, ours", "memory, hello", "at most", 1.4),
    Figure(
        "First answer after start, 100,000 vs shipped, time",
        "start", "first answer, ours, 100,000", "first answer, ours", "at most",
    ),
    *(
        Figure(
            f"/v1/record in {coding} vs identity",
            "wire", f"/v1/record, {coding}", "/v1/record, identity", "at most", 0.35,
        )
        for coding in ("zstd", "br", "gzip")
    ),
    Figure(
        "Every mirrored address in turn: under nginx vs live",
        "mirror", "mirrored, every address", "live, every address", target=2,
    ),
    *(
        Figure(
            f"Mirrored {what} under nginx vs live",
            "mirror", f"mirrored {what}", f"live {what}", target=2,
        )
        for what in ("list, gzip", "list", "item", "304")
    ),
)  # fmt: skip
