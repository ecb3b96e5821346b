// Everything from the listings goes in as text (textContent), never as markup.

const data = JSON.parse(document.getElementById("data").textContent);
const run = data.run;
const queue = data.listings; // to decide on; the others are shown beside them
const every = queue.concat(data.others);
const places = new Map(every.map((listing, place) => [listing.id, place]));
const WORDS = { keep: "kept", relabel: "relabelled", reprice: "repriced", delete: "deleted", ambiguous: "ambiguous" };
const MARKS = { keep: "✓", relabel: "→", reprice: "¤", delete: "✕", ambiguous: "≈" };
const PRICED = ["relabel", "reprice", "ambiguous"]; // what a new price may come with
const TITLES = new Map(data.kinds.map((kind) => [kind.name, kind.title]));
const AHEAD = 20; // listings that the hint to stop looks ahead
const ROW = 62; // height of a row of the queue in pixels, as in the style

const $ = (id) => document.getElementById(id);

function element(tag, name, text) {
  const made = document.createElement(tag);
  if (name) made.className = name;
  if (text !== undefined) made.textContent = shown(text);
  return made;
}

function say(text) {
  $("message").textContent = shown(text);
  clearTimeout(say.timer);
  say.timer = setTimeout(() => ($("message").textContent = ""), 5000);
}

function warn(text) {
  $("warning").textContent = text;
  $("warning").hidden = false;
}

// Storage: each decision has its own key, so that two windows do not overwrite each other's decisions.

const own = new Map(); // id -> {decision, new_label, new_price, new_class, reviewer, time, step, before}
const notes = new Map(); // id -> words
let saved = { step: 0, stale: false }; // the last download; stale: a part of it was undone or changed since

function keep(name, value) {
  try {
    const key = `${run.key} ${name}`;
    if (value === null) localStorage.removeItem(key);
    else localStorage.setItem(key, JSON.stringify(value));
  } catch {
    warn("This browser can't save the decisions of this page. Download them before you close it.");
  }
}

function stored() {
  const entries = [];
  try {
    for (let number = 0; number < localStorage.length; number++) {
      const key = localStorage.key(number);
      if (key.startsWith(`${run.key} `)) entries.push([key.slice(run.key.length + 1), localStorage.getItem(key)]);
    }
  } catch {
    warn("This browser can't save the decisions of this page. Download them before you close it.");
  }
  return entries;
}

function load() {
  own.clear();
  notes.clear();
  for (const [id, decision] of Object.entries(data.decided)) if (decision.note) notes.set(id, decision.note);
  for (const [name, text] of stored()) {
    let value;
    try {
      value = JSON.parse(text);
    } catch {
      warn(`The browser's entry "${name}" is damaged and is ignored.`);
      continue;
    }
    if (name === "saved") saved = value;
    else if (name.startsWith("note ")) notes.set(name.slice(5), value);
    else if (name.startsWith("decision ")) own.set(name.slice(9), value);
  }
  // the later decision is valid: the run has those that were applied or made elsewhere
  for (const [id, decision] of own) if (id in data.decided && !(when(decision) > when(data.decided[id]))) own.delete(id);
}

const when = (decision) => Date.parse(decision.time) || 0;
const held = (id) => own.get(id) || (Object.hasOwn(data.decided, id) ? data.decided[id] : null);
const lastStep = () => Math.max(0, ...[...own.values()].map((decision) => decision.step));
const unsaved = () => [...own.values()].filter((decision) => decision.step > saved.step).length;
const isFresh = () => saved.stale || unsaved() > 0;
const now = () => new Date().toISOString().replace("Z", "+00:00");

function put(id, decision) {
  if (decision) own.set(id, decision);
  else own.delete(id);
  keep(`decision ${id}`, decision || null);
}

