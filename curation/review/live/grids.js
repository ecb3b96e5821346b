
// Grids: similar listings that need the same decision. Those that differ are left out, and one key decides the others.
// The server chooses them, or a person picked them on the map.

const GRIDS_AHEAD = 3; // grids that are there before they are needed
const TILE_PHOTOS = 320;
const whyNone = () => `A grid takes ${data.fewest} listings or more that are left, with the same issue and the same suggestion, and here are fewer. Odd prices and reposts come in none: each needs a decision of its own. Press ${named("g")} for single cards.`;

const GRID_KEYS = ["relabel", "several", "delete"]; // what every grid takes

const grids = {
  on: false,
  picked: null, // {places, decided}: what the map's lasso held, and how many more that are decided; null: all of the queue
  here: null, // {given, suggested, mixed, several, kind, size, likely, tiles, out}: out has the places left out
  ahead: [],
  past: [], // those before, the latest last
  later: new Set(), // places that were left out of one
  isAsking: false,
  isEnd: false, // the server has no more
  version: 0, // of the filters
};

const LIVE_DO = {
  grids: () => (grids.on ? closeGrids() : openGrids()),
  map: () => (map.on ? single() : openMap()),
  all: () => openAll(),
  learn: () => learnNow(),
};
const GRID_DO = {
  accept: acceptGrid,
  keep: () => decideGrid("keep"),
  several: () => decideGrid("ambiguous"),
  delete: () => decideGrid("delete"),
  relabel: () => grids.here && openClasses({ ...grids.here, givenChance: null, suggestedChance: null }, relabelGrid),
  undo: undoGrid,
  next: skipGrid,
  previous: backGrid,
  ...Object.fromEntries(["fits", "price", "only", "note"].map((name) => [name, () => say(`This is for a single listing: ${named("g")} leaves the grids.`)])),
};

function openGrids(picked = null) {
  if (map.on) closeMap();
  Object.assign(grids, { on: true, picked });
  showMode();
  restartGrids();
}

function leaveGrids() {
  Object.assign(grids, { on: false, picked: null });
  showMode();
}

function closeGrids() {
  leaveGrids();
  const [next] = index.actions[current] ? following(1) : [];
  go(next ?? current);
  $("card").focus();
}

// a listing by itself, from wherever one is
function single() {
  if (map.on) closeMap();
  else if (!grids.on) return;
  closeGrids();
}

function showMode() {
  document.body.classList.toggle("grids", grids.on);
  document.body.classList.toggle("map", map.on);
  $("mode").setAttribute("aria-pressed", String(grids.on));
  $("to-map").setAttribute("aria-pressed", String(map.on));
  const button = (name) => document.querySelector(`#actions [data-do=${name}]`);
  if (!grids.on) for (const name of GRID_KEYS) button(name).disabled = false;
  button("previous").setAttribute("aria-label", grids.on ? "Previous grid" : "Previous listing");
  button("next").setAttribute("aria-label", grids.on ? "Skip this grid" : "Next listing");
}

// under other filters, what was left out comes again
function restartGrids() {
  grids.version++;
  Object.assign(grids, { here: null, ahead: [], past: [], later: new Set(), isEnd: false });
  drawGrid();
  fetchGrids();
}

// what is on the screen, what is ready, and what is on its way to the journal must not come again
function notAgain() {
  const shown = [grids.here, ...grids.ahead].filter(Boolean).flatMap(({ tiles }) => tiles.map(({ place }) => place));
  const sent = outbox.steps.flatMap(({ shows }) => shows.map(([id]) => index.places.get(id))).filter((place) => place !== undefined);
  return [...new Set([...grids.later, ...shown, ...sent])];
}

async function fetchGrids() {
  if (!grids.on || grids.isAsking || grids.isEnd || grids.ahead.length >= GRIDS_AHEAD) return;
  grids.isAsking = true;
  const { version } = grids;
  try {
    const came = await ask("/grids", { filter: wanted(), without: notAgain(), among: grids.picked && grids.picked.places, number: grids.here ? GRIDS_AHEAD - grids.ahead.length : 1 });
    if (version === grids.version) {
      grids.isEnd = !came.length;
      for (const grid of came) grids.ahead.push(Object.assign(grid, { out: new Set() })), know(grid), loadTiles(grid);
      if (!grids.here) showNext();
    }
  } catch (error) {
    say(error.message);
    await new Promise((done) => setTimeout(done, RETRY));
  }
  grids.isAsking = false;
  fetchGrids();
}

