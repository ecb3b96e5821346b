"use strict";
// What the parts of the page share. Everything from the listings goes in as text (textContent), never as markup.
//
// The page shows what its `store` has: that of a file keeps decisions in the browser, that of a live review sends them
// to its server. Both are asked the same; see the end of local.js and of live/server.js.

const data = JSON.parse(document.getElementById("data").textContent);
const run = data.run;
const WORDS = { keep: "kept", relabel: "relabelled", reprice: "repriced", delete: "deleted", ambiguous: "ambiguous" };
const MARKS = { keep: "✓", relabel: "→", reprice: "¤", delete: "✕", ambiguous: "≈" };
const PRICED = ["relabel", "reprice", "ambiguous"]; // what a new price may come with
const TITLES = new Map(data.kinds.map((kind) => [kind.name, kind.title]));
const AHEAD = 20; // listings that the hint to stop looks ahead
const ROW = 62; // height of a row of the queue in pixels, as in the style

const ACTIONS = Object.keys(WORDS);

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
  $("warning").hidden = !text;
}

// What is kept of each listing, by its place, whether the rest of it was loaded or not, and the order of the queue
class Index {
  constructor(size) {
    this.ids = new Array(size);
    this.kinds = new Uint32Array(size); // a bit for each of data.kinds
    this.worth = new Float32Array(size).fill(NaN);
    this.actions = new Uint8Array(size); // 0: not decided; 1: the first of ACTIONS
    this.places = new Map();
    this.arrange(Int32Array.from({ length: size }, (_, place) => place));
  }

  get size() {
    return this.order.length;
  }

  // the places to decide on, the one to look at first at the beginning
  arrange(order) {
    this.order = Int32Array.from(order);
    this.rank = new Int32Array(this.ids.length).fill(-1);
    this.order.forEach((place, rank) => (this.rank[place] = rank));
  }

  put(place, id, kinds, worth) {
    this.ids[place] = id;
    this.kinds[place] = kinds;
    this.worth[place] = worth === null ? NaN : worth;
    this.places.set(id, place);
  }

  decided(id, decision) {
    const place = this.places.get(id);
    if (place !== undefined) this.actions[place] = decision ? ACTIONS.indexOf(decision.decision) + 1 : 0;
  }
}

const when = (decision) => Date.parse(decision.time) || 0;
const now = () => new Date().toISOString().replace("Z", "+00:00");

// Words

// on narrow screens, keys are not shown: there, messages name the buttons
const NAMED = {
  k: ["keeps", "Keep"], a: ["accepts", "Accept"], e: ["relabels", "Relabel"], s: ["says that several labels fit", "Several fit"], d: ["deletes", "Delete"], u: ["takes this one back", "Undo"],
  f: ["", "the price that fits"], p: ["", "Price"], o: ["", "Only this"], j: ["", "→"], g: ["", "Grids"], m: ["", "Map"],
};
const isNarrow = () => matchMedia("(max-width: 760px)").matches;
const named = (key) => (isNarrow() ? NAMED[key][1] : key);
// what keys do, or the buttons that do it: "k keeps, d deletes" or "Keep or Delete"
const ways = (keys) => (isNarrow() ? either(keys.split(" ").map(named)) : keys.split(" ").map((key) => `${key} ${NAMED[key][0]}`).join(", "));
const either = (names) => [names.slice(0, -1).join(", "), names.at(-1)].filter(Boolean).join(" or ");

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
  const by = decision.reviewer && decision.reviewer !== run.reviewer ? ` by ${decision.reviewer}` : "";
  const action = decision.decision === "ambiguous" ? "several labels fit" : WORDS[decision.decision];
  const label = decision.new_label ? ` as ${decision.new_label}${decision.new_class ? " (a new class)" : ""}` : "";
  const price = decision.new_price ?? null;
  const priced = price === null ? "" : decision.decision === "reprice" ? ` at ${money(price)}` : `, price ${money(price)}`;
  return `${action}${label}${priced}${by}`;
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
