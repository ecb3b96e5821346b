
// The store of a live page: the server has the queue and the journal. What was decided anywhere comes as news.

const POLL = 1000; // milliseconds between two looks for news
const CARDS = 300; // cards and rows that are kept
const PICTURES = 32;
const PAUSE = 80; // milliseconds that a listing stands before the small photos beside it are asked for

const index = new Index(data.places);
index.arrange(data.order);
const states = new Map(); // id -> what the journal says: {decision, new_label, ..., note}; decision is null where only a note is
const added = new Set(data.added);
const loaded = new Int32Array(data.places).fill(-1); // the number of the event that a place is as of; -1: not loaded

// What a listing shows: its card, and its row in the list. Missing ones are asked for, several at a time.
class Fetched {
  constructor(path, most, came) {
    Object.assign(this, { path, most, came, kept: new Map(), wanted: new Set(), asked: new Set() });
  }

  get(place) {
    const found = this.kept.get(place);
    if (found) this.kept.delete(place), this.kept.set(place, found); // the one that is dropped last
    else this.want([place]);
    return found || null;
  }

  want(places) {
    const missing = places.filter((place) => !this.kept.has(place) && !this.asked.has(place));
    if (!missing.length) return;
    if (!this.wanted.size) queueMicrotask(() => this.load());
    for (const place of missing) this.wanted.add(place);
  }

  async load() {
    const places = [...this.wanted].slice(0, this.most);
    for (const place of places) this.wanted.delete(place), this.asked.add(place);
    if (this.wanted.size) queueMicrotask(() => this.load());
    try {
      const came = await ask(`${this.path}?places=${places.join(",")}`);
      for (const place of places) this.asked.delete(place);
      for (const [place, content] of Object.entries(came)) this.put(Number(place), content);
      this.came(places);
    } catch {
      for (const place of places) this.asked.delete(place);
      setTimeout(() => this.came([]), RETRY); // the news say what is wrong; whoever still wants it asks again
    }
  }

  put(place, content) {
    if (content.learnt < news.learnt) return; // asked for before the decisions taught something else
    this.kept.set(place, content);
    if (this.kept.size > CARDS) this.kept.delete(this.kept.keys().next().value);
  }
}

const cards = new Fetched("/cards", 20, (places) => {
  if (places.includes(current) || (!places.length && !cards.kept.has(current))) drawCard();
  for (const place of places) picture(index.ids[place]);
});
const rowsOf = new Fetched("/rows", 100, (places) => {
  redrawRows(places.length ? places : store.inSight || []);
  if (map.on) drawTip();
});

// Photos: those of the next listings are there before they are shown

const pictures = new Map(); // id -> image

const address = (id, large) => `/photo?id=${encodeURIComponent(id)}&side=${large ? 480 : 160}`;

function picture(id) {
  if (!id || pictures.has(id)) return pictures.get(id);
  const image = new Image();
  image.fetchPriority = "high"; // before the small ones
  image.src = address(id, true);
  pictures.set(id, image);
  if (pictures.size > PICTURES) pictures.delete(pictures.keys().next().value);
  return image;
}

function showPhoto(node, { id }, words, large) {
  if (!id) return node.replaceChildren(element("span", "none", "loading"));
  const image = large ? picture(id) : new Image();
  image.alt = words;
  image.decoding = large ? "sync" : "async";
  image.onerror = () => whyNot(node, image, id, large);
  node.removeAttribute("title");
  node.replaceChildren(image);
  if (!large) askSmall(image, address(id, false));
  // it failed before it was shown
  if (large && image.complete && !image.naturalWidth) image.onerror();
}

const smallOnes = new Set(); // small photos that the browser has

// who decides fast does not wait for what is beside the listing
function askSmall(image, src) {
  image.fetchPriority = "low";
  image.onload = () => smallOnes.add(src);
  if (smallOnes.has(src)) image.src = src;
  else setTimeout(() => image.isConnected && (image.src = src), PAUSE);
}

async function whyNot(node, image, id, large) {
  pictures.delete(id); // the next time, it may be there
  let why = "it can't be shown";
  try {
    const answer = await fetch(address(id, large));
    if (answer.status === 404) why = await answer.text();
  } catch {
    why = "the server does not answer";
  }
  if (image.parentNode !== node) return;
  node.replaceChildren(drawnTile(why, large));
  node.title = why;
}

// News: what was decided, by whomever and wherever, since the last look

