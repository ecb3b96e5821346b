// FiftyOne takes half a second to open a photo. So a decision is sent, and the card and the photo of the next listing,
// which were loaded ahead, stand at once. FiftyOne opens that photo when all is written and no key has come for a
// moment.
const PAUSE = 250;
// milliseconds without keys after the App has moved by itself, so that no key hits a listing that it was not meant for
const DEAF = 700;
// decisions that may wait to be written
const MOST = 8;
// milliseconds in which FiftyOne opens the photo that an arrow asks for; at the end of the view it opens none
const MOVES = 1500;
// milliseconds in which a form, or a photo that the server opens, appears
const ANSWER = 15000;
// milliseconds in which FiftyOne draws a photo that it has opened
const PATIENCE = 4000;
// milliseconds after which what comes next is asked again: a colleague may have decided on it
const FRESH = 5000;

const open = {
  opened: null, // the sample that FiftyOne has open
  ahead: null, // the one that is shown before FiftyOne has it open
  asked: null, // the one that FiftyOne was asked to open
  goTo: null, // asks it, unless the photo was closed meanwhile
  next: null, // those that come after the one that is shown; null if they are not known
  cards: new Map(), // by sample
  photos: new Map(), // by path
  drawn: null, // the file that FiftyOne's viewer has drawn last
  decided: new Set(), // samples that were decided on here
  outbox: [], // decisions that are not known to be written, the first is under way
  key: null, // an action that waits until it is known what comes next
  waiting: null, // an action that waits until all is written and FiftyOne shows what we show
  pending: null, // what was asked for and is not on the screen yet; keys that come before it are not recorded
  ended: null, // the last one of the view, once it is decided: further keys were not meant for it
  deafUntil: 0,
};

const shown = () => open.ahead ?? open.opened;
const draw = () => window.dispatchEvent(new Event("curate:drawn"));

// Actions that decide on the listing with no more words from the server, and on which cards.
const AT_ONCE = {
  keep: (card) => card.given != null,
  accept: (card) => card.suggested && card.suggested !== card.given,
  reprice: (card) => card.suggested_price != null,
  ambiguous: () => true,
  delete: () => true,
};

function act(name, isKey = false) {
  if (open.waiting || open.pending || open.outbox.length >= MOST || performance.now() < open.deafUntil) return;
  // without a card, FiftyOne alone knows which photo is open
  if (!isPhotoOpen() && open.opened === null) return isForm(name) ? ask(name) : run(name);
  const card = open.cards.get(shown());
  if (!card || !card.id) return; // the card on the screen is that of another listing
  // the key before waits for what comes next: nobody sees yet what another one would decide on, but an undo takes that
  // one back, and a form shows what it is about
  if (open.key) return name === "undo" || isForm(name) ? whenQuiet(() => act(name)) : null;
  if (isKey && open.ended === shown() && !["undo", "ask_note"].includes(name)) return tell("This was the last one. To change it, press u first.");
  if (isForm(name)) whenQuiet(() => ask(name, shown()));
  else if (!AT_ONCE[name] || !AT_ONCE[name](card) || !isExploring()) askServer(name, card);
  else if (!open.next) open.key = name;
  else decide(name);
}

const isForm = (name) => name.startsWith("ask_");
const tell = (message) => executeOperator("@voxel51/operators/notify", { message, variant: "warning" });

// No key counts until the screen shows what was asked for.
function wait(sample, time = ANSWER) {
  const pending = (open.pending = { sample });
  setTimeout(() => settle(pending), time);
  return pending;
}

function settle(pending) {
  if (open.pending === pending) open.pending = null;
}

// The form is about what is shown when its key is pressed.
function ask(name, about = null) {
  const pending = wait(FORM);
  // the answer opens the form; where there was none, none will come
  run(name, about ? { about } : {}, (result) => result.asked || settle(pending));
}

// An undo takes back what the card showed when its key was pressed.
function askServer(name, card) {
  const about = shown();
  const { reviewer, time } = (WORDS[card.decision?.action] && card.decision) || {};
  const seen = name === "undo" ? { seen: time ? [reviewer, time] : [] } : {};
  whenQuiet(() => {
    const pending = wait(null);
    run(name, { about, ...seen }, ({ changed, opens }) => {
      if (changed && !opens) open.ended = about;
      if (name === "undo" && changed) {
        open.ended = null;
        open.cards.delete(opens || about);
        if (!opens) load();
      }
      if (!opens || opens === open.opened) settle(pending);
      else pending.sample = opens;
      if (opens && opens === open.opened) load();
    });
  });
}

function decide(name) {
  const next = open.next.filter((sample) => !open.decided.has(sample));
  // after the last one, FiftyOne shows what was decided
  if (!next.length) return askServer(name, open.cards.get(shown()));
  write(name, shown());
  show(next[0], next.slice(1));
}

function write(name, sample) {
  open.decided.add(sample);
  open.outbox.push({ name, sample });
  if (open.outbox.length === 1) post();
}

function post() {
  const [{ name, sample }] = open.outbox;
  executeOperator(`${PLUGIN}/${name}`, { sample }, { callback: ({ result }) => posted(Boolean(result && result.changed)) });
}

// What could not be written comes back; the keys that followed are not recorded, either.
function posted(isWritten) {
  const [{ sample }] = open.outbox;
  if (isWritten) {
    open.outbox.shift();
    isStale = true;
    if (open.outbox.length) post();
    else if (!isPhotoOpen()) showGrid();
    else if (open.waiting) quiet();
    else followSoon();
    return;
  }
  for (const each of open.outbox.splice(0)) open.decided.delete(each.sample);
  open.waiting = null;
  open.deafUntil = performance.now() + DEAF;
  if (open.opened !== null) show(sample, null);
}

