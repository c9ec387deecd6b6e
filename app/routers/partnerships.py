"""The signed compacts."""

from app.models import Partnership
from app.routers.collection import collection_router

router = collection_router(
    Partnership,
    list_description="Every signed partnership: when, between whom, for how long, with what money.",
    item_description="One partnership. Its `ends` is `null` and in `not_stated`: the page gives "
    "the planned length, not the end.",
)
