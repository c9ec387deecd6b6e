"""`/v1/citations`: list and items."""

from app.models import Citation
from app.routers.collection import collection_router

router = collection_router(
    Citation,
    list_description="The evidence for each field of each resource: a quotation with its position "
    "in the archived text, or another publication. `links.citations` of a resource lists its own.",
    item_description="One citation, modeled on `SpecificResource` of W3C Web Annotation.",
)
