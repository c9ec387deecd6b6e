"""`/v1/objectives`: list and items."""

from app.models import Objective
from app.routers.collection import collection_router

router = collection_router(
    Objective,
    list_description="All objectives, by default in the order of the source page.",
    item_description="One objective. Its label is editorial; its citations quote the clause "
    "that it summarizes.",
)
