"""What a partnership set out to do."""

from app.models import Objective
from app.routers.collection import collection_router

router = collection_router(
    Objective,
    list_description="The objectives of each partnership, in the order of the page.",
    item_description="One objective. Its label is editorial; its citations quote the clause "
    "that it stands for.",
)
