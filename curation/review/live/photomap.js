
// The map: each listing of the queue is a point, and photos that look alike lie close together. What is picked on it, by a
// lasso or as the nearest ones, makes grids. Positions are between 0 and 1 across and down; drawing is in mapdraw.js.

const NEAREST = 24; // listings that Enter picks
const CLOSE = 14; // pixels from a point that count as on it
const STEP = 2; // pixels between two corners of the lasso
const STILL = 5; // pixels that a hand may move in a click
const CLOSEST = 64; // how often the whole map is enlarged at most
const LOOK = 700; // milliseconds between two questions whether the map is made

const map = {
  on: false,
  why: "", // why there is no map (yet)
  timer: 0,
  asked: 0,
  names: [],
  hidden: 0, // listings whose suggestion is hidden, which are not on it
  missing: 0, // those without a point
  places: new Int32Array(0), // of each point
  given: new Int32Array(0), // numbers of classes, as suggested; -1 for none
  suggested: new Int32Array(0),
  x: new Float32Array(0),
  y: new Float32Array(0),
  shown: new Int32Array(0), // the points that pass the filters
  view: null, // {x, y, scale}: what is in the middle, and pixels from 0 to 1; null: all
  focus: -1, // a point
  hover: -1,
  lasso: null, // [x, y, x, y, …] while it is drawn
  isLassoing: false, // whether a drag is a lasso
};

const MAP_DO = {
  undo: undoOnMap,
  ...Object.fromEntries(["keep", "accept", "relabel", "several", "delete", "next", "previous"].map((name) => [name, () => say(isNarrow() ? "Pick listings first: Lasso, or 24 nearest." : "Pick listings first: with the lasso, or the nearest ones by Enter.")])),
  ...Object.fromEntries(["fits", "price", "only", "note"].map((name) => [name, () => say(`This is for a single listing: ${named("m")} leaves the map.`)])),
};

function openMap() {
  if (grids.on) leaveGrids();
  map.on = true;
  showMode();
  mapChanged();
  loadMap();
  $("canvas").focus();
}

function closeMap() {
  map.on = false;
  clearTimeout(map.timer);
  showMode();
}

// The points come from the server as numbers; while they are computed, it is asked again

async function loadMap() {
  clearTimeout(map.timer);
  const asked = ++map.asked;
  try {
    const { state, why, names } = await ask("/map", {});
    const points = state === "ready" ? await ask("/points", undefined, (answer) => answer.arrayBuffer()) : null;
    if (asked !== map.asked) return;
    map.why = why;
    if (points) takePoints(points, names);
    else if (state === "making" && map.on) map.timer = setTimeout(loadMap, LOOK);
    else map.places = new Int32Array(0);
  } catch (error) {
    if (asked !== map.asked) return;
    map.why = error.message;
    if (map.on) map.timer = setTimeout(loadMap, RETRY);
  }
  mapChanged();
}

function takePoints(content, names) {
  const [, size, missing, hidden] = new Int32Array(content, 0, 4);
  const [focus, hover] = [map.focus, map.hover].map((point) => map.places[point] ?? -1);
  const column = (number) => new Int32Array(content, 16 + 4 * size * number, size);
  const corners = new Uint16Array(content, 16 + 12 * size, 2 * size);
  Object.assign(map, { names, missing, hidden, places: column(0), given: column(1), suggested: column(2) });
  [map.x, map.y] = [new Float32Array(size), new Float32Array(size)];
  for (let point = 0; point < size; point++) {
    map.x[point] = corners[2 * point] / 65535;
    map.y[point] = corners[2 * point + 1] / 65535;
  }
  [map.focus, map.hover] = [focus, hover].map((place) => map.places.indexOf(place));
}

// the filters, the decisions or the points have changed
function mapChanged() {
  if (!map.on) return;
  const passes = new Uint8Array(index.ids.length);
  for (const place of filtered) passes[place] = 1;
  const shown = new Int32Array(map.places.length);
  let size = 0;
  for (let point = 0; point < map.places.length; point++) if (passes[map.places[point]]) shown[size++] = point;
  map.shown = shown.subarray(0, size);
  const isShown = (point) => point >= 0 && passes[map.places[point]];
  if (!isShown(map.focus)) map.focus = -1;
  if (!isShown(map.hover)) map.hover = -1;
  colourPoints();
  drawMap();
  drawTip();
}

// Where things are

const stage = () => ({ width: $("canvas").clientWidth, height: $("canvas").clientHeight });

function viewed() {
  const { width, height } = stage();
  const whole = 0.94 * Math.min(width, height);
  if (!map.view) return { x: 0.5, y: 0.5, scale: whole };
  return map.view;
}

const across = (x) => (x - viewed().x) * viewed().scale + stage().width / 2;
const down = (y) => (y - viewed().y) * viewed().scale + stage().height / 2;
const backAcross = (pixels) => (pixels - stage().width / 2) / viewed().scale + viewed().x;
const backDown = (pixels) => (pixels - stage().height / 2) / viewed().scale + viewed().y;

