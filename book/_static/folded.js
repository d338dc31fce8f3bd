// On paper solutions and ledgers stand open; on the screen they stay as the reader left them,
// but one that holds what the address names opens.
(() => {
  const FOLDED = ".tag_hide-cell details:not([open]), .descent-ledger:not([open])";
  let opened = [];
  window.addEventListener("beforeprint", () => {
    opened = [...document.querySelectorAll(FOLDED)];
    for (const folded of opened) folded.open = true;
  });
  window.addEventListener("afterprint", () => {
    for (const folded of opened) folded.open = false;
  });

  const decoded = (text) => {
    try { return decodeURIComponent(text); } catch { return text; } // no reader is told of it
  };
  const unfold = () => {
    const named = location.hash && document.getElementById(decoded(location.hash.slice(1)));
    const folded = named && named.closest("details:not([open])");
    if (!folded) return;
    folded.open = true;
    named.scrollIntoView();
  };
  window.addEventListener("hashchange", unfold);
  window.addEventListener("DOMContentLoaded", unfold);
})();
