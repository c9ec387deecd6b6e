"""The resource types of the record: the JSON document and the database table of each."""

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

__all__ = [
    "RESOURCES",
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
