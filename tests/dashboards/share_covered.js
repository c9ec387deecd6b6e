// Share of the points of a map at which an outline is drawn.
(map) => {
  const box = map.getBoundingClientRect();
  const steps = [...Array(20).keys()].map((step) => (step + 0.5) / 20);
  const points = steps.flatMap((x) => steps.map((y) => [box.left + box.width * x, box.top + box.height * y]));
  const isFilled = (element) => element.tagName === "path"
    && element.className.baseVal !== "background" && getComputedStyle(element).fill !== "none";
  return points.filter(([x, y]) => document.elementsFromPoint(x, y).some(isFilled)).length / points.length;
}
