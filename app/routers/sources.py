"""`/v1/sources`: list and items."""

from app.models import Source
from app.routers.collection import collection_router

router = collection_router(
    Source,
    list_description="The archived pages that the record cites. Their text is not served; use the "
    "digest to verify that a copy is the cited one.",
    item_description="One archived page: its URL, archive dates, notices and digest.",
)
