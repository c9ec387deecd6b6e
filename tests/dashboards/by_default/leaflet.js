const map = L.map("chart", { zoomAnimation: false });
map.fitBounds(L.geoJSON(await get("/v1/regions?format=geojson")).addTo(map).getBounds());
