// The page of the search: terms of the glossary stand above the pages that hold the words, an
// accent more or less does not matter, and from the disk, where pages cannot read each other,
// a result shows what its page is about.
if (location.protocol === "file:") DOCUMENTATION_OPTIONS.SHOW_SEARCH_SUMMARY = false;
(() => {
  const known = JSON.parse(document.getElementById("descent-terms").textContent);
  const plain = (text) =>
    text
      .normalize("NFD")
      .replace(/\p{Diacritic}/gu, "")
      .toLowerCase()
      .replace(/[^\p{L}\p{N}]+/gu, " ")
      .trim();

  // The index holds words as they are spelled.
  const spelled = new Map();
  for (const { term } of known.terms) {
    for (const word of term.split(/\s+|–/)) {
      if (plain(word) !== word.toLowerCase()) spelled.set(plain(word), word);
    }
  }
  const search = Search.performSearch;
  Search.performSearch = (query) =>
    search(query.split(/\s+/).map((word) => spelled.get(word.toLowerCase()) ?? word).join(" "));

  const query = plain(new URLSearchParams(location.search).get("q") ?? "");
  const rank = ({ term }) => {
    if (plain(term) === query) return 0;
    return ` ${plain(term)}`.includes(` ${query}`) ? 1 : 2;
  };
  const found = query.length < 2 ? [] : known.terms.filter((entry) => rank(entry) < 2);
  found.sort((a, b) => rank(a) - rank(b)).splice(5);
  const shown = new Set(found.map(({ place }) => place));

  document.addEventListener("DOMContentLoaded", () => {
    const results = document.getElementById("search-results");
    if (found.length) {
      const list = document.createElement("dl");
      list.className = "descent-terms";
      for (const { term, place, meaning } of found) {
        const name = list.appendChild(document.createElement("dt"));
        const link = name.appendChild(document.createElement("a"));
        link.href = place;
        link.textContent = term;
        name.append(" (glossary)");
        list.appendChild(document.createElement("dd")).textContent = meaning;
      }
      results.before(list);
    }
    const complete = () => {
      for (const item of results.querySelectorAll("li:not([data-descent])")) {
        item.dataset.descent = "";
        const place = item.querySelector("a").getAttribute("href").split("?")[0];
        if (shown.has(place)) item.hidden = true; // it stands above
        const about = known.pages[place];
        if (about && !DOCUMENTATION_OPTIONS.SHOW_SEARCH_SUMMARY) {
          const words = item.appendChild(document.createElement("p"));
          words.className = "context";
          words.textContent = about;
        }
      }
    };
    new MutationObserver(complete).observe(results, { childList: true, subtree: true });
    complete();
  });
})();
