// A table that scrolls can be scrolled with the keyboard. The theme puts tables into boxes after the page is there.
function reach() {
  for (const box of document.querySelectorAll(".md-typeset__scrollwrap, .md-typeset [style*=overflow-x]")) box.tabIndex = 0;
}
reach();
new MutationObserver(reach).observe(document.body, { childList: true, subtree: true });
