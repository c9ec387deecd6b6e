// The guide is complete without this: it adds copying, this origin's address, and the reference.
"use strict";

const said = document.querySelector(".said");
const reference = document.getElementById("swagger-ui");
const base = document.body.dataset.base;

if (base && base !== location.origin) {
  const texts = document.createTreeWalker(document.getElementById("content"), NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const text = texts.currentNode;
    if (text.data.includes(base)) text.data = text.data.replaceAll(base, location.origin);
  }
}

for (const figure of document.querySelectorAll("figure.code")) {
  const button = document.createElement("button");
  button.className = "copy";
  button.type = "button";
  button.textContent = "Copy";
  const label = figure.querySelector("figcaption").textContent;
  button.setAttribute("aria-label", `Copy: ${label}`);
  button.addEventListener("click", () => copy(figure.querySelector("code"), button));
  figure.append(button);
}

async function copy(code, button) {
  let done = true;
  try {
    await navigator.clipboard.writeText(code.textContent);
  } catch {
    getSelection().selectAllChildren(code); // where only a secure origin may use the clipboard
    done = document.execCommand("copy");
  }
  said.textContent = done ? "Copied." : "Selected; copy it with the keyboard.";
  button.textContent = done ? "Copied" : "Selected";
  setTimeout(() => {
    button.textContent = "Copy";
    said.textContent = "";
  }, 2000);
}

// The section that is read stays where it is when those above it grow or shrink.
const languages = document.querySelector(".languages");
let read = null;
function mark(event) {
  if (event.target.matches("input") && event.type === "click") return; // the choice is made by then
  const headings = [...document.querySelectorAll(".guide h2")];
  const heading = headings.findLast((one) => one.getBoundingClientRect().top < innerHeight / 2);
  read = heading && { heading, top: heading.getBoundingClientRect().top };
}
languages.addEventListener("click", mark);
languages.addEventListener("keydown", mark);
languages.addEventListener("change", () => {
  if (read) scrollBy(0, read.heading.getBoundingClientRect().top - read.top);
});

const chosen = "cpc-record language";
for (const choice of document.querySelectorAll("input[name=language]")) {
  try {
    if (localStorage.getItem(chosen) === choice.value) choice.checked = true;
  } catch {
    // Storage may be refused; the choice then lasts as long as the page.
  }
  choice.addEventListener("change", () => {
    try {
      localStorage.setItem(chosen, choice.value);
    } catch {
      // As above.
    }
  });
}

const dark = matchMedia("(prefers-color-scheme: dark)");
function dress() {
  document.documentElement.classList.toggle("dark-mode", dark.matches);
}
dark.addEventListener("change", dress);
dress();

function find(hash) {
  const [, tag, operation] = hash.slice(1).split("/");
  return document.getElementById(
    operation ? `operations-${tag}-${operation}` : `operations-tag-${tag}`,
  );
}

addEventListener("hashchange", () => {
  const found = location.hash.startsWith("#/") && find(location.hash);
  if (!found) return;
  const closed = found.querySelector(".opblock-summary-control[aria-expanded=false]");
  if (closed) closed.click();
  found.scrollIntoView();
});

// What the address names stays in view when the reference takes its room.
let settled = false;
function settle() {
  if (settled || !reference.querySelector(".opblock")) return;
  settled = true;
  if (location.hash && !location.hash.startsWith("#/")) {
    document.getElementById(location.hash.slice(1))?.scrollIntoView();
  }
}

// Names for what Swagger UI leaves without one, and a place in the keyboard's order.
function complete() {
  settle();
  for (const select of reference.querySelectorAll("select:not([aria-label])")) {
    const parameter = select.closest("[data-param-name]");
    select.setAttribute("aria-label", parameter ? parameter.dataset.paramName : "media type");
  }
  for (const button of reference.querySelectorAll(".copy-to-clipboard button:not([aria-label])")) {
    button.setAttribute("aria-label", "Copy");
  }
  for (const table of reference.querySelectorAll("table[role=region]:not([aria-label])")) {
    table.setAttribute("aria-label", `Responses of ${table.closest(".opblock").id}`);
  }
  for (const block of reference.querySelectorAll("pre:not([tabindex])")) block.tabIndex = 0;
}

// A link within a button cannot be reached by everyone, the guide has said what the API is, and an
// address that names one of its sections names no operation.
const plain = ({ React }) => ({
  wrapComponents: {
    DeepLink: () => ({ text }) => React.createElement("span", null, text),
    InfoContainer: () => () => null,
  },
  statePlugins: {
    layout: {
      wrapActions: {
        parseDeepLinkHash: (original) => (hash) => (hash.startsWith("#/") ? original(hash) : () => {}),
      },
    },
  },
});

if (typeof SwaggerUIBundle === "function") {
  new MutationObserver(complete).observe(reference, { childList: true, subtree: true });
  SwaggerUIBundle({
    url: "/openapi.json",
    dom_id: "#swagger-ui",
    deepLinking: true,
    defaultModelsExpandDepth: 0,
    displayRequestDuration: true,
    validatorUrl: null,
    layout: "BaseLayout",
    presets: [SwaggerUIBundle.presets.apis],
    plugins: [plain],
  });
}
