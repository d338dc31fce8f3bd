// In a notebook as in a page: the model is computed where it is shown.

function render({ model, el }) {
  el.innerHTML = model.get("html");
  const root = el.querySelector(".descent-explorer");
  const facts = model.get("facts");
  mount(root, facts, computed(root, facts));
}

export default { render };
