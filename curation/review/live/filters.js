
// Filters that the server knows: class, class pair, price, seller, and the order. And one decision on all that pass.

const narrowing = {
  found: null, // what the server says passes, in its order; null: all
  places: null, // those of them that the page has, in the order of the page; null: all, as they are
  ranks: null, // where each place is in it
  sort: "priority",
  asked: 0,
};
const counted = { given: [], pairs: [], sellers: null }; // with how many are left of each

const number = (id) => (($(id).value = $(id).value.trim()) ? (readPrice($(id).value).price ?? null) : null);
const coded = (text) => (text === "" ? null : Number(text));

// what is chosen beyond kind, state and words
function further() {
  const [given, suggested] = $("pair").value ? $("pair").value.split(" ") : [$("given").value, ""];
  return { given: coded(given), suggested: coded(suggested), low: number("low"), high: number("high"), seller: $("seller").value || null, sort: $("sort").value };
}

const wanted = () => ({ ...further(), kind: $("kind").value, words: $("search").value.trim() });

async function narrow() {
  const asked = ++narrowing.asked;
  const chosen = further();
  const active = Object.entries(chosen).filter(([name, value]) => value !== null && name !== "sort").length;
  $("active").textContent = active ? ` (${active} on)` : "";
  try {
    const found = active || chosen.sort !== "priority" ? await ask("/narrow", { filter: chosen }) : null;
    if (asked !== narrowing.asked) return; // another choice was made meanwhile
    narrowing.found = found;
    settle(chosen.sort);
    reordered(chosen.sort);
  } catch (error) {
    say(error.message);
  }
}

// which places pass, in their order; `stays` is among them where it was, whether it passes or not
function settle(sort, stays = null) {
  const { found, places: before } = narrowing;
  if (!found) return ([narrowing.places, narrowing.ranks] = [null, null]);
  const there = new Set(found);
  const at = before && !there.has(stays) ? before.indexOf(stays) : -1;
  let places = found.filter((place) => index.rank[place] >= 0);
  if (sort === "priority") places = [...index.order].filter((place) => there.has(place) || (at >= 0 && place === stays));
  else if (at >= 0) places.splice(places.indexOf(before.slice(0, at).findLast((place) => there.has(place))) + 1, 0, stays);
  narrowing.places = places;
  narrowing.ranks = new Int32Array(index.ids.length).fill(-1);
  places.forEach((place, rank) => (narrowing.ranks[place] = rank));
}

// decisions have taught something: the same filters, of today's queue. What is on the screen stays
async function narrowAgain() {
  const { asked, found, sort } = narrowing;
  const { words, places } = finding;
  settle(sort, current);
  filter();
  if ($("further").open) loadCounts();
  try {
    const [passing, named] = await Promise.all([found && ask("/narrow", { filter: further() }), places && ask(`/find?words=${encodeURIComponent(words)}`)]);
    if (named && finding.words === words) finding.places = new Set(named);
    if (passing && asked === narrowing.asked) {
      narrowing.found = passing;
      settle(sort, current);
    }
  } catch {
    return; // the news say what is wrong
  }
  filter();
  showRow();
  store.ahead(following(12));
}

// another order begins with its first listing that is left to decide
function reordered(sort) {
  const isOther = narrowing.sort !== sort;
  narrowing.sort = sort;
  narrowed();
  if (isOther && filtered.length) go(filtered.find((place) => !index.actions[place]) ?? filtered[0]);
}

async function loadCounts() {
  try {
    Object.assign(counted, await ask("/counts"));
  } catch {
    return; // the news say what is wrong
  }
  fill("given", "all classes", counted.given.map(([code, name, many]) => [code, `${name ?? "(no label)"} (${many})`]));
  fillPairs();
  $("seller-row").hidden = !counted.sellers;
  fill("seller", "all sellers", (counted.sellers || []).map(([name, many]) => [name, `${name} (${many})`]));
}

function fillPairs() {
  const given = $("given").value;
  const pairs = counted.pairs.filter(([code]) => given === "" || code === Number(given));
  fill("pair", "all pairs", pairs.map(([one, other, from, to, many]) => [`${one} ${other}`, `${from ?? "(no label)"} → ${to ?? "(none)"} (${many})`]));
}

// the choice that was made stays, also when nothing is left of it
function fill(id, all, options) {
  const { value, selectedOptions } = $(id);
  const made = options.map(([code, text]) => Object.assign(element("option", "", text), { value: String(code) }));
  if (value && !made.some((option) => option.value === value)) made.push(selectedOptions[0].cloneNode(true));
  $(id).replaceChildren(Object.assign(element("option", "", all), { value: "" }), ...made);
  $(id).value = value;
}

function unfilter() {
  for (const id of ["given", "pair", "low", "high", "seller", "search", "kind"]) $(id).value = "";
  [$("state").value, $("sort").value] = ["all", "priority"];
  fillPairs();
  narrow();
}

function listenFilters() {
  $("further").addEventListener("toggle", () => $("further").open && loadCounts());
  for (const id of ["given", "pair", "seller"]) $(id).addEventListener("focus", loadCounts);
  $("given").addEventListener("change", () => {
    $("pair").value = "";
    fillPairs();
  });
  for (const id of ["given", "pair", "low", "high", "seller", "sort"]) $(id).addEventListener("change", narrow);
  $("unfilter").addEventListener("click", unfilter);
  $("all-decision").addEventListener("change", drawAll);
  $("decide-all").addEventListener("click", decideAll);
}