const news = {
  session: data.session,
  seq: data.seq,
  said: data.said, // what is wrong with the journal
  learnt: data.learnt, // the order and the suggestions that the page shows, counted by the server
  latest: data.latest, // the key of this reviewer's latest click
  problem: "",
  touched: new Set(), // listings whose state on the screen may be an old one

  take(answer) {
    if (answer.session === undefined) return;
    stamp.heard(answer.now);
    this.said = answer.said;
    this.latest = answer.latest;
    if (answer.reset) {
      // another process, or very many changes: everything is loaded again
      [this.session, this.seq] = [answer.session, answer.seq];
      this.learnt = -1; // whatever it has
      reorder();
      return;
    }
    this.seq = answer.seq;
    for (const [id, state] of Object.entries(answer.changed)) keepState(id, state), this.touched.add(id);
    if (data.blind) showAgain(Object.keys(answer.changed));
    this.show();
    heard(answer);
  },

  show() {
    if (!this.touched.size) return;
    for (const id of this.touched) index.decided(id, store.held(id));
    const isHere = this.touched.has(index.ids[current]);
    drawTiles();
    this.touched.clear();
    drawProgress();
    drawRows();
    mapChanged();
    if (isHere) drawStanding();
  },

  async look() {
    try {
      const { session, seq } = this;
      const answer = await ask(`/changes?session=${session}&since=${seq}&shown=${onScreen().join(",")}`);
      if (this.seq === seq && this.session === session) this.take(answer); // otherwise, a step has brought it
      this.problem = "";
    } catch (error) {
      this.problem = error.message;
    }
    drawTrouble();
    setTimeout(() => this.look(), POLL);
  },
};

function keepState(id, state) {
  if (state.decision || state.note || state.mark) states.set(id, state);
  else states.delete(id);
  if (state.time) stamp.saw(state.time);
  if (state.new_class) added.add(state.new_label);
}

// what nobody else is to be offered: the listing that is open, or the tiles of the grid
const onScreen = () => (grids.on ? grids.here?.tiles.map(({ place }) => place) || [] : index.size ? [current] : []);

// undecided listings on the screens of other reviewers
let elsewhere = new Set(data.elsewhere);

function keepElsewhere(places) {
  elsewhere = new Set(places);
  // what was the last one left is free again
  if (store.isWaiting && !grids.on && following(1).length) advance("");
}

// somebody else may have decided on the listing that is open
function drawStanding() {
  const listing = store.listing(current);
  if (!listing) return;
  drawDecided(listing.id);
  drawPrice(listing);
  if (document.activeElement !== $("note")) $("note").value = store.note(listing.id);
}

// The queue comes in pieces: the one around the first listing with the page, the others behind it

function keepPiece({ places, ids, kinds, worth, states: said, seq }) {
  ids.forEach((id, number) => {
    const place = places[number];
    if (loaded[place] > seq) return;
    loaded[place] = seq;
    index.put(place, id, kinds[number], worth[number]);
    // an event that came later than the piece was made says more
    if (seq >= news.seq || !states.has(id)) keepState(id, said[id] || { decision: null, note: "" });
    index.decided(id, store.held(id));
  });
}

const isLoaded = () => index.order.every((place) => loaded[place] >= 0);

let loading = false;

async function loadPieces() {
  const missing = () => index.order.findIndex((place) => loaded[place] < 0);
  if (loading || missing() < 0) return;
  loading = true;
  for (let from = missing(); from >= 0; from = missing()) {
    try {
      const since = news.seq;
      const piece = await ask(`/queue?from=${from}`);
      if (!piece.ids.length || piece.learnt > news.learnt) break; // of the next order, which is asked for
      if (piece.learnt < news.learnt) continue;
      if (news.seq !== since) continue; // something was decided meanwhile: once more
      keepPiece(piece);
    } catch {
      await new Promise((done) => setTimeout(done, RETRY));
    }
  }
  loading = false;
  countKinds();
  refresh();
  drawTiles();
  mapChanged();
}

// Search: the server has the titles

const finding = { words: "", places: null };

function find(words) {
  if (finding.words === words && finding.places) return (place) => finding.places.has(place);
  if (finding.words !== words) {
    finding.words = words;
    finding.places = null;
    ask(`/find?words=${encodeURIComponent(words)}`).then(
      (places) => {
        if (finding.words !== words) return;
        finding.places = new Set(places);
        narrowed();
      },
      () => (finding.words = ""),
    );
  }
  return () => false;
}

// What is decided goes out at once, and is shown as "…" until it is in the journal

function record(changes, keptOfReposts) {
  const parts = keptOfReposts
    ? [{ shown: suggestedOn(keptOfReposts), ids: [keptOfReposts], action: "only", saw: marks(changes.map(([id]) => id)) }]
    : changes.map(([id, , { decision, new_label, new_price, new_class, alone }]) => ({
        ids: [id],
        action: decision,
        label: new_label || null,
        price: new_price ?? null,
        new_class: Boolean(new_class),
        alone: Boolean(alone),
        shown: suggestedOn(id),
        saw: marks([id]),
      }));
  const shows = changes.map(([id, { decision, new_label = "", new_price = null, new_class = false }]) => [
    id,
    { decision, new_label, new_price, new_class, reviewer: run.reviewer, note: store.note(id) },
  ]);
  const saved = outbox.add(parts, shows);
  for (const [id, made] of shows) {
    if (made.new_class) added.add(made.new_label);
    index.decided(id, store.held(id));
  }
  return saved;
}