function record(changes, more = {}) {
  const step = Math.max(lastStep(), saved.step) + 1;
  for (const [id, made] of changes) {
    const before = own.get(id) || null;
    const { decision, new_label = "", new_price = null, new_class = false } = made;
    put(id, { decision, new_label, new_price, new_class, reviewer: "", time: now(), step, before, ...more });
  }
}

// Position

let current = 0;
let filtered = []; // places of the queue that pass the filter

function matches(place) {
  const listing = queue[place];
  const [kind, state, words] = [$("kind").value, $("state").value, $("search").value.trim().toLowerCase()];
  if (kind && !listing.issues.includes(kind)) return false;
  if (state !== "all" && (state === "done") !== Boolean(held(listing.id))) return false;
  return !words || `${listing.id}\n${listing.title || ""}`.toLowerCase().includes(words);
}

function filter() {
  filtered = [...queue.keys()].filter(matches);
}

function go(place) {
  current = place;
  drawCard();
  $("card").scrollTop = 0;
  showRow();
  document.body.classList.remove("show-queue");
  $("open-queue").setAttribute("aria-expanded", "false");
}

function move(by) {
  const at = filtered.indexOf(current);
  const next = at >= 0 ? filtered[at + by] : by > 0 ? filtered.find((place) => place > current) : filtered.findLast((place) => place < current);
  if (next === undefined) say(by > 0 ? "This is the last one." : "This is the first one.");
  else go(next);
}

function advance(message) {
  const later = filtered.filter((place) => place > current);
  const earlier = filtered.filter((place) => place < current);
  const next = [...later, ...earlier].find((place) => !held(queue[place].id));
  filter();
  drawProgress();
  go(next === undefined ? current : next);
  say(next === undefined ? `${message} Nothing is left to decide in this list.` : message);
}

// Deciding

function decide(decision, values = {}, standing = held(queue[current].id)) {
  const id = queue[current].id;
  const made = joined({ decision, ...values }, standing);
  record([[id, made]]);
  advance(`${id}: ${inWords(made)}.`);
}

const NO_LABEL = "This listing has no label to keep: e relabels, s says that several labels fit, d deletes.";

function keepLabel() {
  if (queue[current].given === null) say(NO_LABEL);
  else decide("keep");
}

function relabel(name) {
  const { id, given } = queue[current];
  const price = (held(id) || {}).new_price ?? null;
  // the given label is right; a corrected price stays
  if (name === given) decide(...(price === null ? ["keep"] : ["reprice", { new_price: price }, null]));
  else decide("relabel", { new_label: name, new_class: !data.classes.includes(name) });
}

function accept() {
  const { given, suggested } = queue[current];
  if (!suggested || suggested === given) say("No label is suggested here: k keeps, e relabels, d deletes.");
  else relabel(suggested);
}

function fits() {
  const { fits } = queue[current];
  if (fits === null) say("No price is suggested here: p is for another price.");
  else decide("reprice", { new_price: fits });
}

function only() {
  const listing = queue[current];
  if (!listing.reposts.length) return say("This listing has no reposts.");
  const mine = held(listing.id);
  const others = listing.reposts.map((place) => every[place].id);
  const deleted = others.map((id) => [id, { decision: "delete" }]);
  const { decision, new_label, new_price, new_class } = mine && mine.decision !== "delete" ? mine : { decision: "keep" };
  // without a label there is nothing to keep
  const stays = decision === "keep" && listing.given === null ? [] : [[listing.id, { decision, new_label, new_price, new_class }]];
  record([...stays, ...deleted]);
  advance(`${listing.id} stays, ${others.join(", ")} deleted.`);
}

// Another price

function openPrice() {
  const { price, fits } = queue[current];
  if (!data.priced) return say("This dataset has no prices.");
  const standing = held(queue[current].id);
  $("new-price").value = (standing && standing.new_price) ?? fits ?? price ?? "";
  $("pricing").showModal();
  $("new-price").select();
  drawTyped();
}

function drawTyped() {
  const text = $("new-price").value;
  const { price, why } = text.trim() ? readPrice(text) : { why: "" };
  $("price-read").textContent = why ?? `= ${money(price)}`;
  $("set-price").disabled = price === undefined;
  return price;
}

