
// Drawing the map: 200,000 points are drawn pixel by pixel in one picture, in some milliseconds

// ten colours that can be told apart, on white and on black; all others are grey
const PALETTE = [0x4e79a7, 0xf28e2b, 0x59a14f, 0xe15759, 0xb07aa1, 0x76b7b2, 0xd4a72c, 0xff7fa7, 0x9c755f, 0x6b6ecf];
const GREY = 0x8b919c;
// from a chance of 0 to 1
const CHANCES = [[0.1, 0x3b6fb5, "below 10 %"], [0.3, 0x4fa3a5, "10 to 30 %"], [0.5, 0xb5a72c, "30 to 50 %"], [0.8, 0xe08a2e, "50 to 80 %"], [Infinity, 0xd0342c, "above 80 %"]];
const PALE = 0.2; // how much is seen of a decided one

const drawing = {
  colours: new Uint32Array(0), // of each point, as its pixels
  picture: null,
  asked: 0,
  painted: -1, // points in the picture that is on the screen
};

// What each point is coloured by

function codesOf() {
  const wanted = $("colour").value;
  if (wanted === "given" || wanted === "suggested") return { codes: map[wanted], name: (code) => (code < 0 ? (wanted === "given" ? "(no label)" : "(no suggestion)") : map.names[code]) };
  const codes = new Int32Array(map.places.length);
  if (wanted === "kind") {
    // the first kind of each: the lowest bit that is set
    for (let point = 0; point < codes.length; point++) codes[point] = 31 - Math.clz32(index.kinds[map.places[point]] & -index.kinds[map.places[point]]);
    return { codes, name: (code) => (code < 0 ? "(not flagged)" : data.kinds[code].title) };
  }
  for (let point = 0; point < codes.length; point++) {
    const worth = index.worth[map.places[point]];
    codes[point] = Number.isNaN(worth) ? -1 : CHANCES.findIndex(([below]) => worth < below);
  }
  return { codes, name: (code) => (code < 0 ? "(not known)" : CHANCES[code][2]), colours: new Map(CHANCES.map(([, colour], code) => [code, colour])) };
}

function colourPoints() {
  const { codes, name, colours } = codesOf();
  const often = new Map();
  for (const code of codes) often.set(code, (often.get(code) || 0) + 1);
  const first = [...often.keys()].filter((code) => code >= 0).sort((one, other) => often.get(other) - often.get(one) || one - other);
  // by all points, so that a filter changes no colour
  const chosen = colours || new Map(first.slice(0, PALETTE.length).map((code, number) => [code, PALETTE[number]]));
  const pixelOf = new Map([...chosen].map(([code, colour]) => [code, ofPixel(colour)]));
  drawing.colours = Uint32Array.from(codes, (code) => pixelOf.get(code) ?? ofPixel(GREY));
  const counts = new Map();
  for (const point of map.shown) counts.set(codes[point], (counts.get(codes[point]) || 0) + 1);
  const named = [...chosen].filter(([code]) => counts.has(code)).map(([code, colour]) => [colour, name(code), counts.get(code)]);
  const others = [...counts].filter(([code]) => !chosen.has(code));
  const rest = others.reduce((sum, [, many]) => sum + many, 0);
  if (rest) named.push([GREY, others.length === 1 ? name(others[0][0]) : `${others.length} others`, rest]);
  drawLegend(named);
}

function drawLegend(named) {
  $("legend").replaceChildren(...named.map(([colour, name, many]) => {
    const [item, dot] = [element("li"), element("span", "dot")];
    dot.style.background = `#${colour.toString(16).padStart(6, "0")}`;
    item.append(dot, element("span", "", name), element("span", "quiet", many.toLocaleString("en")));
    item.title = shown(name);
    return item;
  }));
  const left = filtered.length - map.shown.length; // of those that pass the filters
  const why = [map.missing && "without a photo that can be compared", map.hidden && "with a hidden suggestion"].filter(Boolean).join(" or ");
  const decided = map.shown.reduce((sum, point) => sum + (index.actions[map.places[point]] ? 1 : 0), 0);
  const words = [`${count(map.shown.length, "listing")}`.replace(/\d+/, (digits) => Number(digits).toLocaleString("en")), decided && `${decided} decided (pale)`, left > 0 && `not on the map: ${count(left, "listing")} ${why}`.trim()];
  $("map-words").textContent = map.places.length ? words.filter(Boolean).join(" · ") : "";
}

