"""The shipped record with its history, corrected and released as an editor would."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from app.archive.filing import plan_release, write_release
from tests.conftest import SEED, SeedCopy
from tests.support.history import correct_first, correct_second

FIRST_DAY, SECOND_DAY = "2127-01-15", "2127-02-20"
"""Labels of the releases of the corrections."""


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


def corrected_seed(folder: Path) -> ReleasedSeed:
    """The shipped record with two made-up corrections, each released."""
    seed = ReleasedSeed(folder)
    correct_first(seed.data)
    seed.release(FIRST_DAY, "Corrects the title of an award and joins two activities.")
    correct_second(seed.data)
    seed.release(SECOND_DAY, "Adds evidence.")
    return seed
