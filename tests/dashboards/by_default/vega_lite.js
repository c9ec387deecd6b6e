const { features } = await get("/v1/regions?format=geojson");
const draw = async (spec) => {
  await vegaEmbed("#chart", { width: 900, height: 400, ...spec }, { renderer: "svg", actions: false });
  return [...document.querySelectorAll("#chart svg text")].map((text) => text.textContent);
};
const bar = { data: { values: [{ count: 1 }] }, mark: "bar" };
const all = await draw({ ...bar, encoding: { x: { field: "count", type: "quantitative" } } });
const small = all.slice(0, 2);
const text = { field: "date", type: "temporal", format: "%Y-%m-%d" };
const dates = await draw({
  data: { values: [{ date: "2017-10" }, { date: "2017-06-15" }] }, mark: "text", encoding: { text },
});
await draw({ data: { values: features }, mark: "geoshape", projection: { type: "mercator" } });
