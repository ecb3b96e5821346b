
// Where one is in the queue, and what is decided there.

let current = 0;
let filtered = []; // places of the queue that pass the filter
let last = -1; // the listing that was decided when nothing else was left, until somebody goes back to it

const kindsOf = (place) => data.kinds.filter((kind, bit) => store.index.kinds[place] & (1 << bit));

function filter() {
  const { actions, kinds, ids } = store.index;
  const bit = data.kinds.findIndex(({ name }) => name === $("kind").value);
  const state = $("state").value;
  const words = $("search").value.trim().toLowerCase();
  const found = words ? store.find(words) : null;
  filtered = [];
  for (const place of store.order()) {
    if (bit >= 0 && !(kinds[place] & (1 << bit))) continue;
    if (state === "conflict" && !store.inConflict(ids[place])) continue;
    if ((state === "done" && !actions[place]) || (state === "left" && actions[place])) continue;
    if (!found || found(place)) filtered.push(place);
  }
}

// what passes has changed
function narrowed() {
  filter();
  showRow();
  if (filtered.length && !filtered.includes(current)) go(filtered[0]);
  store.narrowed();
}

// a listing by itself, wherever one is
function visit(place) {
  store.single();
  go(place);
}

function go(place) {
  current = place;
  last = -1;
  drawCard();
  $("card").scrollTop = 0;
  showRow();
  document.body.classList.remove("show-queue");
  $("open-queue").setAttribute("aria-expanded", "false");
  store.ahead(following(12));
}

function move(by) {
  last = -1;
  const at = filtered.indexOf(current);
  const beyond = (place) => (store.rank(place) - store.rank(current)) * by > 0;
  const next = at >= 0 ? filtered[at + by] : by > 0 ? filtered.find(beyond) : filtered.findLast(beyond);
  if (next === undefined) say(by > 0 ? "This is the last one." : "This is the first one.");
  else go(next);
}

// the next places without a decision, those before this one last
function following(most) {
  const { actions } = store.index;
  let after = filtered.findIndex((place) => store.rank(place) > store.rank(current));
  if (after < 0) after = filtered.length;
  const next = [];
  for (let step = 0; step < filtered.length && next.length < most; step++) {
    const place = filtered[(after + step) % filtered.length];
    if (!actions[place] && place !== current && !store.isElsewhere(place)) next.push(place);
  }
  return next;
}

// go on to the next listing, and say what was done once it is saved
function advance(message, saved) {
  const [next] = following(1);
  filter();
  drawProgress();
  go(next === undefined ? current : next);
  if (next === undefined) last = current;
  store.isWaiting = next === undefined && filtered.some((place) => !store.index.actions[place] && store.isElsewhere(place));
  const end = store.isWaiting ? "What is left is on the screen of another reviewer." : "Nothing is left to decide in this list.";
  const words = next === undefined ? `${message} ${end}` : message;
  if (saved) saved.then(() => say(words), say);
  else say(words);
}

// a key too many after the last decision must not change it
function isOver() {
  const id = store.index.ids[current];
  if (last !== current || !store.held(id)) return false;
  say(`${id} is decided, and nothing is left here: an arrow or a click goes back to change a decision, ${ways("u")}.`);
  return true;
}

function here() {
  const listing = store.index.size ? store.listing(current) : null;
  if (!listing) say("This listing is not here yet.");
  return listing;
}

// made: as it will hold; values: as it was said, which a price or a label from before is not part of
function decide(decision, values = {}, standing = undefined) {
  const listing = here();
  if (!listing) return;
  const alone = standing === null;
  const made = joined({ decision, ...values }, alone ? null : store.held(listing.id));
  advance(`${listing.id}: ${inWords(made)}.`, store.record([[listing.id, made, { decision, ...values, alone }]]));
}

const noLabel = () => `This listing has no label to keep: ${ways("e s d")}.`;

function keepLabel() {
  const listing = here();
  if (!listing) return;
  if (listing.given === null) say(noLabel());
  else decide("keep");
}

function relabel(name) {
  const { id, given } = store.listing(current);
  const price = (store.held(id) || {}).new_price ?? null;
  // the given label is right; a corrected price stays
  if (name === given) decide(...(price === null ? ["keep"] : ["reprice", { new_price: price }, null]));
  else decide("relabel", { new_label: name, new_class: !data.classes.includes(name) });
}

function accept() {
  const { given, suggested, blind } = here() || {};
  if (given === undefined) return;
  if (blind) return say(`The suggestion is hidden until you decide: ${ways("k e d")}.`);
  if (!suggested || suggested === given) say(`No label is suggested here: ${ways("k e d")}.`);
  else relabel(suggested);
}

function fits() {
  const { fits } = here() || {};
  if (fits === undefined) return;
  if (fits === null) say(`No price is suggested here: ${named("p")} is for another price.`);
  else decide("reprice", { new_price: fits });
}

function only() {
  const listing = here();
  if (!listing) return;
  if (!listing.reposts.length) return say("This listing has no reposts.");
  const mine = store.held(listing.id);
  const others = listing.reposts.map((other) => store.beside(other).id);
  const deleted = others.map((id) => [id, { decision: "delete" }]);
  const { decision, new_label, new_price, new_class } = mine && mine.decision !== "delete" ? mine : { decision: "keep" };
  // without a label there is nothing to keep
  const stays = decision === "keep" && listing.given === null ? [] : [[listing.id, { decision, new_label, new_price, new_class }]];
  const total = listing.repostCount ?? others.length;
  const names = total > others.length ? `${total} others` : others.join(", ");
  advance(`${listing.id} stays, ${names} deleted.`, store.record([...stays, ...deleted], listing.id));
}

// Another price

function openPrice() {
  const { id, price, fits } = here() || {};
  if (id === undefined) return;
  if (!data.priced) return say("This dataset has no prices.");
  const standing = store.held(id);
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
  if (price === store.listing(current).price && !store.held(store.listing(current).id)) say(`This is the price that it has: ${named("k")} leaves the listing as it is.`);
  else decide("reprice", { new_price: price });
}

function undo() {
  const undone = store.undo();
  if (Array.isArray(undone)) return showUndone(undone);
  store.busy = undone.then(showUndone, say).finally(() => (store.busy = null));
}

function showUndone(ids) {
  if (!ids.length) return say(store.nothing || "Nothing has been decided in this page.");
  filter();
  drawProgress();
  go(store.index.places.get(ids[0]) ?? current);
  say(`Undone: ${ids.length > 5 ? count(ids.length, "decision") : ids.join(", ")}.`);
}

function writeNote() {
  const id = store.index.ids[current];
  const words = $("note").value.trim();
  if (words === store.note(id)) return;
  store.setNote(id, words);
  drawProgress();
}
