const options = { indexAxis: "y" };
const draw = (data, scales) => {
  const canvas = document.createElement("canvas");
  document.querySelector("#chart").replaceChildren(canvas);
  const datasets = [{ data }];
  return new Chart(canvas, { type: "bar", data: { labels: [""], datasets }, options: { ...options, scales } });
};
const small = draw([1], {}).scales.x.ticks.slice(0, 2).map(({ label }) => label);
const dates = [];
try { draw([["2017-10", "2017-12"]], { x: { type: "time" } }); } catch (error) { dates.push(error.message); }
