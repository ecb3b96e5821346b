// The card beside the open photo.

const percent = (chance) => (chance < 0.005 ? "<1 %" : chance > 0.995 ? ">99 %" : `${Math.round(chance * 100)} %`);
const amount = (value) => value.toLocaleString("en", { maximumFractionDigits: value < 100 ? 2 : 0 });
// what a decision writes, with all its digits
const exact = (value) => value.toLocaleString("en", { maximumFractionDigits: 10 });
const photo = (path) => `/media?filepath=${encodeURIComponent(path)}`;
const box = (style, ...children) => h("div", { style }, ...children);

const TEXT = { color: "var(--fo-palette-text-primary)", fontSize: 14, lineHeight: 1.4 };
const PANEL = { ...TEXT, padding: "12px 16px", height: "100%", overflowY: "auto", boxSizing: "border-box" };
const FAINT = { color: "var(--fo-palette-text-secondary)", fontSize: 12 };
const ROW = { display: "flex", gap: 8, flexWrap: "wrap", alignItems: "center" };

function Card() {
  const sample = window.recoil.useRecoilValue(window.__fos__.nullableModalSampleId);
  const [, again] = useReducer((count) => count + 1, 0);
  const last = useRef(null);
  open.goTo = window.recoil.useRecoilCallback(({ snapshot, set }) => (id) => {
    if (snapshot.getLoadable(window.__fos__.modalSelector).contents) set(window.__fos__.modalSelector, { id });
  });
  useEffect(() => {
    window.addEventListener("curate:drawn", again);
    window.addEventListener("curate:changed", load);
    return () => {
      window.removeEventListener("curate:drawn", again);
      window.removeEventListener("curate:changed", load);
      opened(null);
    };
  }, []);
  useEffect(() => opened(sample), [sample]);
  // card and photo change in the same frame
  useLayoutEffect(cover);
  const card = (last.current = open.cards.get(shown()) ?? last.current);
  if (!card || !card.id) return box({ ...TEXT, padding: 16 }, (card && card.error) || "");
  return h(
    "div",
    // FiftyOne's arrow to the next photo lies over the right edge
    { "data-listing": card.id, style: { ...PANEL, paddingRight: 56 } },
    h("div", { style: { fontSize: 16, fontWeight: 600 } }, card.title || card.id),
    box({ ...ROW, margin: "4px 0 10px" }, h("span", { style: FAINT }, card.id), ...card.issues.map(badge)),
    decided(card.decision),
    box(
      { display: "flex", gap: 12 },
      label("Given", card.given, card.given_chance, card.like_given),
      label("Suggested", card.suggested, card.suggested_chance, card.like_suggested),
    ),
    price(card),
    h("ul", { style: { margin: "10px 0", paddingLeft: 18, listStyle: "disc" } }, ...card.reasons.map((why) => h("li", { key: why }, why))),
    buttons(card),
    reposts(card.reposts),
  );
}

function badge(kind) {
  const style = { ...FAINT, background: "#5c6bc0", color: "#fff", borderRadius: 8, padding: "1px 8px" };
  return h("span", { key: kind, style }, kind.replaceAll("_", " "));
}

function decided(decision) {
  if (!decision) return null;
  const what = WORDS[decision.action];
  const label = decision.new_label ? ` as ${decision.new_label}` : "";
  const cost = decision.new_price == null ? "" : `${decision.action === "reprice" ? " to" : ", for"} ${exact(decision.new_price)}`;
  const made = what ? `${what}${label}${cost} by ${decision.reviewer}` : "";
  const words = [made, decision.note && `“${decision.note}”`].filter(Boolean).join(": ");
  const colour = COLOURS[decision.action] || COLOURS.undo;
  return box({ borderLeft: `4px solid ${colour}`, padding: "2px 8px", margin: "0 0 10px" }, words);
}

function label(role, name, chance, examples) {
  return box(
    { flex: 1, minWidth: 0 },
    h("div", { style: FAINT }, role),
    h("div", { style: { fontWeight: 600 } }, name || "–"),
    name && chance != null && bar(chance),
    name && h("div", { style: { ...FAINT, margin: "8px 0 4px" } }, examples.length ? "Similar sound listings" : ""),
    name && box({ display: "flex", gap: 4 }, ...examples.map(example)),
  );
}

function bar(chance) {
  const full = { flex: 1, height: 6, borderRadius: 3, background: "var(--fo-palette-divider)", overflow: "hidden" };
  const part = { width: `${chance * 100}%`, height: "100%", background: chance < 0.5 ? COLOURS.delete : COLOURS.keep };
  return box({ display: "flex", gap: 8, alignItems: "center" }, box(full, box(part)), h("span", { style: FAINT }, percent(chance)));
}

