// Copy buttons, this server's origin in the examples, the current section and the search.
// Every page is complete without JavaScript.
"use strict";

const toast = document.querySelector(".toast");
const base = document.body.dataset.base;

if (base && base !== location.origin) {
  const walker = document.createTreeWalker(document.getElementById("content"), NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const text = walker.currentNode;
    if (text.data.includes(base)) text.data = text.data.replaceAll(base, location.origin);
  }
}

function element(name, properties = {}, ...children) {
  const created = Object.assign(document.createElement(name), properties);
  created.append(...children);
  return created;
}

function button(text, onclick, className = "button") {
  return element("button", { type: "button", className, textContent: text, onclick });
}

// Copy

for (const figure of document.querySelectorAll("figure.code")) {
  const code = figure.querySelector("code");
  if (!code || !figure.querySelector("pre")) continue;
  const copyButton = button("Copy", () => copy(code, copyButton));
  copyButton.setAttribute("aria-label", `Copy: ${figure.querySelector("pre").getAttribute("aria-label")}`);
  figure.append(element("div", { className: "buttons" }, copyButton));
}

async function copy(code, pressed) {
  const text = code.textContent;
  let copied = true;
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    getSelection().selectAllChildren(code); // the clipboard API needs a secure origin
    copied = document.execCommand("copy");
  }
  toast.textContent = copied ? "Copied." : "Selected. Press Ctrl+C or ⌘C to copy.";
  const label = pressed.textContent;
  pressed.textContent = copied ? "Copied" : "Selected";
  setTimeout(() => {
    pressed.textContent = label;
    toast.textContent = "";
  }, 2000);
}

// Language of the examples

const languages = document.querySelector(".languages");
if (languages) {
  // Keep the section in view at its scroll position when the examples above it change height.
  let anchor = null;
  const saveScrollAnchor = (event) => {
    if (event.target.matches("input") && event.type === "click") return; // after the change event
    const headings = [...document.querySelectorAll(".guide h2")];
    const heading = headings.findLast((h2) => h2.getBoundingClientRect().top < innerHeight / 2);
    anchor = heading && { heading, top: heading.getBoundingClientRect().top };
  };
  languages.addEventListener("click", saveScrollAnchor);
  languages.addEventListener("keydown", saveScrollAnchor);
  languages.addEventListener("change", () => {
    if (anchor) scrollBy(0, anchor.heading.getBoundingClientRect().top - anchor.top);
  });

  const STORAGE_KEY = "cpc-record language";
  for (const input of languages.querySelectorAll("input")) {
    try {
      if (localStorage.getItem(STORAGE_KEY) === input.value) input.checked = true;
    } catch {
      // Storage may be blocked; the language is then not remembered.
    }
    input.addEventListener("change", () => {
      try {
        localStorage.setItem(STORAGE_KEY, input.value);
      } catch {
        // Storage may be blocked.
      }
    });
  }
}

// Current section

const contents = document.querySelector(".contents");
const targets = new Map();
for (const link of contents?.querySelectorAll("a[href^='#']") ?? []) {
  const target = document.getElementById(decodeURIComponent(link.hash.slice(1)));
  if (target) targets.set(target, link);
}
const READING_LINE = 0.2; // of the height of the window: the section there is being read

const siteLinks = document.querySelectorAll("header.site a[href^='/docs']"); // guide, reference

// The heading of what is being read: the one that was jumped to, if it is there, even if others follow closely.
function currentTarget() {
  const line = innerHeight * READING_LINE;
  const top = (target) => target.getBoundingClientRect().top;
  const linked = document.querySelector(":target");
  if (targets.has(linked) && top(linked) >= 0 && top(linked) <= line) return linked;
  return [...targets.keys()].findLast((target) => top(target) <= line);
}

function markCurrentSection() {
  const current = currentTarget();
  const link = targets.get(current);
  for (const marked of contents.querySelectorAll("a[aria-current='location']")) {
    if (marked !== link) marked.removeAttribute("aria-current");
  }
  for (const item of contents.querySelectorAll("li.current")) item.classList.remove("current");
  if (!link) return;
  link.setAttribute("aria-current", "location");
  for (let item = link.closest("li"); item; item = item.parentElement.closest("li")) {
    item.classList.add("current");
  }
  const inReference = current.closest(".reference") !== null;
  for (const [index, place] of siteLinks.entries()) {
    if (Boolean(index) === inReference) place.setAttribute("aria-current", "page");
    else place.removeAttribute("aria-current");
  }
  const { top, bottom } = link.getBoundingClientRect();
  const frame = contents.getBoundingClientRect();
  if (top < frame.top || bottom > frame.bottom) {
    contents.scrollTop += top - frame.top - frame.height / 3; // of the list alone, not of the page
  }
}

if (targets.size) {
  // Without an end at the top, so that a jump past many headings is noticed as well as scrolling.
  const margin = `1000000px 0px -${100 - 100 * READING_LINE}% 0px`;
  const observer = new IntersectionObserver(markCurrentSection, { rootMargin: margin });
  for (const target of targets.keys()) observer.observe(target);
  addEventListener("hashchange", markCurrentSection);
}

// Search

const MAX_RESULTS = 30;
const MAX_EXCERPT_CHARACTERS = 140;
const LEAD_CHARACTERS = 24; // of an excerpt, before the match
const ADVICE = "Try fewer words, or the name of a field (not_stated), a parameter (sort) or a status code (404).";
let entries = null;

async function loadEntries() {
  entries ??= fetch("/docs/search.json").then((response) => response.json());
  return (await entries).data;
}

