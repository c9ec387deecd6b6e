// Try it out: sends the requests of the reference and shows their responses. Uses functions of docs.js,
// which is loaded before.
"use strict";

const HEADERS = [
  "content-type", "etag", "cache-control", "link", "x-data-release", "content-disposition",
  "content-range", "repr-digest", "retry-after", "allow",
]; // those that matter to a client, if the response has them
const MAX_SHOWN = 100_000; // characters

for (const operation of document.querySelectorAll(".operation")) {
  const figure = operation.querySelector("figure.request");
  const opener = button("Try it", () => openForm(operation, figure, opener), "button main");
  opener.setAttribute("aria-label", `Try it: ${operation.querySelector("h4").textContent}`);
  figure.querySelector(".buttons").append(opener);
}

// The parameters of an operation are those of the address in its text box, which can be edited.
function openForm(operation, figure, opener) {
  const shown = figure.querySelector("pre");
  const initial = shown.textContent.match(/'(.*)'/)[1].slice(location.origin.length);
  const address = element("textarea", { rows: 1, value: initial, spellcheck: false });
  const send = element("button", { className: "button main", textContent: "Send" });
  const close = button("Close", () => {
    form.remove();
    controls.forEach((control) => control.remove());
    operation.querySelectorAll(".values .button").forEach((value) => value.replaceWith(asCode(value)));
    shown.hidden = figure.querySelector(".buttons").hidden = false;
    opener.focus();
  });
  const copyButton = button("Copy as curl", () => copy(element("code", { textContent: asCurl(address.value) }), copyButton));
  const result = element("div", { className: "result", ariaLive: "polite" });
  const form = element(
    "form", { className: "try" },
    element("label", {}, "GET", address),
    element("div", { className: "buttons" }, send, copyButton, close),
  );
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    form.append(result);
    await show(address.value.trim(), result);
  });
  address.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.shiftKey) return;
    event.preventDefault();
    form.requestSubmit();
  });
  const controls = addControls(operation, address);
  shown.hidden = figure.querySelector(".buttons").hidden = true;
  figure.append(form);
  send.focus();
}

const asCurl = (address) => `curl -s '${location.origin}${address.replaceAll("'", "%27")}'`;
const asCode = (value) => element("code", { textContent: value.textContent });

// Adds a text box to each parameter, and makes buttons of the values that are written out.
function addControls(operation, address) {
  const controls = [];
  for (const row of operation.querySelectorAll(".parameter")) {
    const values = row.querySelectorAll(".values > code");
    if (!values.length) {
      const entry = element("input", { className: "entry", placeholder: row.dataset.example, spellcheck: false });
      entry.setAttribute("aria-label", row.dataset.name);
      if (row.dataset.known) entry.setAttribute("list", row.dataset.known);
      entry.addEventListener("input", () => setValues(operation, address, row, entry.value ? [entry.value] : []));
      row.querySelector("dd").append(entry);
      controls.push(entry);
    }
    for (const code of values) {
      const toggle = button(code.textContent, () => toggleValue(operation, address, row, toggle.textContent));
      code.replaceWith(toggle);
    }
  }
  address.addEventListener("input", () => readAddress(operation, address));
  readAddress(operation, address);
  return controls;
}

// Values of a parameter in an address; a part of the path is matched by its place.
function valuesOf(operation, address, row) {
  const [path, search] = address.value.split("?");
  if (!("inPath" in row.dataset)) return new URLSearchParams(search).getAll(row.dataset.name);
  const place = operation.dataset.path.split("/").indexOf(`{${row.dataset.name}}`);
  const part = path.split("/")[place];
  return part ? [decode(part)] : [];
}

function decode(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

function setValues(operation, address, row, values) {
  const [path, search] = address.value.split("?");
  if ("inPath" in row.dataset) {
    const parts = path.split("/");
    const place = operation.dataset.path.split("/").indexOf(`{${row.dataset.name}}`);
    parts[place] = encodeURIComponent(values[0] ?? "");
    address.value = parts.join("/") + (search ? `?${search}` : "");
  } else {
    const { name } = row.dataset;
    const pairs = [...new URLSearchParams(search)];
    const place = pairs.findIndex((pair) => pair[0] === name);
    const others = pairs.filter((pair) => pair[0] !== name);
    const added = values.map((value) => [name, value]);
    others.splice(place < 0 ? others.length : place, 0, ...added); // where it was
    address.value = others.length ? `${path}?${new URLSearchParams(others)}` : path;
  }
  readAddress(operation, address, row);
}

function toggleValue(operation, address, row, value) {
  const now = valuesOf(operation, address, row);
  const several = "repeatable" in row.dataset;
  const others = several ? now.filter((each) => each !== value) : [];
  setValues(operation, address, row, now.includes(value) ? others : [...others, value]);
}

function readAddress(operation, address, except = null) {
  for (const row of operation.querySelectorAll(".parameter")) {
    const values = valuesOf(operation, address, row);
    for (const toggle of row.querySelectorAll(".values > .button")) {
      toggle.setAttribute("aria-pressed", values.includes(toggle.textContent));
    }
    const entry = row.querySelector(".entry");
    if (entry && row !== except) entry.value = values[0] ?? "";
  }
}

async function show(address, result) {
  const status = element("span", { className: "status", textContent: "Waiting …" });
  const line = element("p", {}, status);
  result.replaceChildren(line);
  const started = performance.now();
  try {
    const response = await fetch(new URL(address, location.origin), { headers: { Accept: "*/*" } });
    const body = await response.blob();
    const milliseconds = Math.round(performance.now() - started);
    status.textContent = `${response.status} ${response.statusText}`;
    status.classList.toggle("failed", !response.ok);
    line.append(` · ${body.size.toLocaleString("en-US")} bytes · ${milliseconds} ms`);
    result.append(headerList(response.headers), await bodyElement(response, body));
  } catch (error) {
    status.textContent = `No response: ${error.message}`;
    status.classList.add("failed");
  }
}

function headerList(headers) {
  const list = element("dl");
  for (const name of HEADERS) {
    if (!headers.has(name)) continue;
    list.append(element("dt", { textContent: name }), element("dd", { textContent: headers.get(name) }));
  }
  return list;
}

async function bodyElement(response, body) {
  if (!/json|text|xml|csv|bibtex|ris|research/.test(response.headers.get("content-type") ?? "")) {
    const link = element("a", { href: response.url, textContent: "Download it" });
    return element("p", {}, "The response is a binary file. ", link, ".");
  }
  let text = await body.text();
  const pre = element("pre", { tabIndex: 0 });
  pre.setAttribute("aria-label", "Response body");
  try {
    text = JSON.stringify(JSON.parse(text), null, 2);
    pre.append(element("code", {}, ...highlighted(cut(text))));
  } catch {
    pre.append(element("code", { textContent: cut(text) }));
  }
  return pre;
}

const cut = (text) => (text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}\n…` : text);

// JSON with the classes that the style sheet colors.
function highlighted(text) {
  const token = /("(?:[^"\\]|\\.)*")(?=:)|("(?:[^"\\]|\\.)*")|(-?\d[\d.eE+-]*|true|false|null)/g;
  const parts = [];
  let end = 0;
  for (const match of text.matchAll(token)) {
    parts.push(text.slice(end, match.index));
    const className = match[1] ? "nt" : match[2] ? "s" : "m";
    parts.push(element("span", { className, textContent: match[0] }));
    end = match.index + match[0].length;
  }
  return [...parts, text.slice(end)];
}
