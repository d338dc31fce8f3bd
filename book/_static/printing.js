// On paper solutions stand open; on the screen they stay as the reader left them.
(() => {
  let opened = [];
  window.addEventListener("beforeprint", () => {
    opened = [...document.querySelectorAll(".tag_hide-cell details:not([open])")];
    for (const solution of opened) solution.open = true;
  });
  window.addEventListener("afterprint", () => {
    for (const solution of opened) solution.open = false;
  });
})();