window.addEventListener("beforeunload", (event) => open.outbox.length && event.preventDefault());

// Shows a photo before FiftyOne opens it.
function show(sample, next) {
  open.ahead = sample === open.opened && !open.asked ? null : sample;
  if (!open.ahead) COVER.remove();
  open.next = next && next.length ? next : null;
  open.key = null;
  followSoon();
  // before the next key, which is for what it shows
  window.ReactDOM.flushSync(draw);
  clearTimeout(open.loading);
  if (open.next) open.loading = setTimeout(load, PAUSE / 2);
  else load();
}

function followSoon() {
  clearTimeout(open.timer);
  // opening a photo would hold up what is being written
  if (open.ahead && !open.outbox.length) open.timer = setTimeout(follow, PAUSE);
}

// Lets FiftyOne open what is shown.
function follow() {
  clearTimeout(open.timer);
  if (!open.ahead || open.asked || !open.goTo) return;
  open.asked = open.ahead;
  open.goTo(open.ahead);
}

// FiftyOne has opened a sample, or closed it: because it was asked, or because the person or the server wants it.
function opened(sample) {
  const isAsked = sample !== null && sample === open.asked;
  // a key that waits for what comes next counts, though the photo was closed meanwhile
  if (!isAsked && open.key) write(open.key, shown());
  open.opened = sample;
  open.asked = null;
  if (!isAsked) open.ended = null;
  if (!isAsked && open.pending?.sample !== FORM) open.pending = null;
  if (!isAsked || sample === open.ahead) open.ahead = null;
  if (sample === null) open.cards.clear();
  if (!isAsked) {
    COVER.remove();
    open.next = open.key = open.waiting = null;
    open.decided.delete(sample);
  }
  followSoon();
  draw();
  if (isAsked && !open.ahead) {
    uncover();
    // where FiftyOne can't draw the photo, it says why
    open.uncovering = setTimeout(() => COVER.remove(), PATIENCE);
  }
  if (!isAsked && sample !== null) load();
  quiet();
}

function whenQuiet(action) {
  open.waiting = action;
  quiet();
}

function quiet() {
  if (!open.waiting || open.key || open.outbox.length) return;
  if (open.ahead) return follow();
  const action = open.waiting;
  open.waiting = null;
  action();
}

// Loads the card of the photo that is shown, and those that come next.
function load() {
  clearTimeout(open.loading);
  const sample = shown();
  if (sample === null) return;
  const ask = (params) =>
    executeOperator(`${PLUGIN}/show_card`, { sample, ...params }, { callback: ({ result }) => take(sample, result || {}) });
  // reading the order of a large view takes longer than the card
  if (!open.cards.has(sample)) ask({});
  ask({ following: true });
}

function take(sample, { following, ...card }) {
  if (sample !== shown()) return;
  // where the server could not read it, the card on the screen stays
  if (card.id || !open.cards.has(sample)) open.cards.set(sample, card);
  if (following || !card.id) {
    const next = (following || []).filter((each) => !open.decided.has(each.sample));
    open.next = next.map((each) => each.sample);
    for (const each of next) open.cards.set(each.sample, each);
    loadAhead(next);
    clearTimeout(open.loading);
    open.loading = setTimeout(load, FRESH);
    const { key } = open;
    open.key = null;
    if (key) decide(key);
    else draw();
  } else draw();
}

function loadAhead(cards) {
  const kept = new Map();
  for (const { photo: path } of [open.cards.get(shown()), ...cards].filter((card) => card && card.photo)) {
    const image = open.photos.get(path) || new Image();
    if (!image.src) image.src = photo(path);
    kept.set(path, image);
  }
  open.photos = kept;
  for (const { photo: path } of [...(cards[0]?.like_given ?? []), ...(cards[0]?.like_suggested ?? [])]) new Image().src = photo(path);
}

const COVER = document.createElement("div");
COVER.dataset.curate = "photo";
Object.assign(COVER.style, { position: "absolute", inset: 0, zIndex: 10, background: "var(--fo-palette-background-level2)" });
const FILLS = { width: "100%", height: "100%", objectFit: "contain" };

// Lays the photo of the card over FiftyOne's, until that is the same.
function cover() {
  document.body.classList.toggle("curate-ahead", Boolean(open.ahead));
  const card = open.ahead && open.cards.get(open.ahead);
  const place = card && document.querySelector("[data-cy=panel-content-fo-sample-modal-plugin]");
  if (!place) return;
  const image = open.photos.get(card.photo) || Object.assign(new Image(), { src: photo(card.photo) });
  Object.assign(image.style, FILLS);
  COVER.dataset.photo = plain(card.photo);
  clearTimeout(open.uncovering);
  COVER.replaceChildren(image);
  if (COVER.parentElement !== place) place.append(COVER);
}

// FiftyOne writes some paths without needless parts
const plain = (path) => {
  const parts = [];
  for (const part of path.split("/")) part === ".." ? parts.pop() : ["", "."].includes(part) || parts.push(part);
  return parts.join("/");
};

document.addEventListener("canvas-loaded", ({ target, detail }) => {
  if (!target.closest("#modal")) return;
  open.drawn = plain(detail.sampleFilepath);
  uncover();
});

function uncover() {
  if (!open.ahead && open.drawn === COVER.dataset.photo) COVER.remove();
}