// decisions have taught something: the grid on the screen stays, and the next ones are made again
function gridsAgain() {
  if (!grids.on || (!grids.here && grids.isEnd)) return; // g, twice, makes those that there may be by now
  grids.version++;
  Object.assign(grids, { ahead: [], isEnd: false });
  fetchGrids();
}

// the piece of the queue that has a tile may still be on its way
function know({ tiles }) {
  for (const { place, id } of tiles) (index.ids[place] = id), index.places.set(id, place);
}

// somebody decided on it: this reviewer, or another one meanwhile
const isSettled = ({ id }) => Boolean(store.held(id));
const rest = (grid) => grid.tiles.filter((tile) => !grid.out.has(tile.place) && !isSettled(tile));

function showNext() {
  do grids.here = grids.ahead.shift() || null;
  while (grids.here && grids.here.tiles.every(isSettled));
  drawGrid();
  fetchGrids();
}

// this grid is done with; what is left out of it comes later
function leaveGrid() {
  const grid = grids.here;
  for (const tile of grid.tiles) if (!isSettled(tile)) grids.later.add(tile.place);
  grids.past.push(grid);
  showNext();
}

function skipGrid() {
  if (!grids.here) return say("This is the last one.");
  say("This grid is left for later.");
  leaveGrid();
}

function backGrid() {
  const before = grids.past.pop();
  if (!before) return say("This is the first one.");
  show(before);
}

function show(grid) {
  if (grids.here) grids.ahead.unshift(grids.here);
  grids.here = grid;
  for (const { place } of grid.tiles) grids.later.delete(place);
  loadTiles(grid);
  drawGrid();
}

// Deciding

function acceptGrid() {
  if (!grids.here) return decideGrid("relabel");
  if (grids.here.several) return decideGrid("relabel");
  if (!grids.here.suggested) return say(`No label is suggested here: ${ways("k e d")}.`);
  relabelGrid(grids.here.suggested);
}

const relabelGrid = (label) => decideGrid("relabel", label);

// without a label, each is relabelled as it is suggested, and left for later if nothing likelier than its label is
function decideGrid(decision, label = null) {
  const grid = grids.here;
  if (!grid) return say("No grid is here.");
  const isEach = decision === "relabel" && label === null;
  const tiles = rest(grid).filter(({ likelier }) => !isEach || likelier);
  // who has the label that all others get is right
  const stays = isEach ? [] : tiles.filter(({ given }) => (decision === "relabel" ? given === label : decision === "keep" && given !== null));
  const others = decision === "keep" ? [] : tiles.filter((tile) => !stays.includes(tile));
  if (isEach && !tiles.length && rest(grid).length)
    return say(`No suggestion here is likelier than the label: ${ways("k e d")}.`);
  if (!stays.length && !others.length)
    return say(decision === "keep" && tiles.length ? noLabel() : `All of this grid is left out: ${named("j")} goes on.`);
  const places = (some) => some.map(({ place }) => place);
  const isNew = label !== null && !data.classes.includes(label);
  const later = grid.tiles.filter((tile) => !isSettled(tile) && !tiles.includes(tile)).length;
  const settled = grid.tiles.filter(isSettled).length;
  const words = `${settled ? ` ${count(settled, "listing")} of this grid ${settled === 1 ? "was" : "were"} decided before, and ${settled === 1 ? "stays" : "stay"} so.` : ""}${later ? ` ${count(later, "listing")} left out for later.` : ""}`;
  const suggested = new Map(tiles.map(({ place, shown }) => [place, shown]));
  const said = isEach ? others.map((tile) => [places([tile]), decision, tile.suggested]) : [[places(others), decision, label, isNew]];
  decideMany([...said, [places(stays), "keep", null]], suggested, words);
  leaveGrid();
}