// The picture

function drawMap() {
  if (!map.on || drawing.asked) return;
  drawing.asked = requestAnimationFrame(() => {
    drawing.asked = 0;
    paint();
  });
}

function paint() {
  const canvas = $("canvas");
  const { width, height } = stage();
  const sharp = Math.min(window.devicePixelRatio || 1, 2);
  const [wide, high] = [Math.round(width * sharp), Math.round(height * sharp)];
  const isThere = map.places.length > 0;
  $("map-why").textContent = isThere ? whyBlank() : map.why || "Loading";
  for (const id of ["lasso", "closer", "farther", "whole", "colour"]) $(id).disabled = !isThere;
  if (!wide || !high) return;
  if (canvas.width !== wide || canvas.height !== high || !drawing.picture) {
    [canvas.width, canvas.height] = [wide, high];
    drawing.picture = new ImageData(wide, high);
  }
  const context = canvas.getContext("2d");
  const pixels = new Uint32Array(drawing.picture.data.buffer);
  pixels.fill(ofPixel(asColour(getComputedStyle(canvas).backgroundColor)));
  const disc = discOf(radius() * sharp);
  for (const isDecided of [true, false]) stampDiscs(isDecided, pixels, wide, high, sharp, disc);
  context.putImageData(drawing.picture, 0, 0);
  context.setTransform(sharp, 0, 0, sharp, 0, 0);
  drawMarks(context);
  context.setTransform(1, 0, 0, 1, 0, 0);
  drawing.painted = isThere ? map.shown.length : -1;
  placeTip();
}

// why no point is on a map that is there
function whyBlank() {
  if (map.shown.length) return "";
  return filtered.length ? "None of the listings that pass the filters is on the map." : "No listing passes the filters.";
}

// few points are large, many small, and all grow as the map is enlarged
function radius() {
  const { width, height } = stage();
  const room = Math.sqrt((width * height) / Math.max(map.shown.length, 1)) / 6;
  const closer = Math.sqrt(viewed().scale / (0.94 * Math.min(width, height)));
  return Math.min(Math.max(Math.min(room, 5) * closer, 0.9), 9);
}

// [offset across, offset down, opacity]: a disc with soft edges
function discOf(size) {
  const pixels = [];
  const reach = Math.ceil(size + 0.5);
  for (let down = -reach; down <= reach; down++) {
    for (let across = -reach; across <= reach; across++) {
      const covered = Math.min(Math.max(size + 0.5 - Math.hypot(across, down), 0), 1);
      if (covered > 0) pixels.push([across, down, Math.round(256 * covered)]);
    }
  }
  return { reach, pixels };
}

const asColour = (words) => words.match(/\d+/g).slice(0, 3).reduce((sum, part) => sum * 256 + Number(part), 0);
const ofPixel = (colour) => (0xff000000 | ((colour & 0xff) << 16) | (colour & 0xff00) | (colour >> 16)) >>> 0;

// those that are decided, or all others, the most urgent on top
function stampDiscs(isDecided, pixels, wide, high, sharp, { reach, pixels: disc }) {
  const { x, y, scale } = viewed();
  const { width, height } = stage();
  const [over, under, by] = [(width / 2 - x * scale) * sharp, (height / 2 - y * scale) * sharp, scale * sharp];
  const offsets = Int32Array.from(disc, ([right, below]) => below * wide + right);
  const weights = Int32Array.from(disc, ([, , weight]) => Math.round(weight * (isDecided ? PALE : 1)));
  for (let rank = map.shown.length - 1; rank >= 0; rank--) {
    const point = map.shown[rank];
    if (index.actions[map.places[point]] > 0 !== isDecided) continue;
    const right = Math.round(map.x[point] * by + over);
    const below = Math.round(map.y[point] * by + under);
    // a disc that the edge would cut is left out
    if (right < reach || below < reach || right >= wide - reach || below >= high - reach) continue;
    const colour = drawing.colours[point];
    const [odd, even] = [colour & 0xff00ff, colour & 0xff00];
    const at = below * wide + right;
    for (let number = 0; number < offsets.length; number++) {
      const weight = weights[number];
      const spot = at + offsets[number];
      if (weight === 256) {
        pixels[spot] = colour;
        continue;
      }
      // red and blue together, and green: two products of 32 bits instead of three
      const before = pixels[spot];
      const rest = 256 - weight;
      const outer = (Math.imul(odd, weight) + Math.imul(before & 0xff00ff, rest)) >>> 8;
      const inner = (Math.imul(even, weight) + Math.imul(before & 0xff00, rest)) >>> 8;
      pixels[spot] = 0xff000000 | (outer & 0xff00ff) | (inner & 0xff00);
    }
  }
}

