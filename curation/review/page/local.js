
// The store of a page that is a file: decisions stay in this browser until they are downloaded.
// Each decision has its own key, so that two windows do not overwrite each other's decisions.

const every = data.listings.concat(data.others); // to decide on; the others are shown beside them
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
  for (const id of index.places.keys()) index.decided(id, heldHere(id));
}

const heldHere = (id) => own.get(id) || (Object.hasOwn(data.decided, id) ? data.decided[id] : null);
const lastStep = () => Math.max(0, ...[...own.values()].map((decision) => decision.step));
const unsaved = () => [...own.values()].filter((decision) => decision.step > saved.step).length;
const isFresh = () => saved.stale || unsaved() > 0;

function put(id, decision) {
  if (decision) own.set(id, decision);
  else own.delete(id);
  index.decided(id, heldHere(id));
  keep(`decision ${id}`, decision || null);
}

function recordHere(changes, more = {}) {
  const step = Math.max(lastStep(), saved.step) + 1;
  for (const [id, made] of changes) {
    const before = own.get(id) || null;
    const { decision, new_label = "", new_price = null, new_class = false } = made;
    put(id, { decision, new_label, new_price, new_class, reviewer: "", time: now(), step, before, ...more });
  }
}

function undoHere() {
  const step = lastStep();
  const last = [...own].filter(([, decision]) => decision.step === step);
  if (!last.length) return [];
  if (step <= saved.step) keep("saved", (saved = { ...saved, stale: true }));
  for (const [id, decision] of last) put(id, decision.before);
  return last.map(([id]) => id);
}

function setNote(id, words) {
  notes.set(id, words);
  keep(`note ${id}`, words);
  if (own.has(id)) keep("saved", (saved = { ...saved, stale: true }));
}

// Photos: text in the page until they are shown; a large page loads on while the first ones are shown

const pending = new Set();

function photoHere(node, place, words) {
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

function fillPending() {
  const waiting = [...pending];
  pending.clear();
  for (const [node, place, words] of waiting) if (node.isConnected) photoHere(node, place, words);
}

function listenHere() {
  $("download").addEventListener("click", openSaving);
  $("save").addEventListener("click", save);
  $("reviewer").addEventListener("keydown", (event) => event.key === "Enter" && save());
  $("import").addEventListener("click", () => $("import-file").click());
  $("import-file").addEventListener("change", ({ target }) => {
    if (target.files.length) importFile(target.files[0]);
    target.value = "";
  });
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

function openHere() {
  data.listings.forEach(({ id, issues, worth }, place) => {
    index.put(place, id, data.kinds.reduce((bits, { name }, bit) => (issues.includes(name) ? bits | (1 << bit) : bits), 0), worth);
  });
  load();
  keep("opened", now()); // warns at once if nothing can be stored
  $("command").textContent = run.command;
  try {
    $("reviewer").value = run.reviewer || localStorage.getItem("curate reviewer") || "";
  } catch {
    $("reviewer").value = run.reviewer;
  }
  if (document.readyState !== "loading") return;
  const waiting = setInterval(fillPending, 200);
  document.addEventListener("DOMContentLoaded", () => {
    clearInterval(waiting);
    fillPending();
  });
}

function drawFresh() {
  const fresh = unsaved();
  $("fresh").textContent = fresh ? ` (${fresh} new)` : isFresh() ? " (changed)" : "";
}

const index = new Index(data.listings.length);
const placesHere = new Map(every.map((listing, place) => [listing.id, place]));

const store = {
  index,
  noteEvent: "input",
  busy: null, // a promise while keys must wait
  open: openHere,
  listen: listenHere,
  start: () => Math.max(0, index.actions.indexOf(0)),
  listing: (place) => data.listings[place], // null while it is loaded
  row: (place) => data.listings[place],
  beside: (place) => ({ ...every[place], place: place < index.size ? place : -1, photo: place }),
  find: (words) => (place) => `${index.ids[place]}\n${data.listings[place].title || ""}`.toLowerCase().includes(words),
  held: heldHere,
  drawWords: () => {}, // one person decides here
  isElsewhere: () => false,
  inConflict: () => false,
  isPending: () => false,
  note: (id) => notes.get(id) || "",
  setNote,
  added: () => [...data.added, ...[...own.values()].filter((decision) => decision.new_class).map((decision) => decision.new_label)],
  record: (changes) => recordHere(changes.map(([id, made]) => [id, made])), // a promise if it takes time
  undo: undoHere, // the listings, or a promise of them
  photo: (node, listing, words) => photoHere(node, listing.photo ?? placesHere.get(listing.id), words),
  forget: () => pending.clear(),
  ahead: () => {}, // what will be shown next
  order: () => index.order, // the places in the order that was chosen, maybe only some of them
  rank: (place) => index.rank[place], // where a place is in that order
  narrowed: () => {}, // what passes the filters has changed
  single: () => {}, // one listing is shown by itself
  does: () => null, // what an action does instead, while many listings are shown
  key: () => false, // whether a key was for them
  drawState: drawFresh,
};
