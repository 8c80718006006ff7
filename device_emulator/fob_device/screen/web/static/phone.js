// The page works without this file. With it, the phone changes by itself: the parts of a page that are not what they
// were are exchanged, and neither focus nor what was typed is lost.
"use strict";

// So long after a sheet rose its buttons do nothing: a tap that was meant for what lay there before is no answer.
const RISING_MS = 400;
// After a stream of events that the phone refused, look again.
const RECONNECT_MS = 5000;
const DIGITS_MS = 1000;

const served = new Map();
let shownSheet = "";
let before = null;

function part(name, root = document) {
  return root.querySelector(`[data-part="${name}"]`);
}

// ---- exchange of parts

function show(text, keepTyped) {
  const fresh = new DOMParser().parseFromString(text, "text/html");
  document.title = fresh.title;
  for (const next of fresh.querySelectorAll("[data-part]")) {
    const name = next.dataset.part;
    const html = next.innerHTML;
    const here = part(name);
    if (!here) continue;
    if (here.hasAttribute("inert") !== next.hasAttribute("inert")) here.toggleAttribute("inert");
    if (served.get(name) === html) continue;
    served.set(name, html);
    exchange(here, next, keepTyped);
  }
  settle();
}

function exchange(here, next, keepTyped) {
  const focused = here.contains(document.activeElement) ? document.activeElement.id : "";
  const typed = keepTyped ? typedIn(here) : [];
  here.replaceChildren(...next.childNodes);
  for (const [id, value] of typed) {
    const field = document.getElementById(id);
    if (field) field.value = value;
  }
  if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
}

function typedIn(root) {
  return [...root.querySelectorAll("input[id], select[id]")]
    .filter((field) => field.type !== "hidden" && field.type !== "radio")
    .filter((field) => field.value !== (field.getAttribute("value") ?? ""))
    .map((field) => [field.id, field.value]);
}

// ---- what a new page needs

function settle() {
  const sheet = document.querySelector("[data-sheet]");
  const name = sheet ? sheet.dataset.sheet : "";
  if (name !== shownSheet) {
    if (sheet) rise(sheet);
    else comeBack();
    shownSheet = name;
  }
  for (const field of document.querySelectorAll("[data-countdown]")) {
    field.ends ??= performance.now() + 1000 * Number(field.dataset.countdown);
  }
  countDown();
}

function rise(sheet) {
  if (!shownSheet) before = document.activeElement?.id || null;
  const buttons = [...sheet.querySelectorAll("button:not(:disabled)")];
  for (const button of buttons) button.disabled = true;
  setTimeout(() => buttons.forEach((button) => (button.disabled = false)), RISING_MS);
  (sheet.querySelector("input") ?? sheet.querySelector("[tabindex]"))?.focus({ preventScroll: true });
}

function comeBack() {
  const field = (before && document.getElementById(before)) || document.querySelector("[data-part=view] h1");
  field?.focus({ preventScroll: true });
  before = null;
}

function countDown() {
  for (const field of document.querySelectorAll("[data-countdown]")) {
    const left = Math.max((field.ends - performance.now()) / 1000, 0);
    const ring = field.querySelector("[data-ring]");
    ring?.setAttribute("stroke-dashoffset", String(100 - (100 * left) / Number(field.dataset.of)));
    const words = field.querySelector("[data-seconds]");
    if (words) words.textContent = String(Math.ceil(left));
  }
}

// ---- talking to the phone

async function refresh() {
  const answer = await fetch(location.href, { headers: { "Fob-Refresh": "1" } });
  show(await answer.text(), true);
}

async function send(form, button) {
  const body = new URLSearchParams(new FormData(form, button));
  const answer = await fetch(form.action, { method: "POST", body });
  if (answer.url !== location.href) history.pushState(null, "", answer.url);
  show(await answer.text(), false);
}

let running = false;
let again = false;

async function changed() {
  again = true;
  if (running) return;
  running = true;
  while (again) {
    again = false;
    try {
      await refresh();
    } catch {
      // The phone was switched off; its stream of events says so too.
    }
  }
  running = false;
}

function listen() {
  const events = new EventSource(document.documentElement.dataset.events);
  events.addEventListener("changed", changed);
  events.addEventListener("open", () => document.documentElement.classList.remove("gone"));
  events.addEventListener("error", () => {
    document.documentElement.classList.add("gone");
    if (events.readyState === EventSource.CLOSED) setTimeout(listen, RECONNECT_MS);
  });
}

// ---- taps

document.addEventListener("submit", (event) => {
  event.preventDefault();
  send(event.target, event.submitter).catch(() => location.reload());
});

document.addEventListener("click", (event) => {
  const key = event.target.closest("[data-key]");
  const field = key?.closest("form").querySelector("input[type=password]:not([data-full])");
  if (!field) return;
  field.value = key.dataset.key === "erase" ? field.value.slice(0, -1) : field.value + key.dataset.key;
});

window.addEventListener("popstate", () => location.reload());

document.documentElement.classList.add("js");
for (const here of document.querySelectorAll("[data-part]")) served.set(here.dataset.part, here.innerHTML);
settle();
setInterval(countDown, DIGITS_MS);
listen();
