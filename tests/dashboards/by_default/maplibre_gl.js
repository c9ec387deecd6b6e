const style = { version: 8, sources: {}, layers: [] };
const map = new maplibregl.Map({ container: "chart", style, bounds: [-78, -16, -69, 1] });
await map.once("load");
map.addSource("regions", { type: "geojson", data: await get("/v1/regions?format=geojson") });
map.addLayer({ id: "regions", type: "fill", source: "regions" });
await map.once("idle");
const ids = [...new Set(map.queryRenderedFeatures().map(({ id }) => id))];
