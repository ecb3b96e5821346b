// The keys of a review, the card beside the open photo, and the progress panel. Written by hand: nothing to build.
(function () {
  "use strict";

  const PLUGIN = "@curate/review";
  const { createElement: h, useEffect, useReducer, useRef, useState } = window.React;
  const { Operator, OperatorConfig, executeOperator, registerOperator } = window.__foo__;
  const COLOURS = { keep: "#2e7d32", relabel: "#ef6c00", reprice: "#00838f", ambiguous: "#6a1b9a", delete: "#c62828", undo: "#757575" };
  const WORDS = { keep: "kept", relabel: "relabelled", reprice: "repriced", ambiguous: "several labels fit", delete: "marked for deletion" };

  // ---------------------------------------------------------------------------------------------------------- keys

  const KEYS = {
    k: "keep",
    a: "accept",
    e: "ask_relabel",
    f: "reprice",
    p: "ask_set_price",
    s: "ambiguous",
    d: "delete",
    u: "undo",
    o: "keep_one",
    n: "ask_note",
  };
  const FORM = "[data-cy=operators-prompt-modal]";
  // keys also belong to text fields, to FiftyOne's list of operators, and to the Annotate tab while it edits
  const BUSY = `${FORM}, [data-cy=operators-browser], [data-cy=annotate-edit-back]`;

  function run(name) {
    executeOperator(`${PLUGIN}/${name}`, {});
  }

  function isTyping(target) {
    if (!(target instanceof HTMLElement)) return false;
    if (target instanceof HTMLInputElement) return !["radio", "checkbox", "button"].includes(target.type);
    return target.isContentEditable || /^(TEXTAREA|SELECT)$/.test(target.tagName);
  }

  function onKey(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.shiftKey || event.repeat) return;
    const form = document.querySelector(FORM);
    if (form) {
      onKeyInForm(event, form);
    } else if (KEYS[event.key] && !isTyping(event.target) && !document.querySelector(BUSY)) {
      event.stopPropagation();
      act(KEYS[event.key]);
    } else {
      onOtherInput(event);
    }
  }

  // In a form of classes, a digit chooses and Enter decides. In any form, Enter in a text field decides.
  function onKeyInForm(event, form) {
    const choices = form.querySelectorAll("input[type=radio]");
    if (/^[1-9]$/.test(event.key) && !isTyping(event.target) && choices[event.key - 1]) {
      event.preventDefault();
      choices[event.key - 1].click();
    } else if (event.key === "Enter" && !(event.target instanceof HTMLButtonElement)) {
      event.preventDefault();
      event.stopPropagation();
      send(40);
    }
  }

  // The last button decides. It appears after the others, is disabled while FiftyOne checks the form, and does nothing
  // before FiftyOne knows how the operator may be run. A click that counts disables it until it disappears, so that none
  // counts twice.
  function send(tries, wasThere = false) {
    const form = document.querySelector(FORM);
    const button = form && [...form.querySelectorAll("button")].filter(isDeciding).pop();
    if (!form || !tries || (wasThere && !button)) return;
    if (button && !button.disabled) button.click();
    setTimeout(() => send(tries - 1, Boolean(button)), 50);
  }

  const isDeciding = (button) => button.textContent && !/^(Cancel|Close)$/.test(button.textContent);

  // What is not ours goes to the photo that FiftyOne has open, which must be the one that is shown.
  function onOtherInput(event) {
    if (!open.ahead || event.key === "Escape" || !(event.target instanceof Element)) return;
    if (event.type === "click" && (!event.target.closest("#modal") || event.target.closest("[data-listing]"))) return;
    event.stopPropagation();
    if (event.type === "click") event.preventDefault();
    if (event.type !== "keyup") follow();
  }

  document.addEventListener("keydown", onKey, true);
  document.addEventListener("keyup", onOtherInput, true);
  document.addEventListener("click", onOtherInput, true);

  // ------------------------------------------------------------------------------------------------ the open photo

  // FiftyOne takes half a second to open a photo. So a decision is sent, and the card and the photo of the next listing,
  // which were loaded ahead, stand at once. FiftyOne opens that photo when all is written and no key has come for a
  // moment.
  const PAUSE = 250;
  // milliseconds without keys after the App has moved by itself, so that no key hits a listing that it was not meant for
  const DEAF = 700;
  // decisions that may wait to be written
  const MOST = 8;

  const open = {
    opened: null, // the sample that FiftyOne has open
    ahead: null, // the one that is shown before FiftyOne has it open
    asked: null, // the one that FiftyOne was asked to open
    goTo: null, // asks it, unless the photo was closed meanwhile
    next: null, // those that come after the one that is shown; null if they are not known
    cards: new Map(), // by sample
    photos: new Map(), // by path
    decided: new Set(), // samples that were decided on here
    outbox: [], // decisions that are not known to be written, the first is under way
    key: null, // an action that waits until it is known what comes next
    waiting: null, // an action that waits until all is written and FiftyOne shows what we show
    deafUntil: 0,
  };

  const shown = () => open.ahead ?? open.opened;
  const draw = () => window.dispatchEvent(new Event("curate:drawn"));

  // Actions that decide on the listing with no more words from the server, and on which cards.
  const AT_ONCE = {
    keep: (card) => card.given != null,
    accept: (card) => card.suggested && card.suggested !== card.given,
    reprice: (card) => card.suggested_price != null,
    ambiguous: () => true,
    delete: () => true,
  };

  function act(name) {
    // without a card, FiftyOne alone knows which photo is open
    if (!isPhotoOpen() || open.opened === null) return run(name);
    if (open.waiting || open.outbox.length >= MOST || performance.now() < open.deafUntil) return;
    const card = open.cards.get(shown());
    if (!card) return; // the card on the screen is that of another listing
    if (!AT_ONCE[name] || !AT_ONCE[name](card) || !isExploring()) whenQuiet(() => run(name));
    else if (!open.next) open.key ??= name;
    else decide(name);
  }

  function decide(name) {
    const next = open.next.filter((sample) => !open.decided.has(sample));
    // after the last one, FiftyOne shows what was decided
    if (!next.length) return whenQuiet(() => run(name));
    const sample = shown();
    open.decided.add(sample);
    open.outbox.push({ name, sample });
    if (open.outbox.length === 1) post();
    show(next[0], next.slice(1));
  }

  function post() {
    const [{ name, sample }] = open.outbox;
    executeOperator(`${PLUGIN}/${name}`, { sample }, { callback: ({ result }) => posted(Boolean(result && result.changed)) });
  }

  // What could not be written comes back; the keys that followed are not recorded, either.
  function posted(isWritten) {
    const [{ sample }] = open.outbox;
    if (isWritten) {
      open.outbox.shift();
      isStale = true;
      if (open.outbox.length) post();
      else if (!isPhotoOpen()) showGrid();
      else if (open.waiting) quiet();
      else followSoon();
      return;
    }
    for (const each of open.outbox.splice(0)) open.decided.delete(each.sample);
    open.waiting = null;
    open.deafUntil = performance.now() + DEAF;
    if (open.opened !== null) show(sample, null);
  }

  window.addEventListener("beforeunload", (event) => open.outbox.length && event.preventDefault());

  // Shows a photo before FiftyOne opens it.
  function show(sample, next) {
    open.ahead = sample === open.opened && !open.asked ? null : sample;
    open.next = next && next.length ? next : null;
    open.key = null;
    followSoon();
    draw();
    cover();
    clearTimeout(open.loading);
    if (open.next) open.loading = setTimeout(load, PAUSE / 2);
    else load();
  }

  function followSoon() {
    clearTimeout(open.timer);
    // opening a photo would hold up what is being written
    if (open.ahead && !open.outbox.length) open.timer = setTimeout(follow, PAUSE);
  }

  // Lets FiftyOne open what is shown.
  function follow() {
    clearTimeout(open.timer);
    if (!open.ahead || open.asked || !open.goTo) return;
    open.asked = open.ahead;
    open.goTo(open.ahead);
  }

  // FiftyOne has opened a sample, or closed it: because it was asked, or because the person or the server wants it.
  function opened(sample) {
    const isAsked = sample !== null && sample === open.asked;
    open.opened = sample;
    open.asked = null;
    if (!isAsked || sample === open.ahead) open.ahead = null;
    if (sample === null) open.cards.clear();
    if (!isAsked) {
      open.next = open.key = open.waiting = null;
      open.decided.delete(sample);
    }
    followSoon();
    draw();
    cover();
    if (!isAsked && sample !== null) load();
    quiet();
  }

  function whenQuiet(action) {
    open.waiting = action;
    quiet();
  }

  function quiet() {
    if (!open.waiting || open.outbox.length) return;
    if (open.ahead) return follow();
    const action = open.waiting;
    open.waiting = null;
    action();
  }

  // Loads the card of the photo that is shown, and those that come next.
  function load() {
    const sample = shown();
    const ask = (params) =>
      executeOperator(`${PLUGIN}/show_card`, { sample, ...params }, { callback: ({ result }) => take(sample, result || {}) });
    // reading the order of a large view takes longer than the card
    if (!open.cards.has(sample)) ask({});
    ask({ following: true });
  }

  function take(sample, { following, ...card }) {
    if (sample !== shown()) return;
    open.cards.set(sample, card);
    if (following || !card.id) {
      const next = (following || []).filter((each) => !open.decided.has(each.sample));
      open.next = next.map((each) => each.sample);
      for (const each of next) open.cards.set(each.sample, each);
      loadAhead(next);
      if (open.key) decide(open.key);
      else draw();
      open.key = null;
    } else draw();
  }

  function loadAhead(cards) {
    const kept = new Map();
    for (const { photo: path } of [open.cards.get(shown()), ...cards].filter((card) => card && card.photo)) {
      const image = open.photos.get(path) || new Image();
      if (!image.src) image.src = photo(path);
      kept.set(path, image);
    }
    open.photos = kept;
    for (const { photo: path } of [...(cards[0]?.like_given ?? []), ...(cards[0]?.like_suggested ?? [])]) new Image().src = photo(path);
  }

  const COVER = document.createElement("div");
  COVER.dataset.curate = "photo";
  Object.assign(COVER.style, { position: "absolute", inset: 0, zIndex: 10, background: "var(--fo-palette-background-level2)" });
  const FILLS = { width: "100%", height: "100%", objectFit: "contain" };

  // Lays the photo that is shown over FiftyOne's, until that is the same.
  function cover() {
    document.body.classList.toggle("curate-ahead", Boolean(open.ahead));
    if (open.opened === null) return COVER.remove();
    const card = open.ahead && open.cards.get(open.ahead);
    const place = card && document.querySelector("[data-cy=panel-content-fo-sample-modal-plugin]");
    if (!place) return;
    const image = open.photos.get(card.photo) || Object.assign(new Image(), { src: photo(card.photo) });
    Object.assign(image.style, FILLS);
    COVER.dataset.photo = fileName(card.photo);
    COVER.replaceChildren(image);
    if (COVER.parentElement !== place) place.append(COVER);
  }

  // FiftyOne may write the folders of a path in another way
  const fileName = (path) => path.split("/").pop();

  document.addEventListener("canvas-loaded", ({ target, detail }) => {
    if (open.ahead || !COVER.isConnected || !target.closest("#modal")) return;
    if (fileName(detail.sampleFilepath) === COVER.dataset.photo) COVER.remove();
  });

  // -------------------------------------------------------------------------------------------------------- panels

  class Changed extends Operator {
    get config() {
      return new OperatorConfig({ name: "changed", label: "changed", unlisted: true });
    }
    async execute() {
      window.dispatchEvent(new Event("curate:changed"));
    }
  }

  // Opens the next photo after a form, unless the open one was closed meanwhile.
  class GoOn extends Operator {
    get config() {
      return new OperatorConfig({ name: "go_on", label: "go on", unlisted: true });
    }
    async execute({ params }) {
      if (isPhotoOpen()) executeOperator("@voxel51/operators/open_sample", { id: params.id });
      else showGrid();
    }
  }

  // the Annotate tab has another viewer
  const isExploring = () => Boolean(open.ahead || document.querySelector("[data-cy=modal-looker-container]"));
  const isPhotoOpen = () => Boolean(document.querySelector("[data-cy=panel-tab-review_card]"));

  // Puts the sample and the card side by side instead of in two tabs.
  class Arrange extends Operator {
    get config() {
      return new OperatorConfig({ name: "arrange", label: "arrange", unlisted: true });
    }
    useHooks() {
      return { spaces: window.__fosp__.useSpaces("fiftyone-modal-spaces").spaces };
    }
    async execute({ hooks }) {
      const find = (node) => (node.type === "review_card" ? node : node.children.map(find).find(Boolean));
      const card = find(hooks.spaces.root);
      if (card && card.parent.children.length > 1) hooks.spaces.splitLayout(card.parent, "horizontal", card);
    }
  }

  const percent = (chance) => (chance < 0.01 ? "< 1 %" : `${Math.round(chance * 100)} %`);
  const amount = (value) => value.toLocaleString("en", { maximumFractionDigits: value < 100 ? 2 : 0 });
  // what a decision writes, with all its digits
  const exact = (value) => value.toLocaleString("en", { maximumFractionDigits: 10 });
  const photo = (path) => `/media?filepath=${encodeURIComponent(path)}`;
  const box = (style, ...children) => h("div", { style }, ...children);

  const TEXT = { color: "var(--fo-palette-text-primary)", fontSize: 14, lineHeight: 1.4 };
  const PANEL = { ...TEXT, padding: "12px 16px", height: "100%", overflowY: "auto", boxSizing: "border-box" };
  const FAINT = { color: "var(--fo-palette-text-secondary)", fontSize: 12 };
  const ROW = { display: "flex", gap: 8, flexWrap: "wrap", alignItems: "center" };

  // ---------------------------------------------------------------------------------------------------------- card

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

  // ------------------------------------------------------------------------------------------------------ progress

  function Progress() {
    const [progress, setProgress] = useState(null);
    useEffect(() => {
      let isCurrent = true;
      const take = ({ result }) => isCurrent && result && setProgress(result);
      // an open photo lies over the panel
      const ask = () => isPhotoOpen() || executeOperator(`${PLUGIN}/show_progress`, {}, { callback: take });
      ask();
      window.addEventListener("curate:changed", ask);
      return () => {
        isCurrent = false;
        window.removeEventListener("curate:changed", ask);
      };
    }, []);
    if (!progress || progress.error) return box({ ...TEXT, padding: 16 }, (progress && progress.error) || "");
    return h(
      "div",
      { "data-curate": "progress", style: PANEL },
      h("div", { style: { fontSize: 20, fontWeight: 600 } }, `${progress.done} of ${progress.flagged} done`),
      stacked(progress.actions, progress.flagged + progress.others),
      box({ ...ROW, margin: "6px 0 12px" }, ...Object.entries(progress.actions).filter(([, number]) => number).map(tally)),
      progress.left > 0 && h("div", null, `${progress.left} left; about ${Math.round(progress.expected_left)} of them need a change.`),
      progress.done > 0 && h("div", { style: FAINT }, `Of the ${progress.done} done, ${progress.changed_done} changed; ${Math.round(progress.expected_done)} expected.`),
      progress.others > 0 && h("div", { style: FAINT }, `Also decided, not flagged: ${progress.others}.`),
      progress.hint && box({ borderLeft: `4px solid ${COLOURS.keep}`, padding: "4px 8px", margin: "12px 0" }, progress.hint),
      table("Kind of issue", Object.entries(progress.kinds).map(([kind, [done, all]]) => [kind.replaceAll("_", " "), `${done} of ${all}`])),
      table("Reviewer", Object.entries(progress.reviewers)),
    );
  }

  function stacked(actions, all) {
    const parts = Object.entries(actions).map(([action, number]) =>
      h("div", { key: action, style: { width: `${(number / Math.max(all, 1)) * 100}%`, background: COLOURS[action] } }),
    );
    return box({ display: "flex", height: 10, borderRadius: 5, overflow: "hidden", background: "var(--fo-palette-divider)", marginTop: 6 }, ...parts);
  }

  function tally([action, number]) {
    const dot = { display: "inline-block", width: 10, height: 10, borderRadius: 5, background: COLOURS[action], marginRight: 6 };
    return h("span", { key: action, style: { fontSize: 13 } }, h("span", { style: dot }), `${number} ${WORDS[action]}`);
  }

  function table(title, rows) {
    if (!rows.length) return null;
    const cell = { padding: "2px 12px 2px 0" };
    return h(
      "table",
      { style: { marginTop: 14, borderCollapse: "collapse" } },
      h("thead", null, h("tr", null, h("th", { colSpan: 2, style: { ...FAINT, textAlign: "left", fontWeight: 400 } }, title))),
      h("tbody", null, ...rows.map(([name, value]) => h("tr", { key: name }, h("td", { style: cell }, name), h("td", { style: cell }, value)))),
    );
  }

  // -------------------------------------------------------------------------------------------------- registration

  const isOurs = ({ dataset }) => Boolean(dataset && dataset.name.startsWith("curate-"));

  function panel(name, label, component, surfaces) {
    const { PluginComponentType, registerComponent } = window.__fop__;
    registerComponent({ name, label, component, type: PluginComponentType.Panel, activator: isOurs, panelOptions: { surfaces } });
  }

  registerOperator(Changed, PLUGIN);
  registerOperator(GoOn, PLUGIN);
  registerOperator(Arrange, PLUGIN);
  panel("review_card", "Review", Card, "modal");
  panel("review_progress", "Review progress", Progress, "grid");

  // An open photo lies over the grid, which would be drawn again for each frame. The sidebar of FiftyOne lags behind.
  const STYLE = document.createElement("style");
  STYLE.textContent =
    "body.curate-open [data-cy=dataset-page] { visibility: hidden }" +
    "body.curate-ahead #modal [data-cy=sidebar] { opacity: 0.3 }" +
    "[data-cy=panel-content-fo-sample-modal-plugin] { position: relative }";
  document.head.append(STYLE);

  // When a photo opens, the card moves beside it. When it closes, the grid shows the decisions made meanwhile.
  let wasOpen = false;
  let isStale = false;
  window.addEventListener("curate:changed", () => (isStale = wasOpen));
  function onChange() {
    const isOpen = isPhotoOpen();
    if (isOpen !== wasOpen) document.body.classList.toggle("curate-open", isOpen);
    if (isOpen && !wasOpen) run("arrange");
    wasOpen = isOpen;
    if (!isOpen && isStale && !open.outbox.length) showGrid();
    dismissAdvertisements();
  }

  function showGrid() {
    executeOperator("@voxel51/operators/reload_dataset", {});
    window.dispatchEvent(new Event("curate:changed"));
    isStale = false;
  }

  // One covers the buttons and takes the first click, one covers the list of plots.
  function dismissAdvertisements() {
    for (const button of document.querySelectorAll(".MuiPopover-root button, .emb-callout-actions button"))
      if (button.textContent === "Dismiss") button.click();
  }

  new MutationObserver(onChange).observe(document.body, { childList: true, subtree: true });
  onChange();
})();
