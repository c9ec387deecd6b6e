"""`/v1/organizations`: list and items."""

from app.models import Organization
from app.routers.collection import collection_router

router = collection_router(
    Organization,
    list_description="Governments, agencies, implementing partners and the publisher of the "
    "source page, with their roles.",
    item_description="One organization, under the name used on the page.",
)
