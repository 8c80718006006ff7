// The page works without this file. With it the phone changes by itself: parts of the page that are not what they were
// are exchanged, and neither focus nor what was typed is lost.
"use strict";

// So long after a sheet rose its buttons do nothing, also those that are exchanged meanwhile: a tap that was meant for
// what lay there before is no answer.
const RISING_MS = 400;
// After the phone refused a stream of events, look again; the page's words for too many windows say how often.
const RECONNECT_MS = 5000;
const SECOND_MS = 1000;
// 503 (RFC 9110, section 15.6.4): as many windows are open as the phone keeps fresh.
const NO_ROOM = 503;
const SCROLLING = ".scroll, .sheet-body";

const page = document.documentElement;
const find = (selector, root = document) => root.querySelector(selector);
const findAll = (selector, root = document) => [...root.querySelectorAll(selector)];

// The parts as the phone sent them last, by name; the countdowns in them go on by themselves.
const served = new Map();
let shownSheet = "";
// The timer of a sheet that rises; null when its buttons answer.
let rising = null;
let focusedBefore = "";
let saidBefore = null;

// ---- Exchange of parts

function show(text, { keepTyped }) {
  const fresh = new DOMParser().parseFromString(text, "text/html");
  document.title = fresh.title;
  for (const next of findAll("[data-part]", fresh)) {
    const here = find(`[data-part="${next.dataset.part}"]`);
    if (!here) continue;
    here.toggleAttribute("inert", next.hasAttribute("inert"));
    const html = withoutCountdowns(next);
    if (served.get(next.dataset.part) === html) continue;
    served.set(next.dataset.part, html);
    exchange(here, next, keepTyped);
  }
  settle();
}

function withoutCountdowns(part) {
  const copy = part.cloneNode(true);
  for (const field of findAll("[data-countdown]", copy)) {
    field.dataset.countdown = "";
    find("[data-ring]", field).setAttribute("stroke-dashoffset", "");
    find("[data-seconds]", field).textContent = "";
  }
  return copy.innerHTML;
}

function exchange(here, next, keepTyped) {
  const focused = here.contains(document.activeElement) ? document.activeElement.id : null;
  const typed = keepTyped ? typedIn(here) : [];
  const scrolled = find(SCROLLING, here)?.scrollTop ?? 0;
  here.replaceChildren(...next.childNodes);
  for (const [id, property, value] of typed) {
    const field = document.getElementById(id);
    if (field) field[property] = value;
  }
  const scroll = find(SCROLLING, here);
  if (scroll) scroll.scrollTop = scrolled;
  if (focused === null) return;
  focus((focused && document.getElementById(focused)) || find("[autofocus]", here) || find("h1, h2", here));
}

// What differs from what the phone said.
function typedIn(root) {
  return findAll("input[id]:not([type=hidden]), select[id]", root)
    .map((field) => [field.id, field.matches("[type=radio], [type=checkbox]") ? "checked" : "value", field])
    .filter(([, property, field]) => field[property] !== (property === "checked" ? field.defaultChecked : field.defaultValue))
    .map(([id, property, field]) => [id, property, field[property]]);
}

function focus(element) {
  element?.focus({ preventScroll: true });
}

// ---- What a new page needs

function settle() {
  const sheet = find("[data-sheet]");
  const name = sheet?.dataset.sheet ?? "";
  if (name !== shownSheet) {
    if (sheet) rise(sheet);
    else focus(document.getElementById(focusedBefore) ?? find("[data-part=view] h1"));
    shownSheet = name;
  } else {
    sheet?.classList.add("risen");
  }
  if (sheet && rising !== null) hold(sheet);
  const said = findAll("[data-announce]").map((element) => element.dataset.announce);
  const news = said.filter((words) => !(saidBefore ?? said).includes(words));
  if (news.length) document.getElementById("announcer").textContent = news.join(". ");
  saidBefore = said;
  countDown();
}

function rise(sheet) {
  if (!shownSheet) focusedBefore = document.activeElement?.id ?? "";
  clearTimeout(rising);
  rising = setTimeout(release, RISING_MS);
  focus(find("[autofocus]", sheet) ?? find("h2", sheet));
}

