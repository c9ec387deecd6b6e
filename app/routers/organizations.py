"""Who takes part."""

from app.models import Organization
from app.routers.collection import collection_router

router = collection_router(
    Organization,
    list_description="Governments, agencies, implementing partners and the publisher, each with "
    "its roles.",
    item_description="One organization, under the name that the page gives it.",
)