function drawMarks(context) {
  const style = getComputedStyle($("canvas"));
  const ring = (point, size) => {
    context.beginPath();
    context.arc(across(map.x[point]), down(map.y[point]), radius() + size, 0, 2 * Math.PI);
    context.stroke();
  };
  context.strokeStyle = style.color;
  context.lineWidth = 2;
  if (map.hover >= 0) ring(map.hover, 2);
  if (map.focus >= 0) ring(map.focus, 4);
  if (!map.lasso) return;
  context.beginPath();
  for (let at = 0; at < map.lasso.length; at += 2) context.lineTo(across(map.lasso[at]), down(map.lasso[at + 1]));
  context.closePath();
  context.fillStyle = style.outlineColor;
  context.strokeStyle = style.outlineColor;
  context.globalAlpha = 0.15;
  context.fill();
  context.globalAlpha = 1;
  context.stroke();
}

// The photo of the point under the mouse, or of the one that the keys went to

function drawTip() {
  const point = map.hover >= 0 ? map.hover : map.focus;
  const tip = $("map-tip");
  $("nearest").disabled = $("open-point").disabled = map.focus < 0;
  tip.hidden = point < 0;
  clearTimeout(drawTip.timer);
  if (point < 0) return;
  const place = map.places[point];
  const row = rowsOf.kept.get(place);
  // who passes over many points asks for none of them
  if (!row) drawTip.timer = setTimeout(() => rowsOf.get(place), PAUSE);
  if (tip.dataset.place === String(place) && tip.dataset.loaded === String(Boolean(row))) return drawTipState(place);
  [tip.dataset.place, tip.dataset.loaded] = [place, Boolean(row)];
  const picture = element("div", "thumb");
  const named = (number, none) => (number < 0 ? none : map.names[number]);
  const { id, title } = row || { id: index.ids[place] || "", title: null };
  const labels = [named(map.given[point], "(no label)"), map.suggested[point] >= 0 && `→ ${named(map.suggested[point], "")}`].filter(Boolean);
  tip.replaceChildren(picture, element("strong", "", title || id), ...(title ? [element("span", "quiet", id)] : []), ...labels.map((label) => element("span", "", label)), element("span", "state"));
  if (row) store.photo(picture, { id, place }, "", false);
  drawTipState(place);
  placeTip();
}

function drawTipState(place) {
  const decision = store.held(index.ids[place]);
  const worth = index.worth[place];
  $("map-tip").lastChild.textContent = shown(decision ? `${stateMark(index.ids[place], decision)} ${inWords(decision)}` : Number.isNaN(worth) ? "" : `needs a change: ${percent(worth)}`);
}

// beside its point, on the side where there is room
function placeTip() {
  const point = map.hover >= 0 ? map.hover : map.focus;
  const tip = $("map-tip");
  if (point < 0 || tip.hidden) return;
  const { width, height } = stage();
  const [right, below] = [across(map.x[point]), down(map.y[point])];
  tip.style.left = `${Math.max(right + 16 + tip.offsetWidth > width ? right - 16 - tip.offsetWidth : right + 16, 0)}px`;
  tip.style.top = `${Math.min(Math.max(below - tip.offsetHeight / 2, 0), Math.max(height - tip.offsetHeight, 0))}px`;
}