function undoGrid() {
  const undone = store.undo().then((ids) => {
    if (!ids.length) return say(store.nothing);
    const taken = new Set(ids);
    filter();
    drawProgress();
    drawRows();
    say(`Undone: ${count(ids.length, "decision")}.`);
    const at = grids.past.findLastIndex(({ tiles }) => tiles.some(({ id }) => taken.has(id)));
    if (at >= 0) return show(grids.past.splice(at, 1)[0]);
    if (grids.here && grids.here.tiles.some(({ id }) => taken.has(id))) return drawGrid();
    restartGrids(); // it was no grid
  }, say);
  store.busy = undone.finally(() => (store.busy = null));
}

// Drawing

const tilePhotos = new Map(); // id -> image

function loadTiles({ tiles }) {
  for (const { id } of tiles) tilePhoto(id);
}

function tilePhoto(id) {
  const image = tilePhotos.get(id) || new Image();
  tilePhotos.delete(id);
  tilePhotos.set(id, image); // the one that is dropped last
  if (!image.src) [image.alt, image.decoding, image.src] = ["", "sync", address(id, false)];
  if (tilePhotos.size > TILE_PHOTOS) tilePhotos.delete(tilePhotos.keys().next().value);
  return image;
}

function drawGrid() {
  const grid = grids.here;
  const had = document.activeElement;
  $("grid-beside").replaceChildren();
  if (!grid) {
    $("tiles").replaceChildren();
    const left = grids.later.size;
    const isNone = !grids.picked && !grids.past.length && !left;
    $("grid-title").textContent = grids.isEnd ? (grids.picked ? "No more of what was picked" : isNone ? "No grids" : "No more grids") : "Loading";
    const words = grids.picked ? `${left ? `${count(left, "listing")} left out. ` : ""}Press ${named("m")} for the map.` : left ? `${count(left, "listing")} left out: press ${named("g")} twice for grids of them, or once for single cards.` : isNone ? whyNone() : `Press ${named("g")} for single cards: what is left is too different for a grid.`;
    $("grid-words").textContent = grids.isEnd ? words : "";
    $("all-picked").hidden = true;
    drawGridButtons();
    return;
  }
  $("all-picked").hidden = !grids.picked || grid.size <= grid.tiles.length;
  $("all-picked").lastChild.textContent = ` Decide all ${grid.size} …`;
  const given = grid.mixed ? "several labels" : (grid.given ?? "(no label)");
  const suggested = grid.several ? "each as suggested" : grid.suggested;
  $("grid-title").textContent = shown(suggested ? `${given} → ${suggested}` : given);
  $("tiles").replaceChildren(...grid.tiles.map((tile) => makeTile(grid, tile)));
  $("grid-beside").append(...[[grid.given, grid.likeGiven], [grid.suggested, grid.likeSuggested]].filter(([, some]) => some.length).map(soundOnes));
  drawTiles();
  $("grid").scrollTop = 0;
  drawGridButtons();
  // keys leave tiles out at once; who is at a button or a field stays there
  if (!had || had === document.body || had === $("card") || had === $("grid") || had === $("mode") || !had.isConnected) focusTile(0);
}

function soundOnes([name, some]) {
  const [section, tiles] = [element("section"), element("div", "strip")];
  section.append(element("h3", "", `Sound ${name}`), tiles);
  section.firstChild.title = shown(`Listings of ${name} without any issue that look like these`);
  tiles.append(...some.map((listing) => {
    const picture = element("div", "thumb");
    picture.title = shown([listing.id, listing.title].filter(Boolean).join("\n"));
    store.photo(picture, listing, listing.title || listing.id, false);
    return picture;
  }));
  return section;
}

