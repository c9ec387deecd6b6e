// Adds copy buttons, this server's origin in the examples and the interactive reference.
// The guide is complete without JavaScript.
"use strict";

const toast = document.querySelector(".toast");
const reference = document.getElementById("swagger-ui");
const base = document.body.dataset.base;

if (base && base !== location.origin) {
  const walker = document.createTreeWalker(document.getElementById("content"), NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const text = walker.currentNode;
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
  let copied = true;
  try {
    await navigator.clipboard.writeText(code.textContent);
  } catch {
    getSelection().selectAllChildren(code); // the clipboard API needs a secure origin
    copied = document.execCommand("copy");
  }
  toast.textContent = copied ? "Copied." : "Selected. Press Ctrl+C or ⌘C to copy.";
  button.textContent = copied ? "Copied" : "Selected";
  setTimeout(() => {
    button.textContent = "Copy";
    toast.textContent = "";
  }, 2000);
}

// Keep the section in view at its scroll position when the examples above it change height.
const languages = document.querySelector(".languages");
let anchor = null;
function saveScrollAnchor(event) {
  if (event.target.matches("input") && event.type === "click") return; // after the change event
  const headings = [...document.querySelectorAll(".guide h2")];
  const heading = headings.findLast((h2) => h2.getBoundingClientRect().top < innerHeight / 2);
  anchor = heading && { heading, top: heading.getBoundingClientRect().top };
}
languages.addEventListener("click", saveScrollAnchor);
languages.addEventListener("keydown", saveScrollAnchor);
languages.addEventListener("change", () => {
  if (anchor) scrollBy(0, anchor.heading.getBoundingClientRect().top - anchor.top);
});

const STORAGE_KEY = "cpc-record language";
for (const input of document.querySelectorAll("input[name=language]")) {
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

const dark = matchMedia("(prefers-color-scheme: dark)");
function applyColorScheme() {
  document.documentElement.classList.toggle("dark-mode", dark.matches);
}
dark.addEventListener("change", applyColorScheme);
applyColorScheme();

function findOperation(hash) {
  const [, tag, operation] = hash.slice(1).split("/");
  return document.getElementById(
    operation ? `operations-${tag}-${operation}` : `operations-tag-${tag}`,
  );
}

addEventListener("hashchange", () => {
  const block = location.hash.startsWith("#/") && findOperation(location.hash);
  if (!block) return;
  const collapsed = block.querySelector(".opblock-summary-control[aria-expanded=false]");
  if (collapsed) collapsed.click();
  block.scrollIntoView();
});

// Scroll to the URL's section again once the reference has rendered and changed the layout.
let hasScrolled = false;
function restoreScrollTarget() {
  if (hasScrolled || !reference.querySelector(".opblock")) return;
  hasScrolled = true;
  if (location.hash && !location.hash.startsWith("#/")) {
    document.getElementById(location.hash.slice(1))?.scrollIntoView();
  }
}

// Add accessible names and keyboard focus that Swagger UI leaves out.
function improveAccessibility() {
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

function onReferenceChange() {
  restoreScrollTarget();
  improveAccessibility();
}

// Swagger UI plugin: no links inside buttons, no description of the API, which the guide has, and
// no deep linking for the guide's own fragments.
const guidePlugin = ({ React }) => ({
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
  new MutationObserver(onReferenceChange).observe(reference, { childList: true, subtree: true });
  SwaggerUIBundle({
    url: "/openapi.json",
    dom_id: "#swagger-ui",
    deepLinking: true,
    defaultModelsExpandDepth: 0,
    displayRequestDuration: true,
    validatorUrl: null,
    layout: "BaseLayout",
    presets: [SwaggerUIBundle.presets.apis],
    plugins: [guidePlugin],
  });
}