const FILLERS = new Set("a an and are can do does for get how i in is of on the to what where with".split(" "));
const EXPLAINS = /^(guide|reference|object|error)/; // kinds of entries that explain a whole subject

// Words of a query, without those that say nothing if there are others.
function wordsOf(text) {
  const words = text.toLowerCase().split(/[\s"'?!,]+/).filter(Boolean);
  const telling = words.filter((word) => !FILLERS.has(word));
  return telling.length ? telling : words;
}

const singular = (word) => word.replace(/ies$/, "y").replace(/([^su])s$/, "$1");

// How well an entry matches: all words must occur; names count most, then what they belong to.
function score(entry, words) {
  const [title, kind, text] = [entry.title, entry.kind, entry.text].map((each) => each.toLowerCase());
  const names = `${title} ${entry.synonyms ?? ""}`.split(/[\W_]+/).map(singular);
  const inName = (word) => names.some((name) => name.startsWith(word)) || title.includes(word);
  let total = EXPLAINS.test(kind) && words.every((word) => inName(singular(word))) ? 8 : 0;
  for (const word of words) {
    const stem = singular(word);
    if (title === word || singular(title) === stem) total += 14;
    else if (names.includes(stem)) total += 10;
    else if (inName(stem)) total += 7;
    else if (kind.includes(stem)) total += 5;
    else if (text.includes(word) || text.includes(stem)) total += 1;
    else return 0;
  }
  return total;
}

// The text from shortly before the first word that is in it.
function excerpt(text, stems) {
  const places = stems.map((stem) => text.toLowerCase().indexOf(stem)).filter((at) => at >= 0);
  const first = places.length ? Math.min(...places) : 0;
  if (first <= LEAD_CHARACTERS) return text.slice(0, MAX_EXCERPT_CHARACTERS);
  const start = text.indexOf(" ", first - LEAD_CHARACTERS) + 1 || first;
  return `… ${text.slice(Math.min(start, first)).slice(0, MAX_EXCERPT_CHARACTERS)}`;
}

function marked(text, stems) {
  const pattern = stems.map((stem) => stem.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")).join("|");
  return text.split(new RegExp(`(${pattern})`, "i")).map((part, index) => {
    return index % 2 ? element("mark", { textContent: part }) : part;
  });
}

const results = element("ul");
const status_ = element("p", { role: "status" });
const query = element("input", { type: "search", placeholder: "Fields, parameters, errors, guides …" });
query.setAttribute("aria-label", "Search the documentation");
const bar = element("div", { className: "bar" }, query, button("Close", () => dialog.close()));
const keys = element(
  "p", { className: "keys" }, ...key("↑"), ...key("↓"), "to choose, ", ...key("Enter"), "to open, ", ...key("Esc"), "to close",
);
const dialog = element("dialog", { className: "search" }, bar, status_, results, keys);
dialog.setAttribute("aria-label", "Search the documentation");
document.body.append(dialog);

function key(name) {
  return [element("kbd", { textContent: name }), " "];
}

query.addEventListener("input", async () => {
  const found = await loadEntries().catch(() => null);
  const words = wordsOf(query.value);
  if (!found || !words.length) {
    results.replaceChildren();
    status_.textContent = found ? "" : "The search index could not be loaded.";
    if (!found) entries = null;
    return;
  }
  const best = found
    .map((entry) => ({ entry, rank: score(entry, words) }))
    .filter(({ rank }) => rank)
    .sort((one, other) => other.rank - one.rank);
  const more = best.length > MAX_RESULTS ? `, the best ${MAX_RESULTS} shown` : "";
  status_.textContent = best.length
    ? `${best.length} ${best.length === 1 ? "result" : "results"}${more}`
    : `No results for “${query.value.trim()}”. ${ADVICE}`;
  const stems = words.map(singular);
  results.replaceChildren(...best.slice(0, MAX_RESULTS).map(({ entry }) => result(entry, stems)));
  results.scrollTop = 0;
});

function result(entry, stems) {
  const where = element("span", {}, ...marked(`${entry.kind} · ${excerpt(entry.text, stems)}`, stems));
  const link = element("a", { href: entry.url }, ...marked(entry.title, stems), where);
  link.addEventListener("click", () => dialog.close());
  return element("li", {}, link);
}

dialog.addEventListener("keydown", (event) => {
  if (event.key === "Escape") {
    event.preventDefault(); // otherwise it would only clear the text, and close the next time
    dialog.close();
    return;
  }
  const links = [...results.querySelectorAll("a")];
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (step && links.length) {
    event.preventDefault();
    const next = links.indexOf(document.activeElement) + step;
    (next < 0 ? query : links[Math.min(next, links.length - 1)]).focus();
  } else if (event.key === "Enter" && event.target === query && links.length) {
    event.preventDefault();
    links[0].click();
  }
});
dialog.addEventListener("click", (event) => {
  if (event.target === dialog) dialog.close(); // the backdrop
});

function openSearch() {
  loadEntries().catch(() => (entries = null));
  dialog.showModal();
  query.select();
}

const find = button("Search", openSearch, "button find");
find.append(element("kbd", { textContent: "/" }));
find.setAttribute("aria-label", "Search the documentation");
find.setAttribute("aria-keyshortcuts", "/ Control+K");
document.querySelector("header.site nav").append(find);
addEventListener("keydown", (event) => {
  const isTyping = event.target.closest?.("input, textarea, select");
  const slash = event.key === "/" && !isTyping && !event.ctrlKey && !event.metaKey && !event.altKey;
  if (slash || (event.key.toLowerCase() === "k" && (event.ctrlKey || event.metaKey))) {
    event.preventDefault();
    openSearch();
  }
});
