// Keeps the page up to date: the node renders it, this replaces the parts that
// have changed. Times are those of the node, whatever the clock here says.
"use strict";

const every = 5000; // ms between looks, however quiet the node is
const fresh = document.getElementById("fresh");
let ahead = 0; // of the node's clock, in ms
let seen = 0; // when the page was last up to date, by the node's clock
let looking = false;
let again = false;

function span(ms) {
  const s = Math.max(0, Math.floor(ms / 1000));
  const units = [[86400, "d"], [3600, "h"], [60, "min"], [1, "s"]];
  const i = units.findIndex(([n]) => s >= n);
  if (i < 0) return "0 s";
  const [n, unit] = units[i];
  const [m, part] = units[i + 1] || [];
  const rest = m && i < 3 ? Math.floor((s % n) / m) : 0;
  return Math.floor(s / n) + " " + unit + (rest ? " " + rest + " " + part : "");
}

const now = () => Date.now() + ahead;

function put(e, text) {
  if (e.textContent !== text) e.textContent = text;
}

function tick() {
  for (const e of document.querySelectorAll("[data-ago]")) {
    const ms = now() - Date.parse(e.dataset.ago);
    put(e, ms < 0 ? "in " + span(-ms) : span(ms) + " ago");
  }
  const old = seen > 0 && now() - seen > 3 * every;
  document.body.classList.toggle("old", old);
  fresh.classList.toggle("old", old);
  if (old) fresh.textContent = "This node has not answered for " + span(now() - seen) + ": what is shown is old";
}

// signature is what of a part has a meaning: not how long ago it was.
function signature(e) {
  const copy = e.cloneNode(true);
  for (const x of copy.querySelectorAll("[data-ago]")) x.textContent = "";
  for (const x of copy.querySelectorAll("[data-node]")) x.removeAttribute("href");
  return copy.outerHTML;
}

// links lead to the same page of the other nodes.
function links() {
  for (const a of document.querySelectorAll("a[data-node]")) {
    if (/^https?:/.test(a.getAttribute("href"))) a.href = new URL(location.pathname, a.href).href;
  }
}

function show(page) {
  for (const e of document.querySelectorAll("[data-live]")) {
    const next = page.getElementById(e.id);
    if (next && signature(next) !== signature(e)) e.replaceWith(document.importNode(next, true));
  }
  put(document.getElementById("spoken"), page.getElementById("spoken").textContent);
  document.title = page.title;
  links();
}

function current(page) {
  const stamp = page.getElementById("fresh").dataset.now;
  ahead = Date.parse(stamp) - Date.now();
  seen = now();
  fresh.replaceChildren(...[...page.getElementById("fresh").childNodes].map((n) => document.importNode(n, true)));
  fresh.classList.add("live");
}

async function look() {
  again = looking;
  if (looking) return;
  looking = true;
  try {
    const answer = await fetch(location.pathname + location.search, { cache: "no-store", redirect: "error", signal: AbortSignal.timeout(2 * every) });
    if (answer.ok) {
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      if (page.getElementById("fresh")) {
        show(page);
        current(page);
      }
    } else if (answer.status === 401 || answer.status === 403) {
      fresh.classList.remove("live");
      fresh.textContent = "The permission to read has ended: load the page again";
    }
  } catch {
    fresh.classList.remove("live"); // tick tells how long that lasts
  }
  looking = false;
  tick();
  if (again) look();
}

function listen() {
  const source = new EventSource("api/v1/events");
  for (const id of document.body.dataset.events.split(" ")) source.addEventListener(id, look);
  source.addEventListener("error", () => {
    look();
    if (source.readyState === EventSource.CLOSED) setTimeout(listen, 2 * every);
  });
}

function element(name, className, text) {
  const e = document.createElement(name);
  if (className) e.className = className;
  if (text) e.textContent = text;
  return e;
}

function report(r) {
  const list = element("ul");
  for (const c of [...r.checks].sort((a, b) => a.ok - b.ok)) {
    const item = element("li", c.ok ? "ok" : "bad");
    item.append(element("span", "mark", c.ok ? "ok" : "problem"), element("b", "", c.name));
    if (c.detail) item.append(element("p", "", c.detail));
    if (c.advice) item.append(element("p", "", c.advice));
    list.append(item);
  }
  const text = r.ok ? "A failover would work now." : "A failover might not work now.";
  return [element("p", r.ok ? "total" : "total bad", text), list];
}

async function preflight(event) {
  const out = document.getElementById("report");
  event.target.disabled = true;
  out.replaceChildren(element("p", "", "Asking DNS and the members …"));
  try {
    const answer = await fetch("api/v1/preflight", { cache: "no-store", redirect: "error" });
    const body = await answer.json();
    out.replaceChildren(...(answer.ok ? report(body) : [element("p", "total bad", body.message)]));
  } catch {
    out.replaceChildren(element("p", "total bad", "This node has not answered."));
  }
  event.target.disabled = false;
}

const button = document.getElementById("preflight");
button.addEventListener("click", preflight);
button.hidden = false;
document.getElementById("preflight-link").hidden = true;

links();
current(document);
listen();
setInterval(tick, 1000);
setInterval(() => document.hidden || look(), every);
document.addEventListener("visibilitychange", () => document.hidden || look());
tick();
