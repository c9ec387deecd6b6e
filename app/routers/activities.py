"""What an award pays for."""

from app.models import Activity
from app.routers.collection import collection_router

router = collection_router(
    Activity,
    list_description="The activities of each award, in the order of the page.",
    item_description="One activity, with the objectives, regions and groups that the page names "
    "for it, and `null` where it names none.",
)