function makeTile(grid, { place, id, title, price, given, suggested, likelier, chance }) {
  const made = element("button", "pick");
  made.type = "button";
  made.dataset.place = place;
  const picture = element("div", "thumb");
  const image = tilePhoto(id);
  picture.append(image);
  const failed = () => (tilePhotos.delete(id), whyNot(picture, image, id, false));
  image.onerror = failed;
  if (image.complete && image.src && !image.naturalWidth) failed();
  const cost = price === null ? "" : money(price);
  made.append(picture, element("span", "", title || id), element("span", "quiet", [cost, percent(chance)].filter(Boolean).join(" · ")));
  if (grid.mixed) made.append(element("span", "quiet", given ?? "(no label)"));
  if (grid.several) made.append(element("span", "quiet", likelier ? `→ ${suggested}` : suggested ? "nothing likelier" : "no suggestion"));
  made.append(element("span", "mark"));
  made.title = shown([id, title, given, grid.several && suggested && `→ ${suggested}`, chanceWords({ suggested, chance })].filter(Boolean).join("\n"));
  made.addEventListener("click", () => leaveOut(grid, place));
  return made;
}

const numberIs = ({ suggested }) => (suggested ? "suggestion right" : "needs a change");
const chanceWords = (tile) => (tile.chance === null ? "" : `${numberIs(tile)}: ${percent(tile.chance)}`);

// what the numbers on the tiles are
function whatNumbersAre({ tiles }) {
  const all = new Set(tiles.filter(({ chance }) => chance !== null).map(numberIs));
  return all.size && `%:\u00a0${[...all].sort().reverse().join(", or without one: ")}`;
}

function leaveOut(grid, place) {
  if (!grid.out.delete(place)) grid.out.add(place);
  drawTiles();
}

// the state of each tile; they never move
function drawTiles() {
  const grid = grids.here;
  if (!grids.on || !grid) return;
  grid.tiles.forEach((tile, number) => {
    const made = $("tiles").children[number];
    const decision = store.held(tile.id);
    const isOut = grid.out.has(tile.place);
    made.className = decision ? "pick settled" : isOut ? "pick out" : "pick";
    made.setAttribute("aria-pressed", String(!isOut && !decision));
    made.lastChild.textContent = decision ? shown(`${stateMark(tile.id, decision)} ${inWords(decision)}`) : isOut ? "left out" : "";
    made.setAttribute("aria-label", shown([tile.title || tile.id, tile.price === null ? "" : money(tile.price), chanceWords(tile), made.lastChild.textContent].filter(Boolean).join(", ")));
  });
  const there = rest(grid);
  const worth = Math.round(there.reduce((sum, tile) => sum + tile.worth, 0));
  const words = [`${there.length} of ${grid.tiles.length} are decided together`, grid.size > grid.tiles.length && `${grid.size} of ${grids.picked ? "those picked" : "this kind"} are left`, grids.picked?.decided && `${grids.picked.decided} picked ${grids.picked.decided === 1 ? "one is" : "ones are"} decided already`, worth && `about ${worth} ${worth === 1 ? "needs" : "need"} a change`, grid.kind, whatNumbersAre(grid)];
  $("grid-words").textContent = shown(words.filter(Boolean).join(" · "));
}

function drawGridButtons() {
  if (!grids.on) return;
  const { here } = grids;
  const button = (name) => document.querySelector(`#actions [data-do=${name}]`);
  for (const name of GRID_KEYS) button(name).disabled = !here;
  button("accept").disabled = !here || !(here.suggested || here.several);
  button("keep").disabled = !here || here.tiles.every(({ given }) => given === null);
}

// Keys: the arrows go from tile to tile

function focusTile(number) {
  const tiles = $("tiles").children;
  tiles[Math.min(Math.max(number, 0), tiles.length - 1)]?.focus();
}

function gridKey(event) {
  if (!grids.on || event.shiftKey || !/^(Arrow|Home$|End$)/.test(event.key) || /^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName)) return false;
  const tiles = [...$("tiles").children];
  const at = tiles.indexOf(document.activeElement);
  const row = tiles.findIndex((tile) => tile.offsetTop > tiles[0].offsetTop);
  const columns = row < 0 ? tiles.length : row;
  const by = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: columns, ArrowUp: -columns, Home: -tiles.length, End: tiles.length }[event.key];
  if (at < 0) focusTile(0);
  else if (by === 1 || by === -1 || Math.abs(by) === tiles.length || tiles[at + by]) focusTile(at + by);
  return true;
}

function listenGrids() {
  for (const dialog of document.querySelectorAll("dialog")) dialog.addEventListener("close", () => grids.on && focusTile(0));
}
