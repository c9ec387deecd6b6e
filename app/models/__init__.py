"""The resource types of the record: the JSON document of each, and the tables of all."""

from collections.abc import Mapping

from app.models.activity import Activity
from app.models.award import Award
from app.models.citation import Citation
from app.models.document import Document
from app.models.objective import Objective
from app.models.organization import Organization
from app.models.partnership import Partnership
from app.models.region import Region
from app.models.resource import Resource
from app.models.source import Source

RESOURCES: tuple[type[Resource], ...] = (
    Partnership,
    Objective,
    Award,
    Activity,
    Region,
    Organization,
    Source,
)
"""Every resource type, in reading order; citations are not resources of the seed."""

RESOURCE_BY_TYPE: Mapping[str, type[Resource]] = {model.type: model for model in RESOURCES}
"""Every resource type, by its name in the singular."""

__all__ = [
    "RESOURCES",
    "RESOURCE_BY_TYPE",
    "Activity",
    "Award",
    "Citation",
    "Document",
    "Objective",
    "Organization",
    "Partnership",
    "Region",
    "Resource",
    "Source",
]
