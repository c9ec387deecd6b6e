const outlines = await get("/v1/regions?format=geojson");
const ticks = "[aria-label='x-axis tick label'] text";
const found = (plot) => [...plot.querySelectorAll(ticks)].map((text) => text.textContent);
const small = found(Plot.plot({ marks: [Plot.barX([1])] })).slice(0, 2);
const dates = found(Plot.plot({ marks: [Plot.dotX(["2017-10", "2017-06-15"])] }));
document.querySelector("#chart").append(Plot.plot({
  projection: { type: "mercator", domain: outlines }, marks: [Plot.geo(outlines, { fill: "red" })],
}));
