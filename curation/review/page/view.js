// Drawing: the large view, the queue, the progress, and the list of classes.

// The large view

function drawCard() {
  store.forget();
  const listing = store.listing(current);
  if (!listing) return drawLoading();
  document.body.classList.remove("loading");
  $("photo").removeAttribute("title");
  store.photo($("photo"), listing, listing.title || `Photo of ${listing.id}`, true);
  drawWhere();
  $("title").textContent = $("title").title = shown(listing.title || "(no title)");
  $("badges").replaceChildren(...listing.issues.map((name) => element("span", "badge", TITLES.get(name))));
  const reasons = listing.blind ? ["The suggestion is hidden until you decide."] : listing.reasons;
  $("reasons").replaceChildren(...reasons.map((reason) => element("li", "", reason)));
  $("note").value = store.note(listing.id);
  drawDecided(listing.id);
  $("labels").replaceChildren(
    ...label("given", listing.given, listing.givenChance, "bad"),
    ...label("suggested", listing.suggested, listing.suggestedChance, "good"),
  );
  drawPrice(listing);
  drawBeside(listing);
  $("only").hidden = !listing.reposts.length;
  const button = (name) => document.querySelector(`[data-do=${name}]`);
  button("keep").disabled = listing.given === null;
  button("accept").disabled = !listing.suggested || listing.suggested === listing.given;
  button("fits").hidden = listing.fits === null;
  $("fits-price").textContent = listing.fits === null ? "" : `${amount(listing.fits)} fits`;
  button("price").hidden = !data.priced;
}

// while the listing is on its way: its place, and nothing that could be taken for it
function drawLoading() {
  document.body.classList.add("loading");
  $("photo").replaceChildren(element("span", "none", store.index.size ? "loading" : "Nothing is flagged: there is nothing to review."));
  drawWhere();
  for (const id of ["title", "badges", "reasons", "labels", "price", "beside"]) $(id).replaceChildren();
  $("note").value = "";
  store.drawWords("");
  $("decided").hidden = $("only").hidden = true;
}

function drawWhere() {
  const { ids, rank, size } = store.index;
  $("where").textContent = size ? shown([`${rank[current] + 1} of ${size}`, ids[current]].filter(Boolean).join(" · ")) : "";
}

function drawDecided(id) {
  const decision = store.held(id);
  store.drawWords(id);
  $("decided").hidden = !decision;
  if (!decision) return;
  $("decided").className = decision.decision;
  $("decided").textContent = shown(`${stateMark(id, decision)} ${inWords(decision)}`);
}

const stateMark = (id, decision) => (store.isPending(id) ? "…" : MARKS[decision.decision]);

function label(what, name, chance, side) {
  if (name === null && what === "suggested") return [];
  const row = [element("span", "what", what), element("span", "name", name === null ? "(no label)" : name)];
  row.push(element("span", "chance", percent(chance)));
  row[2].title = "probability that this label is right";
  if (chance === null) return row;
  const meter = element("div", "meter");
  const bar = element("div", side === "bad" && chance >= 0.5 ? "good" : side);
  bar.style.width = `${100 * chance}%`;
  meter.append(bar);
  return [...row, meter];
}

function drawPrice({ id, price, low, high, fits }) {
  const box = $("price");
  const decision = store.held(id);
  const corrected = decision ? (decision.new_price ?? null) : null;
  const line = element("p");
  line.append(price === null ? element("span", "quiet", "no price") : element("strong", "", money(price)));
  if (corrected !== null) line.append(element("strong", "relabel-mark", ` → ${money(corrected)}`));
  else if (fits !== null) line.append(element("span", "relabel-mark", `  ${money(fits)} would fit${isNarrow() ? "" : ": f"}`));
  if (price === null) return box.replaceChildren(line);
  if (low === null || high === null) return box.replaceChildren(line);
  line.append(element("span", "quiet", `  usually ${amount(low)} to ${amount(high)}`));
  if (!(price > 0 && low > 0)) return box.replaceChildren(line);
  box.replaceChildren(line, scale(price, low, high));
}

function scale(price, low, high) {
  const [left, right] = [Math.log(Math.min(price, low) / 2), Math.log(Math.max(price, high) * 2)];
  const at = (value) => `${(100 * (Math.log(value) - left)) / (right - left)}%`;
  const drawn = element("div", "scale");
  drawn.setAttribute("role", "img");
  drawn.setAttribute("aria-label", `price ${amount(price)} against the usual ${amount(low)} to ${amount(high)}, log scale`);
  const [usual, mark] = [element("div", "usual"), element("div", "mark")];
  usual.style.left = at(low);
  usual.style.right = `calc(100% - ${at(high)})`;
  mark.style.left = at(price);
  drawn.append(usual, mark);
  return drawn;
}

function drawBeside(listing) {
  const sections = [
    [`Reposts: ${named("o")} deletes these`, listing.reposts, "reposts"],
    [`Sound ${listing.given} (given)`, listing.likeGiven, ""],
    [`Sound ${listing.suggested} (suggested)`, listing.likeSuggested, ""],
  ].filter(([, listings]) => listings.length);
  $("beside").replaceChildren(...sections.map((section) => strip(...section)));
}