function pan(right, below) {
  const { x, y, scale } = viewed();
  const within = (value) => Math.min(Math.max(value, 0), 1);
  map.view = { x: within(x - right / scale), y: within(y - below / scale), scale };
  drawMap();
}

// what is at these pixels stays there
function zoom(by, pixelsAcross = stage().width / 2, pixelsDown = stage().height / 2) {
  const { width, height } = stage();
  const least = 0.94 * Math.min(width, height);
  const before = viewed();
  const scale = Math.min(Math.max(before.scale * by, least), CLOSEST * least);
  const [x, y] = [backAcross(pixelsAcross), backDown(pixelsDown)];
  map.view = scale === least ? null : { scale, x: x - (pixelsAcross - width / 2) / scale, y: y - (pixelsDown - height / 2) / scale };
  drawMap();
}

function showAll() {
  map.view = null;
  drawMap();
}

// the point at some pixels; -1 for none
function pointAt(pixelsAcross, pixelsDown, reach = CLOSE) {
  const [x, y] = [backAcross(pixelsAcross), backDown(pixelsDown)];
  let [best, least] = [-1, (reach / viewed().scale) ** 2];
  for (const point of map.shown) {
    const apart = (map.x[point] - x) ** 2 + (map.y[point] - y) ** 2;
    if (apart <= least) [best, least] = [point, apart];
  }
  return best;
}

// Picking

// whether a corner or a side of a polygon has a point, or the polygon has it inside (even-odd)
function isInside(polygon, x, y) {
  let inside = false;
  for (let at = 0, before = polygon.length - 2; at < polygon.length; before = at, at += 2) {
    const [ax, ay, bx, by] = [polygon[before], polygon[before + 1], polygon[at], polygon[at + 1]];
    const side = (bx - ax) * (y - ay) - (by - ay) * (x - ax);
    if (side === 0 && x >= Math.min(ax, bx) && x <= Math.max(ax, bx) && y >= Math.min(ay, by) && y <= Math.max(ay, by)) return true;
    if (ay > y !== by > y && side > 0 === by > ay) inside = !inside;
  }
  return inside;
}

function lassoed(polygon) {
  const [xs, ys] = [polygon.filter((_, at) => at % 2 === 0), polygon.filter((_, at) => at % 2)];
  const [left, right, top, bottom] = [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)];
  const isNear = (x, y) => x >= left && x <= right && y >= top && y <= bottom;
  return [...map.shown].filter((point) => isNear(map.x[point], map.y[point]) && isInside(polygon, map.x[point], map.y[point]));
}

// the undecided ones that are nearest to a point, with itself
function nearestTo(focus) {
  const apart = new Float32Array(map.places.length);
  for (const point of map.shown) apart[point] = (map.x[point] - map.x[focus]) ** 2 + (map.y[point] - map.y[focus]) ** 2;
  const left = [...map.shown].filter((point) => !index.actions[map.places[point]]);
  return left.sort((one, other) => apart[one] - apart[other]).slice(0, NEAREST);
}

function pickNearest() {
  if (map.focus < 0) return say(isNarrow() ? "Tap a point first." : "Go to a photo first: with the arrows, or by a click on its point.");
  pick(nearestTo(map.focus));
}

function pick(points) {
  const places = points.map((point) => map.places[point]);
  const left = places.filter((place) => !index.actions[place]);
  if (!places.length) return say("No photo lies there.");
  if (!left.length) return say(places.length === 1 ? "This listing is decided already." : `All ${places.length} of these are decided already.`);
  closeMap();
  openGrids({ places: left, decided: places.length - left.length });
}

function undoOnMap() {
  const undone = store.undo().then((ids) => {
    filter();
    drawProgress();
    drawRows();
    mapChanged();
    say(ids.length ? `Undone: ${count(ids.length, "decision")}.` : store.nothing);
  }, say);
  store.busy = undone.finally(() => (store.busy = null));
}

// Keys: the arrows go from photo to photo

function focusPoint(point) {
  if (point < 0) return;
  map.focus = point;
  const [right, below] = [across(map.x[point]), down(map.y[point])];
  const { width, height } = stage();
  const edge = Math.min(60, width / 4, height / 4);
  const out = (at, size) => Math.min(at - edge, 0) + Math.max(at - size + edge, 0);
  if (out(right, width) || out(below, height)) pan(-out(right, width), -out(below, height));
  drawMap();
  drawTip();
}

// the nearest one in a direction: what is aside counts twice
function neighbour(right, below) {
  if (map.focus < 0) return pointAt(stage().width / 2, stage().height / 2, Infinity);
  let [best, least] = [-1, Infinity];
  for (const point of map.shown) {
    const [x, y] = [map.x[point] - map.x[map.focus], map.y[point] - map.y[map.focus]];
    const ahead = x * right + y * below;
    const aside = Math.abs(x * below) + Math.abs(y * right);
    if (ahead > 0 && aside <= ahead && ahead + 2 * aside < least) [best, least] = [point, ahead + 2 * aside];
  }
  return best;
}

