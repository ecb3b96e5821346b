// Everything from the listings goes in as text (textContent), never as markup.

const data = JSON.parse(document.getElementById("data").textContent);
const run = data.run;
const queue = data.listings; // to decide on; the others are shown beside them
const every = queue.concat(data.others);
const places = new Map(every.map((listing, place) => [listing.id, place]));
const WORDS = { keep: "kept", relabel: "relabelled", delete: "deleted" };
const MARKS = { keep: "✓", relabel: "→", delete: "✕" };
const TITLES = new Map(data.kinds.map((kind) => [kind.name, kind.title]));
const AHEAD = 20; // listings that the hint to stop looks ahead
const ROW = 62; // height of a row of the queue in pixels, as in the style

const $ = (id) => document.getElementById(id);

function element(tag, name, text) {
  const made = document.createElement(tag);
  if (name) made.className = name;
  if (text !== undefined) made.textContent = text;
  return made;
}

function say(text) {
  $("message").textContent = text;
  clearTimeout(say.timer);
  say.timer = setTimeout(() => ($("message").textContent = ""), 5000);
}

function warn(text) {
  $("warning").textContent = text;
  $("warning").hidden = false;
}

// Storage: each decision has its own key, so that two windows do not overwrite each other's decisions.

const own = new Map(); // id -> {decision, new_label, reviewer, time, step, before}
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
  for (const [id, decision, label] of changes) {
    const before = own.get(id) || null;
    put(id, { decision, new_label: label || "", reviewer: "", time: now(), step, before, ...more });
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

function decide(decision, label) {
  const id = queue[current].id;
  record([[id, decision, label]]);
  advance(`${id} ${WORDS[decision]}${label ? ` as ${label}` : ""}.`);
}

function accept() {
  const { given, suggested } = queue[current];
  if (!suggested || suggested === given) say("Nothing is suggested here: k keeps, e relabels, d deletes.");
  else decide("relabel", suggested);
}

function only() {
  const listing = queue[current];
  if (!listing.reposts.length) return say("This listing has no reposts.");
  const mine = held(listing.id);
  const others = listing.reposts.map((place) => every[place].id);
  const stays = mine && mine.decision === "relabel" ? ["relabel", mine.new_label] : ["keep", ""];
  record([[listing.id, ...stays], ...others.map((id) => [id, "delete", ""])]);
  advance(`${listing.id} kept, ${others.join(", ")} deleted.`);
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
  return `${WORDS[decision.decision]}${decision.new_label ? ` as ${decision.new_label}` : ""}${by}`;
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
    node.replaceChildren(element("span", "none", node.id === "photo" ? `No photo: ${why}` : "no photo"));
    node.title = why;
  }
}

function fillPending() {
  const waiting = [...pending];
  pending.clear();
  for (const [node, place, words] of waiting) if (node.isConnected) photo(node, place, words);
}

// decisions.csv: RFC 4180, every field quoted and unchanged, so that ids match again

const COLUMNS = ["id", "decision", "new_label", "reviewer", "time", "note"];

function csv(reviewer) {
  const lines = [...own].sort(([, one], [, other]) => one.step - other.step).map(([id, decision]) => [
    id, decision.decision, decision.new_label, decision.reviewer || reviewer, decision.time, notes.get(id) || "",
  ]);
  const quoted = [COLUMNS, ...lines].map((line) => line.map((field) => `"${field.replaceAll('"', '""')}"`).join(","));
  return `\ufeff${quoted.join("\r\n")}\r\n`;
}

function openSaving() {
  if (!own.size) return say("Nothing has been decided in this page yet.");
  const idle = [...notes].filter(([id, words]) => words && !held(id)).map(([id]) => id);
  const left = idle.length ? ` Not included: notes on listings without a decision (${idle.slice(0, 5).join(", ")}${idle.length > 5 ? ", …" : ""}).` : "";
  $("saving-what").textContent = `${count(own.size, "decision")} of this page, in decisions.csv.${left}`;
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

function parse(text, delimiter) {
  const [lines, pattern] = [[[]], new RegExp(`(?:"((?:[^"]|"")*)"|([^"${delimiter}\\r\\n]*))(${delimiter}|\\r?\\n|\\r|$)`, "y")];
  while (pattern.lastIndex < text.length) {
    const match = pattern.exec(text);
    if (!match) throw new Error("a quote is not closed");
    lines.at(-1).push(match[1] === undefined ? match[2] : match[1].replaceAll('""', '"'));
    if (match[3] && match[3] !== delimiter) lines.push([]);
  }
  return lines.filter((line) => line.some((field) => field.trim()));
}

function readCsv(content) {
  const bytes = new Uint8Array(content);
  const wide = { 65534: "utf-16le", 65279: "utf-16be" }[bytes[0] * 256 + bytes[1]];
  const text = new TextDecoder(wide || "utf-8").decode(content);
  for (const delimiter of [",", ";", "\t"]) {
    const [header, ...lines] = parse(text, delimiter);
    const names = (header || []).map((name) => name.trim());
    if (!names.includes("id") || !names.includes("decision")) continue;
    return lines.map((line) => Object.fromEntries(names.map((name, at) => [name, (line[at] || "").trim()])));
  }
  throw new Error("it has no columns id and decision");
}

function fits(row) {
  const action = row.decision.toLowerCase();
  if (!places.has(row.id) || !Object.hasOwn(WORDS, action)) return false;
  return action !== "relabel" || data.classes.includes(row.new_label);
}

function take(rows) {
  const wrong = rows.filter((row) => row.decision && !fits(row));
  const good = rows.filter((row) => row.decision && fits(row)).map((row) => ({ ...row, time: row.time || now() }));
  let taken = 0;
  for (const row of good.sort((one, other) => when(one) - when(other))) {
    const decision = held(row.id);
    if (decision && when(decision) >= when(row)) continue;
    const action = row.decision.toLowerCase();
    record([[row.id, action, action === "relabel" ? row.new_label : ""]], { reviewer: row.reviewer || "", time: row.time });
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
  keep: () => decide("keep"), accept, relabel: openClasses, delete: () => decide("delete"), only, undo,
  note: () => $("note").focus(), next: () => move(1), previous: () => move(-1),
  search: () => $("search").focus(), help: () => $("keys").showModal(),
};
const KEYS = {
  k: "keep", a: "accept", e: "relabel", d: "delete", o: "only", u: "undo", n: "note", j: "next", J: "previous",
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
  $("note").addEventListener("input", writeNote);
  $("class-filter").addEventListener("input", drawClasses);
  $("class-filter").addEventListener("keydown", classKey);
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