function strip(title, listings, name) {
  const [section, heading, tiles] = [element("section", name), element("h3", "", title), element("div", "strip")];
  heading.title = title;
  section.append(heading, tiles);
  tiles.append(...listings.map((other) => tile(store.beside(other), name === "reposts")));
  return section;
}

function tile(listing, group) {
  const made = element(listing.place >= 0 ? "button" : "div", "tile");
  const picture = element("div", "thumb");
  made.append(picture);
  store.photo(picture, listing, listing.title || listing.id, false);
  const decision = store.held(listing.id);
  const state = group && decision ? `${MARKS[decision.decision]} ${WORDS[decision.decision]}` : null;
  const price = listing.price === null ? null : money(listing.price);
  const lines = group ? [state, listing.given, price, listing.id] : [price, listing.title];
  made.append(...lines.filter(Boolean).map((line) => element("span", line === state ? `${decision.decision}-mark` : "", line)));
  made.title = [listing.id, listing.title, listing.given].filter(Boolean).join("\n");
  if (listing.place >= 0) made.addEventListener("click", () => visit(listing.place));
  return made;
}

// The queue: only the rows in sight are in the page

const rows = new Map();

function drawRows() {
  const list = $("list");
  const first = Math.max(0, Math.floor(list.scrollTop / ROW) - 2);
  const inSight = filtered.slice(first, first + Math.ceil(list.clientHeight / ROW) + 4);
  store.inSight = inSight;
  for (const [place, row] of rows) if (!inSight.includes(place)) rows.delete(place) && row.remove();
  inSight.forEach((place, number) => {
    if (!rows.has(place)) rows.set(place, makeRow(place));
    const [row, there] = [rows.get(place), $("rows").children[number]];
    // Tab goes through them in this order
    if (row !== there) $("rows").insertBefore(row, there || null);
    drawRow(row, place, first + number);
  });
  $("rows").style.height = `${ROW * filtered.length}px`;
  $("matches").textContent = filtered.length === store.index.size ? `${store.index.size} listings` : `${filtered.length} of ${store.index.size} listings`;
}

function makeRow(place) {
  const { id, title, given, suggested, blind } = store.row(place) || { id: store.index.ids[place] || "", title: null, given: "", suggested: null };
  const row = element("button", "item");
  row.type = "button";
  const [picture, words] = [element("div", "thumb"), element("div", "words")];
  const kinds = blind ? "" : kindsOf(place).map(({ title }) => title).join(", ");
  const last = suggested && suggested !== given ? `→ ${suggested}` : kinds;
  const label = given === null ? "(no label)" : given;
  words.append(element("span", "", title || id), element("span", "quiet", label), element("span", "quiet", last));
  row.append(picture, words, element("span", "state"));
  row.title = [id, title, label, last, kinds].filter(Boolean).join("\n");
  row.addEventListener("click", () => visit(place));
  if (store.row(place)) store.photo(picture, { id, place }, "", false);
  const item = element("div");
  item.setAttribute("role", "listitem");
  item.append(row);
  return item;
}

// rows that were drawn before they were loaded
function redrawRows(places) {
  for (const place of places) if (rows.has(place)) rows.get(place).remove(), rows.delete(place);
  drawRows();
}

function drawRow(item, place, number) {
  const row = item.firstChild;
  const id = store.index.ids[place];
  const decision = store.held(id);
  row.style.top = `${ROW * number}px`;
  row.setAttribute("aria-current", String(place === current));
  item.setAttribute("aria-posinset", number + 1);
  item.setAttribute("aria-setsize", filtered.length);
  row.lastChild.textContent = decision ? stateMark(id, decision) : "";
  row.lastChild.className = decision ? `state ${decision.decision}-mark` : "state";
  row.lastChild.title = decision ? inWords(decision) : "";
}

function showRow() {
  const at = filtered.indexOf(current);
  const list = $("list");
  if (at >= 0 && ROW * at < list.scrollTop + ROW) list.scrollTop = ROW * (at - 1);
  else if (at >= 0 && ROW * (at + 2) > list.scrollTop + list.clientHeight) list.scrollTop = ROW * (at + 2) - list.clientHeight;
  drawRows();
}

// Progress

function drawProgress() {
  const { actions, order, size } = store.index;
  const counts = new Uint32Array(ACTIONS.length + 1);
  for (const place of order) counts[actions[place]]++;
  const done = size - counts[0];
  $("bar").setAttribute("aria-valuemax", size);
  $("bar").setAttribute("aria-valuenow", done);
  $("bar-done").style.width = `${size ? (100 * done) / size : 0}%`;
  const parts = ACTIONS.map((name, number) => counts[number + 1] && `${counts[number + 1]} ${WORDS[name]}`).filter(Boolean);
  $("counts").textContent = size ? `${done} of ${size} ${data.conflicts ? "conflicts settled" : "decided"}` : "";
  if (parts.length) $("counts").append(element("span", "wide", ` · ${parts.join(" · ")}`));
  drawHint(counts[0]);
  store.drawState();
}