function setPrice() {
  const price = drawTyped();
  if (price === undefined) return;
  $("pricing").close();
  if (price === queue[current].price && !held(queue[current].id)) say("This is the price that it has: k keeps the listing as it is.");
  else decide("reprice", { new_price: price });
}

function undo() {
  const step = lastStep();
  const last = [...own].filter(([, decision]) => decision.step === step);
  if (!last.length) return say("Nothing has been decided in this page.");
  if (step <= saved.step) keep("saved", (saved = { ...saved, stale: true }));
  for (const [id, decision] of last) put(id, decision.before);
  filter();
  drawProgress();
  const place = places.get(last[0][0]);
  go(place < queue.length ? place : current);
  say(`Undone: ${last.map(([id]) => id).join(", ")}.`);
}

function writeNote() {
  const { id } = queue[current];
  const words = $("note").value.trim();
  if (words === (notes.get(id) || "")) return;
  notes.set(id, words);
  keep(`note ${id}`, words);
  if (own.has(id)) keep("saved", (saved = { ...saved, stale: true }));
  drawProgress();
}

// Words

const count = (number, word) => `${number} ${word}${number === 1 ? "" : "s"}`;

const percent = (chance) =>
  chance === null ? "" : chance < 0.005 ? "<1 %" : chance > 0.995 ? ">99 %" : `${Math.round(100 * chance)} %`;

function amount(price) {
  const whole = price >= 100 || Number.isInteger(price);
  const digits = whole ? 0 : 2;
  return price.toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

const money = (price) => [amount(price), data.currency].filter(Boolean).join(" ");

function inWords(decision) {
  const by = decision.reviewer ? ` by ${decision.reviewer}` : "";
  const action = decision.decision === "ambiguous" ? "several labels fit" : WORDS[decision.decision];
  const label = decision.new_label ? ` as ${decision.new_label}${decision.new_class ? " (a new class)" : ""}` : "";
  const price = decision.new_price ?? null;
  const priced = price === null ? "" : decision.decision === "reprice" ? ` at ${money(price)}` : `, price ${money(price)}`;
  return `${action}${label}${priced}${by}`;
}

// Photos: text in the page until they are shown; a large page loads on while the first ones are shown

const pending = new Set();

function photo(node, place, words) {
  const source = $(`photo-${place}`);
  // the last photo may still be loading
  if (!source || (!source.nextElementSibling && document.readyState === "loading")) {
    node.replaceChildren(element("span", "none", "loading"));
    pending.add([node, place, words]);
  } else if (source.type === "image/webp") {
    const image = element("img");
    image.alt = words;
    image.decoding = "async";
    image.addEventListener("error", () => node.replaceChildren(element("span", "none", "The photo can't be shown.")));
    image.src = `data:image/webp;base64,${source.textContent}`;
    node.replaceChildren(image);
  } else {
    const why = new TextDecoder().decode(Uint8Array.from(atob(source.textContent), (letter) => letter.charCodeAt(0)));
    node.replaceChildren(drawnTile(why, node.id === "photo"));
    node.title = why;
  }
}

// what stands for a photo that is not there: a frame with hills, struck through
function drawnTile(why, large) {
  const tile = element("div", "none");
  const drawing = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  drawing.setAttribute("viewBox", "0 0 48 36");
  drawing.setAttribute("role", "img");
  drawing.setAttribute("aria-label", `no photo: ${why}`);
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  path.setAttribute("d", "M3 3h42v30H3zM3 27l12-11 9 8 8-7 13 11M34 11a3 3 0 1 0 .1 0M3 33 45 3");
  drawing.append(path);
  tile.append(drawing);
  if (large) tile.append(element("span", "", `No photo: ${why}`));
  return tile;
}

function fillPending() {
  const waiting = [...pending];
  pending.clear();
  for (const [node, place, words] of waiting) if (node.isConnected) photo(node, place, words);
}

// decisions.csv: RFC 4180, every field quoted; where a spreadsheet would take one for a formula, it gets an apostrophe

const COLUMNS = ["id", "decision", "new_label", "new_price", "new_class", "reviewer", "time", "note"];

function csv(reviewer) {
  const lines = [...own].sort(([, one], [, other]) => one.step - other.step).map(([id, decision]) => [
    id, decision.decision, decision.new_label, plainPrice(decision.new_price ?? null), decision.new_class ? "yes" : "",
    decision.reviewer || reviewer, decision.time, notes.get(id) || "",
  ]);
  const quoted = [COLUMNS, ...lines].map((line) => line.map((field) => `"${neutral(field).replaceAll('"', '""')}"`).join(","));
  return `\ufeff${quoted.join("\r\n")}\r\n`;
}

function openSaving() {
  if (!own.size) return say("Nothing has been decided in this page yet.");
  const idle = [...notes].filter(([id, words]) => words && !held(id)).map(([id]) => id);
  const left = idle.length ? ` Not included: notes on listings without a decision (${idle.slice(0, 5).join(", ")}${idle.length > 5 ? ", …" : ""}).` : "";
  $("saving-what").textContent = shown(`${count(own.size, "decision")} of this page, in decisions.csv.${left}`);
  $("saving").showModal();
}

function save() {
  const reviewer = $("reviewer").value.trim();
  try {
    localStorage.setItem("curate reviewer", reviewer);
  } catch {
    // the page has warned already
  }
  const link = element("a");
  link.href = URL.createObjectURL(new Blob([csv(reviewer)], { type: "text/csv" }));
  link.download = "decisions.csv";
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60000);
  keep("saved", (saved = { step: Math.max(saved.step, lastStep()), stale: false }));
  $("saving").close();
  drawProgress();
  say(`Downloaded. Next: ${run.command}`);
}

