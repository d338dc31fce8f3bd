// Sort and filter the table of claims. Without this script the table shows every claim.
document.addEventListener("DOMContentLoaded", () => {
  for (const box of document.querySelectorAll(".descent-claims")) {
    const body = box.querySelector("tbody");
    const rows = [...body.rows];
    const filters = [...box.querySelectorAll("[data-filter]")];
    const count = box.querySelector(".descent-filter-count");

    const filter = () => {
      for (const row of rows) {
        row.hidden = filters.some((f) => f.value && row.dataset[f.dataset.filter] !== f.value);
      }
      count.textContent = `${rows.filter((row) => !row.hidden).length} of ${rows.length} claims`;
    };

    const key = (row, column) => {
      const cell = row.cells[column];
      const text = cell.dataset.sort ?? cell.textContent;
      const number = Number.parseFloat(text);
      return Number.isNaN(number) ? text : number;
    };
    const compare = (a, b) => {
      if (typeof a === typeof b) return typeof a === "number" ? a - b : a.localeCompare(b);
      return typeof a === "number" ? -1 : 1;
    };

    box.querySelectorAll("th button").forEach((button, column) => {
      button.addEventListener("click", () => {
        const head = button.closest("th");
        const down = head.getAttribute("aria-sort") === "ascending";
        for (const other of box.querySelectorAll("th")) other.removeAttribute("aria-sort");
        head.setAttribute("aria-sort", down ? "descending" : "ascending");
        rows.sort((a, b) => (down ? -1 : 1) * compare(key(a, column), key(b, column)));
        body.append(...rows);
      });
    });
    for (const select of filters) select.addEventListener("change", filter);
    filter();
  }
});
