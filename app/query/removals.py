"""Resources and citations that a release removed."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass

from app.archive.archive import COLLECTIONS
from app.models.release import name_release
from app.responses.problems import Gone, ParameterError

_COLLECTION_BY_TYPE = {model.type: model.collection for model in COLLECTIONS.values()}
_REMOVAL = """
SELECT release, reason, replaced_by, (
    SELECT former.id FROM releases AS removing, releases AS former
    WHERE removing.id = release AND former.position = removing.position - 1
) FROM retired WHERE type = ? AND id = ?
"""


@dataclass(frozen=True, slots=True)
class Removal:
    """What is known about a resource or citation that was removed.

    Attributes:
        type: Its type.
        release: Label of the release that removed it.
        last_release: Label of the last release that has it.
        reason: Why it was removed, in a sentence.
        successors: API paths of what replaced it.
    """

    type: str
    release: str
    last_release: str
    reason: str
    successors: Sequence[str] = ()

    def problem(self, parameter: str | None = None) -> Gone:
        """The error for a request for it, by its path or in a query parameter."""
        replaced = f" It was replaced by {', '.join(self.successors)}." if self.successors else ""
        detail = (
            f"This {self.type} was removed in {name_release(self.release)}. "
            f"Reason: {self.reason.removesuffix('.')}.{replaced} "
            f"/v1/releases/{self.last_release}/record still has it."
        )
        errors = [ParameterError(parameter, detail)] if parameter else None
        return Gone(detail, self.release, self.reason, self.successors, errors)


def find_removal(connection: sqlite3.Connection, type_: str, item_id: str) -> Removal | None:
    """The removal of a resource or citation; None if none was removed under this id."""
    row = connection.execute(_REMOVAL, (type_, item_id)).fetchone()
    if row is None:
        return None
    release, reason, replaced_by, last_release = (value and value.decode() for value in row)
    collection = _COLLECTION_BY_TYPE[type_]
    successors = [f"/v1/{collection}/{id_}" for id_ in json.loads(replaced_by or "[]")]
    return Removal(type_, release, last_release, reason or _corrected_evidence(item_id), successors)


def _corrected_evidence(citation_id: str) -> str:
    """The reason why a citation of a resource that is still there was removed."""
    type_, resource, field, _ = citation_id.split(".")
    path = f"/v1/citations?resource_type={type_}&resource={resource}&field={field}"
    return f"The evidence of this field was corrected; {path} lists the present one."
