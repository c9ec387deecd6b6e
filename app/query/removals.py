"""Resources and citations that a release removed."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass

from app.archive.archive import COLLECTIONS
from app.responses.problems import Gone

_COLLECTION_BY_TYPE = {model.type: model.collection for model in COLLECTIONS.values()}
_REMOVAL = """
SELECT release, reason, replaced_by, (
    SELECT former.id FROM releases AS removing, releases AS former
    WHERE removing.id = release AND former.position = removing.position - 1
) FROM retired WHERE type = ? AND id = ?
"""
_OTHER_EVIDENCE = "The value or the words that it rests on were corrected."


@dataclass(frozen=True, slots=True)
class Removal:
    """What is known about a resource or citation that was removed.

    Attributes:
        type: Its type.
        release: Label of the release that removed it.
        last_release: Label of the last release that has it.
        reason: Why it was removed.
        successors: API paths of what replaced it.
    """

    type: str
    release: str
    last_release: str
    reason: str
    successors: Sequence[str]

    def problem(self) -> Gone:
        """The error for a request for it."""
        replaced = f" It was replaced by {', '.join(self.successors)}." if self.successors else ""
        detail = (
            f"This {self.type} was removed in release {self.release}: {self.reason}{replaced} "
            f"It is still in /v1/releases/{self.last_release}/record."
        )
        return Gone(detail, self.release, self.reason, self.successors)


def find_removal(connection: sqlite3.Connection, type_: str, item_id: str) -> Removal | None:
    """The removal of a resource or citation; None if no release ever had it, or the present has."""
    row = connection.execute(_REMOVAL, (type_, item_id)).fetchone()
    if row is None:
        return None
    release, reason, replaced_by, last_release = (value and value.decode() for value in row)
    successors = [
        f"/v1/{_COLLECTION_BY_TYPE[type_]}/{id_}" for id_ in json.loads(replaced_by or "[]")
    ]
    return Removal(type_, release, last_release, reason or _OTHER_EVIDENCE, successors)
