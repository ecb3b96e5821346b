
// Keys, buttons, and the start.

const DO = {
  keep: keepLabel, accept, relabel: () => openClasses(), fits, price: openPrice, several: () => decide("ambiguous"),
  delete: () => decide("delete"), only, undo,
  note: () => $("note").focus(), next: () => move(1), previous: () => move(-1),
  search: () => $("search").focus(), help: openHelp,
};
const DECIDING = new Set(["keep", "accept", "relabel", "fits", "price", "several", "delete", "only"]);
const KEYS = {
  k: "keep", a: "accept", e: "relabel", f: "fits", p: "price", s: "several", d: "delete", o: "only", u: "undo",
  n: "note", j: "next", J: "previous",
  ArrowRight: "next", ArrowDown: "next", ArrowLeft: "previous", ArrowUp: "previous", "/": "search", "?": "help",
};

function key(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
  if (store.key(event)) return event.preventDefault();
  if (/^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName)) {
    if (event.key === "Escape" || (event.key === "Enter" && event.target.tagName === "INPUT")) $("card").focus();
    return;
  }
  // with caps lock on, K is k
  const letter = event.key.length === 1 && !event.shiftKey ? event.key.toLowerCase() : event.key;
  const action = KEYS[letter];
  // a key that is held down must not decide on the next listings
  if (!action || (event.repeat && action !== "next" && action !== "previous")) return;
  event.preventDefault();
  act(action);
}

// while the server takes the latest decision back, no key counts: it would be for a listing that nobody sees yet
function act(action) {
  if (store.busy) say("Waiting for the undo: keys count again once it is here.");
  else if (store.does(action)) store.does(action)();
  else if (!DECIDING.has(action) || !isOver()) DO[action]();
}

function openHelp() {
  $("keys").showModal();
  $("keys").querySelector(".scroll").scrollTop = 0;
}

function refresh() {
  filter();
  drawProgress();
  drawCard();
  showRow();
}

function fillFilters() {
  const option = (value, text) => Object.assign(element("option", "", text), { value });
  $("kind").append(option("", "all kinds"), ...data.kinds.map(({ name, title }) => option(name, title)));
  countKinds();
  // a page of an audit or of test listings has neither
  $("kind").hidden = document.querySelector("[data-do=accept]").hidden = Boolean(run.drawn);
}

function countKinds() {
  const { kinds, order } = store.index;
  data.kinds.forEach(({ title }, bit) => {
    let count = 0;
    for (const place of order) if (kinds[place] & (1 << bit)) count++;
    $("kind").children[bit + 1].textContent = shown(`${title} (${count})`);
  });
}

// no key opens a field on a narrow screen
function drawHints() {
  $("note").placeholder = isNarrow() ? "your own words" : "n: your own words";
  $("search").placeholder = isNarrow() ? "Search id or title" : "Search id or title ( / )";
  $("class-filter").placeholder = `Type to filter or for a new class${isNarrow() ? "" : ", 1–9 to choose"}`;
}

function listen() {
  document.addEventListener("keydown", key);
  for (const button of document.querySelectorAll("[data-do]")) button.addEventListener("click", () => act(button.dataset.do));
  for (const name of ["kind", "state", "search"]) $(name).addEventListener("input", narrowed);
  for (const list of document.querySelectorAll("select")) {
    // after a choice with the mouse, the next key is for the listing again
    list.addEventListener("pointerdown", () => (list.dataset.mouse = "yes"));
    list.addEventListener("change", () => list.dataset.mouse && delete list.dataset.mouse && $("card").focus());
  }
  $("list").addEventListener("scroll", drawRows, { passive: true });
  window.addEventListener("resize", () => (drawRows(), drawHints()));
  $("note").maxLength = data.max_note;
  $("note").addEventListener(store.noteEvent, writeNote);
  $("class-filter").addEventListener("input", drawClasses);
  $("class-filter").addEventListener("keydown", classKey);
  $("add-class").addEventListener("click", addClass);
  $("new-price").addEventListener("input", drawTyped);
  $("new-price").addEventListener("keydown", (event) => event.key === "Enter" && setPrice());
  $("set-price").addEventListener("click", setPrice);
  $("help").addEventListener("click", openHelp);
  $("open-queue").addEventListener("click", () => {
    const open = document.body.classList.toggle("show-queue");
    $("open-queue").setAttribute("aria-expanded", String(open));
    showRow();
  });
  for (const button of document.querySelectorAll("[data-close]")) button.addEventListener("click", () => button.closest("dialog").close());
  for (const dialog of document.querySelectorAll("dialog")) dialog.addEventListener("close", () => $("card").focus());
  store.listen();
}

function start() {
  store.open();
  fillFilters();
  drawHints();
  listen();
  current = store.start();
  refresh();
  store.ahead(following(12));
  $("card").focus();
}

start();