// what others had said of listings, as the page shows it
const marks = (ids) => Object.fromEntries(ids.map((id) => [id, states.get(id)?.mark]).filter(([, mark]) => mark));

// which decisions settle a conflict: one on the label leaves two prices open, and a price two labels
function whatSettles(words, { given, suggested, fits } = {}) {
  const without = [given === null && "k", (!suggested || suggested === given) && "a", fits === null && "f"];
  const keys = (names) => names.split(" ").filter((name) => !without.includes(name)).map(named).join(", ");
  const labels = new Set(words.filter(({ decision }) => decision !== "delete" && decision !== "reprice").map(({ decision, new_label }) => `${decision} ${new_label || ""}`));
  const prices = new Set(words.map(({ new_price }) => new_price ?? null).filter((price) => price !== null));
  if (labels.size > 1 && prices.size > 1) return `Reviewers disagree on the label and on the price: ${named("k")} or ${named("d")} settles both, another one only one of them.`;
  if (labels.size > 1) return `Reviewers disagree on the label: ${keys("k a e s")} or ${named("d")} settles it, a price does not.`;
  if (prices.size > 1) return `Reviewers disagree on the price: ${keys("f p k")} or ${named("d")} settles it, another label does not.`;
  return "Reviewers disagree: your decision settles it.";
}

// each reviewer's word on a listing, where there are several
function drawWords(id) {
  const { words, conflict } = states.get(id) || {};
  $("words").hidden = !words;
  if (!words) return;
  $("words").className = conflict ? "conflict" : "";
  const lines = words.map((word) => element("li", "", `${word.reviewer}: ${inWords({ ...word, reviewer: "" })}${word.note ? ` (${word.note})` : ""}`));
  $("words").replaceChildren(element("p", "", conflict ? whatSettles(words, cards.get(index.places.get(id)) || {}) : "Reviewers agree."), ...lines);
}

function drawSending() {
  const waiting = outbox.steps.length;
  // what takes no longer than a moment is not worth a word
  clearTimeout(drawSending.timer);
  if (!waiting) $("sending").textContent = "saved";
  else drawSending.timer = setTimeout(() => ($("sending").textContent = `saving ${waiting} …`), 400);
}

function open() {
  keepPiece(data.piece);
  for (const [place, card] of Object.entries(data.cards)) cards.put(Number(place), card);
  const before = outbox.adopt();
  for (const { shows } of outbox.steps) for (const [id] of shows) index.decided(id, store.held(id));
  if (before) say(`${count(before, "step")} of before ${before === 1 ? "is" : "are"} sent now.`);
  loadPieces();
  setTimeout(() => news.look(), POLL);
  drawTrouble();
  drawLearning(data);
}

function listenLive() {
  Object.assign(KEYS, { g: "grids", m: "map", A: "all" });
  if (data.learns) KEYS.l = "learn";
  listenFilters();
  listenGrids();
  listenMap();
  window.addEventListener("beforeunload", (event) => {
    if (!outbox.steps.length) return;
    event.preventDefault();
    event.returnValue = "";
  });
}

const store = {
  index,
  noteEvent: "change",
  nothing: "You have decided nothing in this run that could be undone.",
  busy: null, // a promise while keys must wait
  open,
  listen: listenLive,
  start: () => data.start,
  listing: (place) => cards.get(place), // null while it is loaded
  row: (place) => rowsOf.get(place),
  beside: (listing) => listing,
  find,
  drawWords,
  learned: data.expected, // how many changes were expected in all that was left when the queue learned; null: it has not
  dropped: -1, // the listing that stays on the screen though it is no longer in the queue; -1: none
  isWaiting: false, // whether all that is left is on other screens
  isElsewhere: (place) => elsewhere.has(place),
  inConflict: (id) => Boolean(states.get(id)?.conflict),
  held: (id) => outbox.decision(id) || (states.get(id)?.decision ? states.get(id) : null),
  isPending: (id) => Boolean(outbox.decision(id)),
  note: (id) => outbox.note(id) ?? states.get(id)?.note ?? "",
  setNote: (id, words) => outbox.add([{ ids: [id], action: "note", note: words }], [], [[id, words]]).then(() => say(`${id}: note saved.`), say),
  added: () => [...added],
  record, // a promise that it is in the journal
  undo: () => outbox.add([{ ids: [], action: "undo", takes_back: outbox.latest() }]),
  photo: showPhoto,
  forget: () => {},
  ahead: (places) => {
    dropOld();
    cards.want(places);
    for (const place of places) picture(index.ids[place]);
  },
  order: () => narrowing.places || index.order,
  rank: (place) => (narrowing.ranks || index.rank)[place],
  narrowed: () => (grids.on ? restartGrids() : mapChanged()),
  single,
  does: (action) => (grids.on ? GRID_DO : map.on ? MAP_DO : {})[action] || LIVE_DO[action],
  key: (event) => mapKey(event) || gridKey(event),
  drawState: drawSending,
};
