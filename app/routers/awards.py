"""`/v1/awards`: list and items."""

from app.models import Award
from app.routers.collection import collection_router

router = collection_router(
    Award,
    list_description="All awards, with recipient, announcement date, regions and objectives. "
    "If `amount` is `null` and listed in `not_stated`, it is unknown, not zero.",
    item_description="One award. Its regions and objectives are those named for the whole award; "
    "an activity may cover fewer.",
)