function hold(sheet) {
  for (const button of findAll("button:enabled", sheet)) {
    button.disabled = true;
    button.dataset.held = "";
  }
}

function release() {
  rising = null;
  for (const button of findAll("[data-held]")) {
    button.disabled = false;
    delete button.dataset.held;
  }
}

function inDigits(seconds) {
  return seconds < 100 ? String(seconds) : `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}

function countDown() {
  for (const field of findAll("[data-countdown]")) {
    field.ends ??= performance.now() + SECOND_MS * Number(field.dataset.countdown);
    const left = Math.max((field.ends - performance.now()) / SECOND_MS, 0);
    find("[data-ring]", field).setAttribute("stroke-dashoffset", String(100 - (100 * left) / Number(field.dataset.of)));
    find("[data-seconds]", field).textContent = inDigits(Math.ceil(left));
    if (left === 0 && !field.isOver) {
      field.isOver = true;
      refresh();
    }
  }
}

// ---- Talking to the phone

let isRefreshing = false;
let isStale = false;

async function refresh() {
  isStale = true;
  if (isRefreshing) return;
  isRefreshing = true;
  while (isStale) {
    isStale = false;
    const address = location.href;
    try {
      const answer = await fetch(address, { headers: { "Fob-Refresh": "1" } });
      const text = await answer.text();
      // A tap that was faster has shown another page.
      if (address === location.href) show(text, { keepTyped: true });
      else isStale = true;
    } catch {
      // The phone's program ended; its stream of events says so too.
    }
  }
  isRefreshing = false;
}

async function send(form, button) {
  const body = new URLSearchParams(new FormData(form, button));
  const answer = await fetch(button?.getAttribute("formaction") ?? form.action, { method: "POST", body });
  const text = await answer.text();
  if (answer.redirected && answer.url !== location.href) history.pushState(null, "", answer.url);
  // Also where the phone says the same again: what was typed is used up.
  served.delete(form.closest("[data-part]")?.dataset.part);
  show(text, { keepTyped: false });
}

function listen() {
  const events = new EventSource(page.dataset.events);
  events.addEventListener("changed", refresh);
  events.addEventListener("open", () => page.classList.remove("gone", "full"));
  events.addEventListener("error", async () => {
    const isRefused = events.readyState === EventSource.CLOSED;
    const isFull = isRefused && (await hasNoRoom());
    page.classList.toggle("full", isFull);
    page.classList.toggle("gone", !isFull);
    if (isFull) refresh();
    if (isRefused) setTimeout(listen, RECONNECT_MS);
  });
}

// A stream of events does not say why it was refused.
async function hasNoRoom() {
  const look = new AbortController();
  try {
    return (await fetch(page.dataset.events, { signal: look.signal })).status === NO_ROOM;
  } catch {
    return false;
  } finally {
    look.abort();
  }
}

// ---- Taps

document.addEventListener("submit", (event) => {
  event.preventDefault();
  const form = event.target;
  // Whoever taps twice means it once.
  if (form.isOnItsWay) return;
  form.isOnItsWay = true;
  send(form, event.submitter)
    .catch(() => page.classList.add("gone"))
    .finally(() => (form.isOnItsWay = false));
});

document.addEventListener("click", (event) => {
  const key = event.target.closest("[data-key]");
  const field = key && find("input[type=password]", key.closest("form"));
  if (!field || field.disabled) return;
  field.value = key.dataset.key === "erase" ? field.value.slice(0, -1) : field.value + key.dataset.key;
});

// Taps on keys leave the focus where it is: who types goes on typing.
document.addEventListener("pointerdown", (event) => {
  if (event.target.closest("[data-key]")) event.preventDefault();
});

window.addEventListener("popstate", () => location.reload());

page.classList.add("js");
for (const part of findAll("[data-part]")) served.set(part.dataset.part, withoutCountdowns(part));
settle();
setInterval(countDown, SECOND_MS);
listen();
