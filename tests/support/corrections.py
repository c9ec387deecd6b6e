"""The shipped record with its history, and two made-up corrections of it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from app.archive.filing import plan_release, write_release
from tests.conftest import SEED, SeedCopy

FIRST_DAY, SECOND_DAY = "2127-01-15", "2127-02-20"
"""Labels of the releases of the corrections."""
OLD_TITLE = "/awards/0/title"
NEW_TITLE = "ILO program against child trafficking in Peru"
ADDED_CITATION = {
    "basis": "editorial",
    "quote": {
        "source": "us-peru-cpc-page",
        "start": 1784,
        "end": 1815,
        "exact": "child sex and labor trafficking",
    },
}
REMOVED = "peru-centro-yanapanakusun-tools"
SUCCESSOR = "peru-centro-yanapanakusun-alliances"
REASON = "It is part of the work with local allies."


class ReleasedSeed(SeedCopy):
    """A copy of the shipped seed and of its releases, to be corrected and released."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        shutil.copytree(SEED.parent / "releases", folder / "releases")

    def release(self, day: str, note: str = "A correction.", *, replace: bool = False) -> str:
        """Write the data back and release it; the label is returned."""
        self.data["modified"] = day
        planned = plan_release(self.write(), note, replace=replace)
        write_release(planned)
        self.data = json.loads(self.path.read_text("utf-8"))
        return planned.label


def correct_value(seed: SeedCopy) -> None:
    """The first correction: another title of an award, with one more citation."""
    seed.put(OLD_TITLE, NEW_TITLE)
    seed.data["awards"][0]["evidence"]["title"].append(ADDED_CITATION)


def remove_activity(seed: SeedCopy) -> None:
    """The second correction: the last activity is removed, and another one replaces it."""
    assert seed.data["activities"].pop()["id"] == REMOVED
    retirement = {
        "type": "activity",
        "id": REMOVED,
        "reason": REASON,
        "replaced_by": [SUCCESSOR],
    }
    seed.data.setdefault("retired", []).append(retirement)


def corrected_seed(folder: Path) -> ReleasedSeed:
    """The shipped record with both corrections, each released."""
    seed = ReleasedSeed(folder)
    correct_value(seed)
    seed.release(FIRST_DAY, "Corrects the title of an award.")
    remove_activity(seed)
    seed.release(SECOND_DAY, "Joins two activities.")
    return seed
