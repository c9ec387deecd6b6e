"""Where the work is done."""

from app.models import Region
from app.responses.formats import CSV, GEOJSON, JSON, NDJSON
from app.routers.collection import collection_router

router = collection_router(
    Region,
    list_description="Every region, with its codes in other registers. The codes are enrichment: "
    "each is cited with its reference. `format=geojson` gives their outlines.",
    formats=(JSON, CSV, NDJSON, GEOJSON),
    item_description="One region, its spellings in the source and its codes elsewhere.",
)
