"""`/v1/activities`: list and items."""

from app.models import Activity
from app.routers.collection import collection_router

router = collection_router(
    Activity,
    list_description="All activities, by default in the order of the source page.",
    item_description="One activity with the objectives, regions and groups that the page names "
    "for it. A field is `null` if the page names none.",
)
