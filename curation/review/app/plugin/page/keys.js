// The keys of a review. All files of this folder become one script, in this order: keys, opened, card, panels.

const PLUGIN = "@curate/review";
const { createElement: h, useEffect, useLayoutEffect, useReducer, useRef, useState } = window.React;
const { Operator, OperatorConfig, executeOperator, registerOperator } = window.__foo__;
const COLOURS = { keep: "#2e7d32", relabel: "#ef6c00", reprice: "#00838f", ambiguous: "#6a1b9a", delete: "#c62828", undo: "#757575" };
const WORDS = { keep: "kept", relabel: "relabelled", reprice: "repriced", ambiguous: "several labels fit", delete: "marked for deletion" };

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

function run(name, params = {}, callback = () => {}) {
  executeOperator(`${PLUGIN}/${name}`, params, { callback: ({ result }) => callback(result || {}) });
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
    act(KEYS[event.key], true);
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

const isArrow = (event) => event.type === "keydown" && /^Arrow(Left|Right)$/.test(event.key) && !isTyping(event.target);

// What is not ours goes to the photo that FiftyOne has open, which must be the one that is shown. After an
// arrow, keys wait for the photo that it opens.
function onOtherInput(event) {
  if (!(event.target instanceof Element) || event.key === "Escape") return;
  const moves = isArrow(event) && open.opened !== null && !document.querySelector(BUSY);
  if (!open.ahead) {
    if (moves && !open.pending) wait(null, MOVES);
    return;
  }
  if (event.type === "click" && (!event.target.closest("#modal") || event.target.closest("[data-listing]"))) return;
  event.stopPropagation();
  if (event.type === "click") event.preventDefault();
  // who goes back does not mean the photo on the screen with the next key
  if (moves) open.deafUntil = performance.now() + DEAF;
  if (event.type !== "keyup") follow();
}

document.addEventListener("keydown", onKey, true);
document.addEventListener("keyup", onOtherInput, true);
document.addEventListener("click", onOtherInput, true);
