// Paper is white: what goes to it is drawn as in the light, whatever the screen shows. Pictures that
// a script draws follow the theme of the page, so that it is the theme that changes, and goes back.
(() => {
  const { dataset } = document.documentElement;
  const printed = matchMedia("print");
  let kept;

  const put = () => {
    if (kept !== undefined || dataset.theme === "light") return;
    kept = dataset.theme;
    dataset.theme = "light";
  };
  const back = () => {
    if (kept === undefined) return;
    dataset.theme = kept;
    kept = undefined;
  };
  window.addEventListener("beforeprint", put);
  window.addEventListener("afterprint", back);
  printed.addEventListener("change", () => (printed.matches ? put() : back()));
})();