function take(rows) {
  const [wrong, good, added] = [[], [], []];
  for (const row of rows.filter((row) => row.decision)) {
    const made = asDecision(row, added);
    if (made) good.push({ ...row, made, time: row.time || now() });
    else wrong.push(row);
  }
  let taken = 0;
  for (const row of good.sort((one, other) => when(one) - when(other))) {
    const decision = held(row.id);
    if (decision && when(decision) >= when(row)) continue;
    record([[row.id, row.made]], { reviewer: row.reviewer || "", time: row.time });
    if (row.note) notes.set(row.id, row.note) && keep(`note ${row.id}`, row.note);
    taken++;
  }
  const parts = [`${count(taken, "decision")} imported`, `${good.length - taken} already here or older`];
  if (wrong.length) parts.push(`${wrong.length} ${wrong.length === 1 ? "does" : "do"} not fit this page (${wrong.slice(0, 3).map((row) => row.id).join(", ")})`);
  refresh();
  say(`${parts.join("; ")}.`);
}

async function importFile(file) {
  try {
    take(readCsv(await file.arrayBuffer()));
  } catch (error) {
    say(`${file.name} can't be read: ${error.message}.`);
  }
}

// Keys and buttons

const DO = {
  keep: keepLabel, accept, relabel: openClasses, fits, price: openPrice, several: () => decide("ambiguous"),
  delete: () => decide("delete"), only, undo,
  note: () => $("note").focus(), next: () => move(1), previous: () => move(-1),
  search: () => $("search").focus(), help: () => $("keys").showModal(),
};
const KEYS = {
  k: "keep", a: "accept", e: "relabel", f: "fits", p: "price", s: "several", d: "delete", o: "only", u: "undo",
  n: "note", j: "next", J: "previous",
  ArrowRight: "next", ArrowDown: "next", ArrowLeft: "previous", ArrowUp: "previous", "/": "search", "?": "help",
};