function drawHint(left) {
  const { actions, order, worth } = store.index;
  let [sum, open, next, ahead, estimated] = [0, 0, 0, 0, false];
  for (const place of order) {
    const known = !Number.isNaN(worth[place]);
    estimated ||= known;
    if (actions[place]) continue;
    if (known) sum += worth[place], open++;
    if (ahead < AHEAD && known) next += worth[place], ahead++;
  }
  // those whose chance is hidden are as the others
  if (data.blind && open) sum *= left / open;
  // a conflict is to be settled, whatever is expected of its listing
  if (data.conflicts) estimated = false;
  // the interval is that of all that was left when the queue learned
  const dropped = store.dropped >= 0 && !actions[store.dropped] ? 1 : 0;
  const learned = store.learned?.left === left - dropped ? store.learned : null;
  const all = isNarrow() ? "left" : `of the ${left} left`;
  const reach = learned && !isNarrow() ? `, 95 % ${Math.round(learned.low)} to ${Math.round(learned.high)}` : "";
  $("expected").textContent = estimated && left ? `· about ${Math.round(learned ? learned.changes : sum)} ${all} need a change${reach}` : "";
  if (run.drawn) $("expected").textContent = `· ${run.drawn}`;
  let text = "";
  if (!store.index.size) text = run.nothing;
  else if (!left) text = `${data.conflicts ? "Every conflict is settled." : "Everything is decided."} ${run.then}`;
  else if (estimated && next < 1)
    text = `You can stop here: of the next ${count(Math.min(AHEAD, left), "listing")}, less than one is expected to need a change.`;
  if ($("hint").textContent !== text) $("hint").textContent = text;
  $("hint").hidden = !text;
}

// The list of classes

let choices = [];
let chosen = 0;
let asked = { listing: null, then: relabel }; // for what, and what is done with the class
let fresh = ""; // what was typed, if it would be a new class; it stands after the others

function openClasses(listing = here(), then = relabel) {
  if (!listing) return;
  asked = { listing, then };
  $("class-filter").value = "";
  $("classes").showModal();
  drawClasses();
}

function drawClasses() {
  const { likely, given, givenChance, suggested, suggestedChance } = asked.listing;
  const typed = $("class-filter").value;
  const chances = new Map([[given, givenChance], [suggested, suggestedChance]]);
  const order = likely.map((number) => data.classes[number]);
  choices = [...new Set([...(suggested ? [suggested] : []), ...order, ...classes()])];
  choices = choices.filter((name) => sameName(name).includes(sameName(typed)));
  // a class that differs in nothing but how it is written is that class
  fresh = sameName(typed) && !classes().some((name) => sameName(name) === sameName(typed)) ? asName(typed) : "";
  chosen = 0;
  $("class-list").replaceChildren(
    ...choices.map((name, number) => {
      const item = element("li");
      item.id = `class-${number}`;
      item.setAttribute("role", "option");
      const added = data.classes.includes(name) ? "" : "new class";
      const notes = [name === given ? "given" : "", added, percent(chances.get(name) ?? null)];
      item.append(element("span", "number", number < 9 ? number + 1 : ""), element("span", "name", name));
      item.append(element("span", "", notes.filter(Boolean).join(" · ")));
      item.addEventListener("click", () => choose(number));
      return item;
    }),
  );
  if (fresh) $("class-list").append(freshItem());
  mark(0);
}

function freshItem() {
  const item = element("li");
  item.id = `class-${choices.length}`;
  item.setAttribute("role", "option");
  item.append(element("span", "number", "+"), element("span", "name", `New class “${fresh}”`));
  item.addEventListener("click", () => choose(choices.length));
  return item;
}

function mark(number) {
  const last = choices.length - (fresh ? 0 : 1);
  if (last < 0) return;
  chosen = Math.min(Math.max(number, 0), last);
  [...$("class-list").children].forEach((item, place) => item.setAttribute("aria-selected", String(place === chosen)));
  $("class-filter").setAttribute("aria-activedescendant", `class-${chosen}`);
  $("class-list").children[chosen].scrollIntoView({ block: "nearest" });
}

function choose(number) {
  const name = choices[number];
  if (name === undefined && !(fresh && number === choices.length)) return;
  $("classes").close();
  if (name === undefined) confirmClass();
  else asked.then(name);
}

function confirmClass() {
  $("fresh-name").textContent = fresh;
  $("adding").showModal();
  $("add-class").focus();
}

function addClass() {
  $("adding").close();
  asked.then(fresh);
}

function classKey(event) {
  const typed = ($("class-filter").value + event.key).toLowerCase();
  const isNumber = /^[1-9]$/.test(event.key) && Number(event.key) <= choices.length;
  const isDigit = isNumber && !classes().some((name) => $("class-filter").value && name.toLowerCase().includes(typed));
  if (isDigit) choose(Number(event.key) - 1);
  else if (event.key === "ArrowDown") mark(chosen + 1);
  else if (event.key === "ArrowUp") mark(chosen - 1);
  else if (event.key === "Enter") choose(chosen);
  else return;
  event.preventDefault();
}
