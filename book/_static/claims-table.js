// Sort and filter the table of claims. What is chosen stands in the address, so that it can be
// shared and survives a reload. Without this script the table shows every claim.
document.addEventListener("DOMContentLoaded", () => {
  const box = document.querySelector(".descent-claims");
  if (!box) return;
  const body = box.querySelector("tbody");
  const rows = [...body.rows];
  const form = box.querySelector("form");
  const filters = [...box.querySelectorAll("[data-filter]")];
  const heads = [...box.querySelectorAll("th")];
  const count = box.querySelector(".descent-filter-count");
  const label = (head) => head.textContent.trim().toLowerCase();

  const key = (row, column) => {
    const cell = row.cells[column];
    const text = cell.dataset.sort ?? cell.textContent;
    const number = Number(text);
    return Number.isNaN(number) ? text : number;
  };
  const compare = (a, b) => {
    if (typeof a === typeof b) return typeof a === "number" ? a - b : a.localeCompare(b);
    return typeof a === "number" ? -1 : 1;
  };

  const show = (chosen) => {
    for (const filter of filters) {
      filter.value = chosen.get(filter.dataset.filter) ?? "";
      if (filter.selectedIndex < 0) filter.value = "";
    }
    const column = heads.findIndex((head) => label(head) === chosen.get("sort"));
    const sign = chosen.get("order") === "descending" ? -1 : 1;
    heads.forEach((head, i) => {
      if (i !== column) head.removeAttribute("aria-sort");
      else head.setAttribute("aria-sort", sign < 0 ? "descending" : "ascending");
    });
    const order = [...rows];
    if (column >= 0) order.sort((a, b) => sign * compare(key(a, column), key(b, column)));
    body.append(...order);
    for (const row of rows) {
      row.hidden = filters.some(({ value, dataset }) => {
        const own = row.dataset[dataset.filter];
        return value && own !== value && !own.startsWith(`${value}-`);
      });
    }
    count.textContent = `${rows.filter((row) => !row.hidden).length} of ${rows.length} claims`;
  };

  const choose = (name, value) => {
    const chosen = new URLSearchParams(location.hash.slice(1));
    if (value) chosen.set(name, value);
    else chosen.delete(name);
    return chosen;
  };
  const keep = (chosen) => {
    history.replaceState(null, "", chosen.size ? `#${chosen}` : location.href.split("#")[0]);
    show(chosen);
  };

  for (const filter of filters) {
    filter.addEventListener("change", () => keep(choose(filter.dataset.filter, filter.value)));
  }
  for (const head of heads) {
    head.querySelector("button").addEventListener("click", () => {
      const chosen = choose("sort", label(head));
      const again = head.getAttribute("aria-sort") === "ascending";
      if (again) chosen.set("order", "descending");
      else chosen.delete("order");
      keep(chosen);
    });
  }
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", (event) => {
    event.preventDefault();
    keep(new URLSearchParams());
  });
  const restore = () => show(new URLSearchParams(location.hash.slice(1)));
  window.addEventListener("hashchange", restore);
  restore();
});
