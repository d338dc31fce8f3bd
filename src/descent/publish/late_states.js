// The states of the explorers below the first lie beside the page. They come when a reader comes
// near, one screen ahead, or when the address names one.
(() => {
  const late = [...document.querySelectorAll(".descent-explorer[data-states]")];

  function wake(root) {
    const address = root?.dataset.states;
    if (!address) return;
    near.unobserve(root);
    delete root.dataset.states;
    const script = document.createElement("script");
    script.src = address;
    script.addEventListener("error", () => {
      const said = document.createElement("p");
      said.className = "descent-error";
      said.textContent = `The other states of this picture are in ${address}, which is not there.`;
      root.append(said);
    });
    document.head.append(script);
  }

  const near = new IntersectionObserver(
    (entries) => entries.filter((one) => one.isIntersecting).forEach((one) => wake(one.target)),
    { rootMargin: "100% 0px" },
  );
  late.forEach((root) => near.observe(root));

  const named = () => {
    const name = location.hash.slice(1).split(/\?|%3F/i)[0];
    wake(late.find((root) => root.dataset.name === name));
  };
  addEventListener("hashchange", named);
  named();
})();
