"""The archived pages."""

from app.models import Source
from app.routers.collection import collection_router

router = collection_router(
    Source,
    list_description="The archived pages that the record rests on. Their text is not served; the "
    "digest tells whether a copy is the one that was cited.",
    item_description="One archived page: where it is, when it was online, what it says of itself.",
)
