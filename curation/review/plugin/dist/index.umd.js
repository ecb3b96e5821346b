// The keys of a review. Written by hand: there is nothing to build.
(function () {
  const OPERATORS = {
    k: "@curate/review/keep",
    a: "@curate/review/accept",
    e: "@curate/review/ask_relabel",
    d: "@curate/review/delete",
    u: "@curate/review/undo",
  };
  // a key belongs to whatever is typed into, to an open form, and to the Annotate tab while it edits
  const BUSY = "[data-cy=operators-prompt-modal], [data-cy=operators-browser], [data-cy=annotate-edit-back]";

  function onKey(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.shiftKey || event.repeat) return;
    const target = event.target;
    if (target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName))) return;
    const operator = OPERATORS[event.key];
    if (!operator || !window.__foo__ || document.querySelector(BUSY)) return;
    window.__foo__.executeOperator(operator, {});
  }

  document.addEventListener("keydown", onKey);
})();
