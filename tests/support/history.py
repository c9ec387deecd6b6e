"""A record with three releases: the shipped one, and two made-up corrections of it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from copy import deepcopy
from hashlib import sha256
from pathlib import Path
from random import Random
from typing import Any

from rfc8785 import dumps

from app.models.release import label_order
from tests.conftest import SEED

Json = dict[str, Any]

FIRST, SECOND, THIRD = LABELS = ("2026-06-01", "2026-11-24", "2026-11-24.2")
NOTES = ("First release", "The ILO's title was too long & one activity was no activity", "Evidence")
NEW_TITLE = "ILO program against child trafficking in Peru"
REMOVED, SUCCESSOR = "peru-ilo-cases", "peru-ilo-victims"
REASON = "It is a part of another activity."
NEW_QUOTE = {
    "source": "us-peru-cpc-page", "start": 1233, "end": 1281,
    "exact": "announced the award of funds totaling $5 million",
}  # fmt: skip


def publish(folder: Path, content: Json, label: str, note: str = "A correction") -> Path:
    """Write a seed as a release: stamped, filed, and as the present seed; returns its path."""
    rest = {name: value for name, value in content.items() if name != "release"}
    (folder / "releases").mkdir(exist_ok=True)
    stamp = {"label": label, "note": note, "previous": _last_digest(folder, label)}
    stamp["content"] = sha256(dumps({**rest, "release": stamp})).hexdigest()
    text = json.dumps({"release": stamp, **rest}, ensure_ascii=False)
    (folder / "releases" / f"{label}.json").write_text(text, "utf-8")
    seed = folder / "seed.json"
    seed.write_text(text, "utf-8")
    return seed


def _last_digest(folder: Path, label: str) -> str | None:
    """The digest of the last release that is filed before another one."""
    earlier = [
        path
        for path in (folder / "releases").glob("*.json")
        if label_order(path.stem) < label_order(label)
    ]
    last = max(earlier, key=lambda path: label_order(path.stem), default=None)
    return sha256(dumps(json.loads(last.read_bytes()))).hexdigest() if last else None


def correct_first(content: Json) -> None:
    """Change a value, and replace an activity by another."""
    find(content["awards"], "peru-ilo")["title"] = NEW_TITLE
    removed = find(content["activities"], REMOVED)
    content["activities"].remove(removed)
    for activity in content["activities"]:
        if activity["award"] == removed["award"] and activity["position"] > removed["position"]:
            activity["position"] -= 1
    retirement = {"type": "activity", "id": REMOVED, "reason": REASON, "replaced_by": [SUCCESSOR]}
    content["retired"] = [*content.get("retired", []), retirement]
    content["modified"] = "2026-11-24"


def correct_second(content: Json) -> None:
    """Add a citation to a value."""
    award = find(content["awards"], "peru-ilo")
    award["evidence"]["title"].append({"basis": "editorial", "quote": NEW_QUOTE})


def correct_at_random(content: Json, random: Random) -> None:
    """Change some values and citations, remove some activities, and shuffle the lists."""
    _remove_activities(content, random)
    for collection in ("partnerships", "objectives", "awards", "activities", "organizations"):
        for entry in random.sample(content[collection], k=len(content[collection]) // 4 + 1):
            _correct_entry(entry, random)
        random.shuffle(content[collection])
    content["modified"] = f"2026-11-{random.randint(10, 28)}"


def with_values_of(content: Json, former: Json) -> Json:
    """The content with the values and citations that its resources had formerly."""
    return content | {
        collection: [find(former[collection], entry["id"]) for entry in content[collection]]
        for collection in ("partnerships", "objectives", "awards", "activities", "organizations")
    }


def _remove_activities(content: Json, random: Random) -> None:
    """Remove the last activity of some awards."""
    last = {activity["award"]: activity for activity in _by_position(content["activities"])}
    for activity in random.sample(list(last.values()), k=2):
        content["activities"].remove(activity)
        retirement = {"type": "activity", "id": activity["id"], "reason": REASON}
        content["retired"] = [
            *content.get("retired", []),
            {**retirement, "replaced_by": random.choice([None, [activity["id"][:-1] + "1"]])},
        ]


def _by_position(entries: list[Json]) -> list[Json]:
    return sorted(entries, key=lambda entry: int(entry["position"]))


def _correct_entry(entry: Json, random: Random) -> None:
    """Change the title, drop a citation or add one."""
    field = "title" if "title" in entry else "name"
    citations = [cited for cited in entry["evidence"].values() if cited[0]["basis"] == "editorial"]
    match random.choice(["title", "drop", "add"]):
        case "title" if field == "title":
            entry["title"] = random.choice(["Corrected ", "'Another \u2028", ""]) + "title"
        case "drop":
            for cited in citations:
                del cited[1:]
        case "add" if citations:
            own, *others = citations
            new = [citation for other in others for citation in other if citation not in own]
            own += random.sample(new, k=min(1, len(new)))


def find(entries: list[Json], entry_id: str) -> Json:
    """The entry with this id."""
    return next(entry for entry in entries if entry["id"] == entry_id)


def states(shipped: Json) -> Iterator[Json]:
    """The content of the seed of each release, given that of the first."""
    content = deepcopy(shipped)
    yield content
    for correct in (correct_first, correct_second):
        content = deepcopy(content)
        correct(content)
        yield content


def publish_all(folder: Path, shipped: Json, until: str = THIRD) -> Path:
    """Publish the releases one after the other, up to one of them; returns the path of the seed."""
    seed = folder / "seed.json"
    for label, note, content in zip(LABELS, NOTES, states(shipped), strict=True):
        if label <= until:
            seed = publish(folder, content, label, note)
    return seed


def publish_shipped(folder: Path, until: str = THIRD) -> Path:
    """Publish the releases next to the shipped outlines; returns the path of the seed."""
    shutil.copy(SEED.with_name("regions.geojson"), folder)
    return publish_all(folder, json.loads(SEED.read_text("utf-8")), until)