function example({ id, photo: path, title, price: cost }) {
  const words = [title || id, cost == null ? "" : amount(cost)].filter(Boolean).join(", ");
  const style = { width: "33%", aspectRatio: "1", objectFit: "cover", borderRadius: 4, minWidth: 0 };
  return h("img", { key: id, src: photo(path), alt: words, title: words, loading: "lazy", style });
}

// A line from cheap to expensive with the usual range and the price as a dot, on a logarithmic scale.
function price({ price: cost, price_low: low, price_high: high, suggested_price: fits, currency }) {
  if (cost == null) return null;
  const unit = currency ? ` ${currency}` : "";
  const usual = low == null ? "" : `, usually ${amount(low)} to ${amount(high)}`;
  const words = `${amount(cost)}${unit}${usual}` + (fits == null ? "" : `; ${exact(fits)} would fit`);
  const line = low > 0 && cost > 0 && high > low ? range(Math.log(cost), Math.log(low), Math.log(high)) : null;
  return box({ marginTop: 12 }, h("div", { style: FAINT }, "Price"), h("div", null, words), line);
}

function range(cost, low, high) {
  const from = Math.min(cost, low) - 0.4;
  const to = Math.max(cost, high) + 0.4;
  const at = (value) => `${((value - from) / (to - from)) * 100}%`;
  const width = `${((high - low) / (to - from)) * 100}%`;
  const colour = cost < low || cost > high ? COLOURS.delete : COLOURS.keep;
  const dot = { position: "absolute", left: at(cost), top: 0, width: 12, height: 12, marginLeft: -6, borderRadius: 6, background: colour };
  return box(
    { position: "relative", height: 12, margin: "4px 6px" },
    box({ position: "absolute", top: 5, left: 0, right: 0, height: 2, background: "var(--fo-palette-divider)" }),
    box({ position: "absolute", top: 3, left: at(low), width, height: 6, borderRadius: 3, background: "#78909c" }),
    box(dot),
  );
}

function buttons(card) {
  const differs = card.suggested && card.suggested !== card.given;
  return box(
    { ...ROW, margin: "4px 0 12px" },
    card.given != null && button("keep", "Keep", "k", COLOURS.keep),
    differs && button("accept", card.suggested, "a", COLOURS.relabel),
    button("ask_relabel", "Relabel…", "e", COLOURS.relabel),
    card.suggested_price != null && button("reprice", `Price ${exact(card.suggested_price)}`, "f", COLOURS.reprice),
    card.priced && button("ask_set_price", "Price…", "p", COLOURS.reprice),
    button("ambiguous", "Several fit", "s", COLOURS.ambiguous),
    button("delete", "Delete", "d", COLOURS.delete),
    card.reposts.length > 0 && button("keep_one", `Keep this, delete ${others(card.reposts.length)}`, "o", COLOURS.delete),
    button("ask_note", "Note…", "n", COLOURS.undo),
    button("undo", "Undo", "u", COLOURS.undo),
  );
}

const others = (number) => (number === 1 ? "the other" : `the ${number} others`);

function button(name, words, key, colour) {
  const style = { background: colour, color: "#fff", border: 0, borderRadius: 4, padding: "5px 10px", cursor: "pointer", font: "inherit" };
  // otherwise the button keeps the focus, and the next Enter or space presses it again
  const press = (event) => (event.currentTarget.blur(), act(name));
  return h("button", { key: name, style, onClick: press }, words, h("kbd", { style: { opacity: 0.75, marginLeft: 6 } }, key));
}

function reposts(listings) {
  if (!listings.length) return null;
  return box(
    {},
    h("div", { style: { ...FAINT, marginBottom: 4 } }, "Other listings with the same photo"),
    ...listings.slice(0, 12).map((listing) =>
      box(
        { display: "flex", gap: 8, marginBottom: 6, alignItems: "center" },
        h("img", { src: photo(listing.photo), alt: listing.id, style: { width: 56, height: 56, objectFit: "cover", borderRadius: 4 } }),
        box({ minWidth: 0 }, h("div", null, listing.title || listing.id), h("div", { style: FAINT }, repost(listing))),
      ),
    ),
    listings.length > 12 && h("div", { style: FAINT }, `and ${listings.length - 12} more`),
  );
}

const repost = ({ id, given, price: cost }) =>
  [id, given || "no label", cost == null ? "" : amount(cost)].filter(Boolean).join(" · ");
