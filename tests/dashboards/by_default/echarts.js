echarts.registerMap("regions", await get("/v1/regions?format=geojson"));
const draw = (option) => {
  const chart = echarts.init(document.querySelector("#chart"), null, { renderer: "svg" });
  chart.setOption({ animation: false, ...option });
  const texts = [...document.querySelectorAll("#chart text")].map((text) => text.textContent);
  return { chart, texts };
};
const bars = draw({ xAxis: {}, yAxis: { type: "category", data: [""] }, series: [{ type: "bar", data: [1] }] });
const small = bars.texts.filter((text) => /^\d/.test(text)).slice(0, 2);
bars.chart.dispose();
const dates = ["2017-10", "2017-06-15"].map((date) =>
  echarts.time.format(echarts.number.parseDate(date), "{yyyy}-{MM}-{dd}", false));
draw({ series: [{ type: "map", map: "regions" }] });
