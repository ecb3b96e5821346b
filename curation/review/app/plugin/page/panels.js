// The progress panel, and what the script adds to the App.

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
    if (!params.id) open.ended = params.last;
    else if (isPhotoOpen()) executeOperator("@voxel51/operators/open_sample", { id: params.id });
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
  // the next key may still be meant for the photo
  if (!isOpen && wasOpen) open.deafUntil = performance.now() + DEAF;
  if (open.pending?.sample === FORM && document.querySelector(FORM)) open.pending = null;
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