// All that pass the filters

const all = { places: [], labels: [], none: [], unlabelled: [], shown: [] };

async function openAll() {
  if (!isLoaded()) return say("The queue is still being loaded.");
  const picked = grids.picked && new Set(grids.picked.places);
  const places = filtered.filter((place) => !index.actions[place] && (!picked || picked.has(place)));
  if (!places.length) return say("Nothing is left to decide in this list.");
  try {
    // listings that others decided on meanwhile are not among them
    const plan = await ask("/suggestions", { places });
    Object.assign(all, plan, { places: [...plan.labels.flatMap(([, some]) => some), ...plan.none] });
  } catch (error) {
    return say(error.message);
  }
  if (!all.places.length) return say(data.blind ? "Only listings with a hidden suggestion are left here: decide on each by itself." : "Nothing is left to decide in this list.");
  const chosen = ["kind", "given", "pair", "seller"].filter((id) => $(id).value).map((id) => $(id).selectedOptions[0].textContent);
  const words = $("search").value.trim();
  const range = $("low").value || $("high").value ? `price ${$("low").value || "…"} to ${$("high").value || "…"}` : "";
  $("all-title").textContent = `Decide all of these ${all.places.length}?`;
  $("all-filters").textContent = shown([picked && "Picked on the map", ...chosen, words && `“${words}”`, range].filter(Boolean).join(" · ") || "The whole queue: no filter is set.");
  const options = [["relabel", "relabel as suggested"], ["keep", "keep"], ["ambiguous", "several labels fit"], ["delete", "delete"]];
  $("all-decision").replaceChildren(...options.map(([value, text]) => Object.assign(element("option", "", text), { value })));
  $("all-decision").value = all.labels.length ? "relabel" : "keep";
  drawAll();
  $("all").showModal();
  $("decide-all").focus();
}

// [[places, decision, label]]: what the chosen decision says, and of whom
function meant() {
  const decision = $("all-decision").value;
  if (decision === "relabel") return all.labels.map(([label, places]) => [places, "relabel", label]);
  const without = new Set(decision === "keep" ? all.unlabelled : []);
  return [[all.places.filter((place) => !without.has(place)), decision, null]];
}

function drawAll() {
  const said = meant();
  const total = said.reduce((sum, [places]) => sum + places.length, 0);
  const verb = { relabel: "Relabel", keep: "Keep", ambiguous: "Say “several fit” of", delete: "Delete" }[$("all-decision").value];
  $("decide-all").textContent = `${verb} ${count(total, "listing")}`;
  $("decide-all").disabled = !total;
  const rest = all.places.length - total;
  const why = $("all-decision").value === "keep" ? "no label to keep" : "no suggestion that is likelier than the label";
  const labels = said.filter(([, , label]) => label).map(([places, , label]) => `${label} (${places.length})`);
  const more = labels.length > 12 ? [...labels.slice(0, 12), `${count(labels.length - 12, "more class")}`] : labels;
  $("all-what").textContent = shown([labels.length && `As ${more.join(", ")}.`, rest && `${count(rest, "listing")} with ${why}: left undecided.`].filter(Boolean).join(" "));
}

function decideAll() {
  const said = meant();
  $("all").close();
  const suggested = new Map(all.shown.flatMap(([label, price, places]) => places.map((place) => [place, [label, price]])));
  decideMany(said, suggested);
  if (grids.on) restartGrids();
  else advance("");
}

// One step of many decisions, of places and what it says of them; listings that others decided on meanwhile are left out
// place -> what was suggested: a part of the step has one label and one suggestion
function decideMany(said, suggested, words = "") {
  const alike = new Map();
  for (const [places, action, label, isNew] of said) {
    for (const place of places) {
      const part = { ids: [], action, label, new_class: Boolean(isNew), undecided: true, shown: suggested.get(place) };
      const key = JSON.stringify([action, label, part.shown]);
      if (!alike.has(key)) alike.set(key, part);
      alike.get(key).ids.push(index.ids[place]);
    }
  }
  const parts = [...alike.values()];
  const shows = parts.flatMap(({ ids, action, label, new_class }) =>
    ids.map((id) => [id, { decision: action, new_label: label || "", new_price: null, new_class, reviewer: run.reviewer, note: store.note(id) }]));
  const saved = outbox.add(parts, shows);
  for (const { new_class, label } of parts) if (new_class) added.add(label);
  for (const [id, made] of shows) index.decided(id, made);
  filter();
  drawProgress();
  drawRows();
  const labels = new Set(parts.map(({ action, label }) => `${action} ${label}`));
  const what = [...new Set(parts.map(({ action, label }) => inWords({ decision: action, new_label: labels.size > 2 ? "" : label })))].join(", ");
  saved.then((ids) => {
    const others = shows.length - ids.length;
    const left = others ? ` ${count(others, "listing")} ${others === 1 ? "was" : "were"} decided meanwhile by somebody else, and left out.` : "";
    say(`${count(ids.length, "listing")} ${what}.${left}${words}`);
  }, say);
  return saved;
}