const DIRECTIONS = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowDown: [0, 1], ArrowUp: [0, -1] };

function mapKey(event) {
  if (!map.on || /^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName)) return false;
  const direction = DIRECTIONS[event.key];
  const step = Math.min(stage().width, stage().height) / 6;
  if (direction && event.shiftKey) pan(-step * direction[0], -step * direction[1]);
  else if (direction) focusPoint(neighbour(...direction));
  else if (event.key === "+" || event.key === "=") zoom(1.5);
  else if (event.key === "-") zoom(1 / 1.5);
  else if (event.key === "0") showAll();
  else if (event.key === "Enter" && event.target.tagName !== "BUTTON") pickNearest();
  else if (event.key === "Escape") stopLasso();
  else return false;
  return true;
}

// Mouse and fingers: one drags the map or draws the lasso, two enlarge it

const fingers = new Map(); // pointer -> where it is

const spotOf = (event) => {
  const { left, top } = $("canvas").getBoundingClientRect();
  return { x: event.clientX - left, y: event.clientY - top };
};

function stopLasso() {
  map.lasso = null;
  setLasso(false);
  drawMap();
}

function setLasso(isOn) {
  map.isLassoing = isOn;
  $("lasso").setAttribute("aria-pressed", String(isOn));
  $("canvas").classList.toggle("lassoing", isOn);
}

let drag = null; // {x, y, moved}: where it began

function pressed(event) {
  if (event.button || !map.places.length) return;
  $("canvas").setPointerCapture(event.pointerId);
  const at = spotOf(event);
  fingers.set(event.pointerId, at);
  map.hover = -1;
  map.lasso = null;
  drag = fingers.size === 1 ? { ...at, moved: false } : null;
  if (drag && (map.isLassoing || event.shiftKey)) map.lasso = [backAcross(at.x), backDown(at.y)];
  drawTip();
}

function moved(event) {
  const at = spotOf(event);
  const before = fingers.get(event.pointerId);
  if (!before) return event.pointerType === "mouse" && hovered(at);
  if (fingers.size === 2) {
    const [other] = [...fingers].find(([id]) => id !== event.pointerId).slice(1);
    const apart = (one) => Math.hypot(one.x - other.x, one.y - other.y) || 1;
    pan((at.x - before.x) / 2, (at.y - before.y) / 2);
    zoom(apart(at) / apart(before), (at.x + other.x) / 2, (at.y + other.y) / 2);
  } else if (drag && (drag.moved || Math.hypot(at.x - drag.x, at.y - drag.y) > STILL)) {
    drag.moved = true;
    if (map.lasso) extendLasso(at);
    else pan(at.x - before.x, at.y - before.y);
    drawMap();
  }
  fingers.set(event.pointerId, at);
}

// a slow hand must not make a line of thousands of corners
function extendLasso({ x, y }) {
  const [lastX, lastY] = map.lasso.slice(-2);
  if (Math.hypot(across(lastX) - x, down(lastY) - y) >= STEP) map.lasso.push(backAcross(x), backDown(y));
}

function released(event) {
  if (!fingers.delete(event.pointerId)) return;
  const [lasso, was] = [map.lasso, drag];
  map.lasso = drag = null;
  if (event.type === "pointercancel" || !was) return drawMap();
  if (!was.moved) {
    map.focus = pointAt(was.x, was.y, event.pointerType === "mouse" ? CLOSE : 2 * CLOSE);
    drawTip();
  } else if (lasso) {
    setLasso(false);
    pick(lassoed(lasso));
  }
  drawMap();
}

function hovered(at) {
  const point = at ? pointAt(at.x, at.y) : -1;
  if (point === map.hover) return;
  map.hover = point;
  drawTip();
  drawMap();
}

function listenMap() {
  const canvas = $("canvas");
  canvas.addEventListener("pointerdown", pressed);
  canvas.addEventListener("pointermove", moved);
  for (const name of ["pointerup", "pointercancel"]) canvas.addEventListener(name, released);
  canvas.addEventListener("pointerleave", () => hovered(null));
  canvas.addEventListener("dblclick", () => map.focus >= 0 && visit(map.places[map.focus]));
  canvas.addEventListener("wheel", (event) => {
    event.preventDefault();
    const { x, y } = spotOf(event);
    zoom(Math.exp(-event.deltaY * [0.0015, 0.04, 0.5][event.deltaMode]), x, y);
  }, { passive: false });
  $("lasso").addEventListener("click", () => (setLasso(!map.isLassoing), canvas.focus()));
  $("nearest").addEventListener("click", pickNearest);
  $("open-point").addEventListener("click", () => visit(map.places[map.focus]));
  $("closer").addEventListener("click", () => zoom(1.5));
  $("farther").addEventListener("click", () => zoom(1 / 1.5));
  $("whole").addEventListener("click", showAll);
  $("colour").addEventListener("change", mapChanged);
  new ResizeObserver(drawMap).observe(canvas);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", mapChanged);
  for (const dialog of document.querySelectorAll("dialog")) dialog.addEventListener("close", () => map.on && canvas.focus());
}
