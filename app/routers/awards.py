"""Foreign-assistance awards."""

from app.models import Award
from app.routers.collection import collection_router

router = collection_router(
    Award,
    list_description="Every award: who received it, when it was announced, where and for what. "
    "An `amount` of `null` that is in `not_stated` is unknown, not zero.",
    item_description="One award. The regions and objectives are those named for this award; "
    "an activity may name fewer.",
)
