// Shows annotations with three libraries in a page, and tells which words each of them marks.

import { createTextPositionSelectorMatcher, createTextQuoteSelectorMatcher } from "@apache-annotator/dom";
import { Recogito } from "@recogito/recogito-js";
import { createTextAnnotator, reviveAnnotation, W3CTextFormat } from "@recogito/text-annotator";
import { placeByQuote } from "placing";

// The words of a range, and the number of visible characters before them.
function passage(range, element) {
  const before = document.createRange();
  before.selectNodeContents(element);
  before.setEnd(range.startContainer, range.startOffset);
  return [before.toString().replace(/\s/g, "").length, range.toString()];
}

async function byApache(matcherOf, annotations, element) {
  const passages = {};
  for (const { id, selector } of annotations) {
    const found = [];
    for await (const range of matcherOf(selector)(element)) found.push(passage(range, element));
    passages[id] = found.length === 1 ? found[0] : found;
  }
  return passages;
}

function byTextAnnotator(annotations, element) {
  const annotator = createTextAnnotator(element, { adapter: W3CTextFormat("page", element) });
  annotator.setAnnotations(annotations);
  const passages = {};
  for (const annotation of annotator.state.store.all()) {
    const { range } = reviveAnnotation(annotation, element).target.selector[0];
    passages[annotation.id] = passage(range, element);
  }
  annotator.destroy();
  return passages;
}

async function byRecogito(annotations, element) {
  const recogito = new Recogito({ content: element, mode: "pre", readOnly: true });
  await recogito.setAnnotations(annotations);
  const passages = {};
  for (const { id } of annotations) {
    const spans = [...element.querySelectorAll(`[data-id="${id}"]`)];
    if (!spans.length) continue;
    const range = document.createRange();
    range.setStartBefore(spans[0]);
    range.setEndAfter(spans.at(-1));
    passages[id] = passage(range, element);
  }
  recogito.destroy();
  return passages;
}

// As the documentation says: on a page by quote, in the extracted text by position.
globalThis.showAnnotations = async (items, element, isText) => {
  const placed = isText
    ? items.map((item) => ({ ...item, target: item.target[1] }))
    : await Promise.all(items.map((item) => placeByQuote(item, element)));
  const part = (index) => placed.map(({ id, target }) => ({ id, selector: target.selector[index] }));
  return {
    quotes: await byApache(createTextQuoteSelectorMatcher, part(0), element),
    positions: await byApache(createTextPositionSelectorMatcher, part(1), element),
    "text-annotator": byTextAnnotator(placed, element),
    "recogito-js": await byRecogito(placed, element),
  };
};

// As they are, without what the documentation says.
globalThis.showAsTheyAre = async (items, element) => ({
  "text-annotator": byTextAnnotator(items, element),
  "recogito-js": await byRecogito(items, element),
});
