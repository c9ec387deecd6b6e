"""What every value rests on."""

from app.models import Citation
from app.routers.collection import collection_router

router = collection_router(
    Citation,
    list_description="For each field of each resource, what its value rests on: a quoted fragment "
    "with its position in the archived text, or another published reference. "
    "`?resource_type=award&resource=peru-ilo` gives all that one award rests on.",
    item_description="One citation, shaped as a SpecificResource of the W3C Web Annotation model.",
)