function key(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
  if (/^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName)) {
    if (event.key === "Escape" || (event.key === "Enter" && event.target.tagName === "INPUT")) $("card").focus();
    return;
  }
  // with caps lock on, K is k
  const letter = event.key.length === 1 && !event.shiftKey ? event.key.toLowerCase() : event.key;
  const action = KEYS[letter];
  // a key that is held down must not decide on the next listings
  if (!action || (event.repeat && action !== "next" && action !== "previous")) return;
  event.preventDefault();
  DO[action]();
}

function refresh() {
  filter();
  drawProgress();
  drawCard();
  showRow();
}

function fillFilters() {
  const option = (value, text) => Object.assign(element("option", "", text), { value });
  const count = (name) => queue.filter((listing) => listing.issues.includes(name)).length;
  $("kind").append(option("", "all kinds"), ...data.kinds.map(({ name, title }) => option(name, `${title} (${count(name)})`)));
}

function listen() {
  document.addEventListener("keydown", key);
  for (const button of document.querySelectorAll("[data-do]")) button.addEventListener("click", () => DO[button.dataset.do]());
  for (const name of ["kind", "state", "search"]) {
    $(name).addEventListener("input", () => {
      filter();
      showRow();
      if (filtered.length && !filtered.includes(current)) go(filtered[0]);
    });
  }
  for (const list of document.querySelectorAll("select")) {
    // after a choice with the mouse, the next key is for the listing again
    list.addEventListener("pointerdown", () => (list.dataset.mouse = "yes"));
    list.addEventListener("change", () => list.dataset.mouse && delete list.dataset.mouse && $("card").focus());
  }
  $("list").addEventListener("scroll", drawRows, { passive: true });
  window.addEventListener("resize", drawRows);
  $("note").maxLength = data.max_note;
  $("note").addEventListener("input", writeNote);
  $("class-filter").addEventListener("input", drawClasses);
  $("class-filter").addEventListener("keydown", classKey);
  $("add-class").addEventListener("click", addClass);
  $("new-price").addEventListener("input", drawTyped);
  $("new-price").addEventListener("keydown", (event) => event.key === "Enter" && setPrice());
  $("set-price").addEventListener("click", setPrice);
  $("help").addEventListener("click", DO.help);
  $("download").addEventListener("click", openSaving);
  $("save").addEventListener("click", save);
  $("reviewer").addEventListener("keydown", (event) => event.key === "Enter" && save());
  $("import").addEventListener("click", () => $("import-file").click());
  $("import-file").addEventListener("change", ({ target }) => {
    if (target.files.length) importFile(target.files[0]);
    target.value = "";
  });
  $("open-queue").addEventListener("click", () => {
    const open = document.body.classList.toggle("show-queue");
    $("open-queue").setAttribute("aria-expanded", String(open));
    showRow();
  });
  for (const button of document.querySelectorAll("[data-close]")) button.addEventListener("click", () => button.closest("dialog").close());
  for (const dialog of document.querySelectorAll("dialog")) dialog.addEventListener("close", () => $("card").focus());
  window.addEventListener("beforeunload", (event) => {
    if (!isFresh()) return;
    event.preventDefault();
    event.returnValue = "";
  });
  window.addEventListener("storage", (event) => {
    // another window of this page decided
    if (event.key && event.key.startsWith(run.key)) load(), refresh();
  });
}

function start() {
  load();
  keep("opened", now()); // warns at once if nothing can be stored
  fillFilters();
  listen();
  $("command").textContent = run.command;
  try {
    $("reviewer").value = run.reviewer || localStorage.getItem("curate reviewer") || "";
  } catch {
    $("reviewer").value = run.reviewer;
  }
  current = Math.max(0, queue.findIndex((listing) => !held(listing.id)));
  refresh();
  $("card").focus();
  if (document.readyState !== "loading") return;
  const waiting = setInterval(fillPending, 200);
  document.addEventListener("DOMContentLoaded", () => {
    clearInterval(waiting);
    fillPending();
  });
}

start();
