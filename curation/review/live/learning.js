
// What decisions teach: the order of what is left and its suggestions change; the listing on the screen stays as it is.

// the state of learning, which comes with every answer
function heard(answer) {
  keepExpected(answer);
  drawLearning(answer);
  keepElsewhere(answer.elsewhere);
  if (answer.learnt !== news.learnt) reorder();
}

function keepExpected({ expected }) {
  const isNew = JSON.stringify(expected) !== JSON.stringify(store.learned);
  store.learned = expected;
  if (isNew) drawProgress();
}

function drawLearning({ learning, agreement, team }) {
  for (const [id, words] of [["learnt", learning], ["agreement", agreement], ["team", team]]) if ($(id).textContent !== words) $(id).textContent = words;
  $("learning").hidden = !learning && !agreement && !team;
}

async function reorder() {
  if (reorder.going) return;
  reorder.going = true;
  try {
    arrange(await ask("/order"));
  } catch {
    // with the next news, this tries again
    await new Promise((done) => setTimeout(done, RETRY));
    news.learnt = -1;
  }
  reorder.going = false;
}

// what was passed stays before the listing on the screen, and all that comes after it is in the new order
function arrange({ order, kinds, piece, learnt, ...said }) {
  const there = new Set(order);
  const wasEmpty = !index.size;
  const passed = [...index.order.subarray(0, index.rank[current] + 1)].filter((place) => there.has(place) || place === current);
  const before = new Set(passed);
  store.dropped = there.has(current) ? -1 : current;
  index.arrange([...passed, ...order.filter((place) => !before.has(place))]);
  news.learnt = learnt;
  addKinds(kinds);
  for (const place of cards.kept.keys()) if (place !== current) cards.kept.delete(place);
  rowsOf.kept.clear();
  loaded.fill(-1);
  keepPiece(piece);
  loadPieces();
  narrowAgain();
  countKinds();
  drawProgress();
  drawWhere();
  redrawRows([...rows.keys()]);
  showRow();
  store.ahead(following(12));
  gridsAgain();
  if (map.on) loadMap();
  keepExpected(said);
  drawLearning(said);
  if (wasEmpty && filtered.length) go(filtered[0]);
}

function addKinds(kinds) {
  for (const kind of kinds.slice(data.kinds.length)) {
    data.kinds.push(kind);
    TITLES.set(kind.name, kind.title);
    $("kind").append(Object.assign(element("option", "", kind.title), { value: kind.name }));
  }
}

// the listing on the screen showed what was suggested before, until another one is shown
function dropOld() {
  for (const [place, card] of cards.kept) if (place !== current && card.learnt < news.learnt) cards.kept.delete(place);
}

// what the card suggests, for the journal; null where it hides that
function suggestedOn(id) {
  const card = cards.kept.get(index.places.get(id));
  return card && !card.blind ? [card.suggested, card.fits] : null;
}

// what was hidden may be shown once it is decided
function showAgain(ids) {
  const places = ids.map((id) => index.places.get(id)).filter((place) => place !== undefined);
  for (const place of places) cards.kept.delete(place), rowsOf.kept.delete(place);
  redrawRows(places);
  if (places.includes(current)) drawCard();
}

function learnNow() {
  const told = (answer) => (drawLearning(answer), say(answer.learning));
  ask("/learn", {}).then(told, (error) => say(error.message));
}
