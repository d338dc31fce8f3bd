// Make a book of the one page that holds all chapters: cover, contents, chapters with running
// heads, solutions, index. Returns the entries of the contents; `number` fills in the pages.
(facts) => {
  const make = (name, classes = "", ...children) => {
    const element = document.createElement(name);
    if (classes) element.className = classes;
    element.append(...children);
    return element;
  };
  const words = (element) => element.textContent.trim().replace(/\s+/g, " ");
  const page = (place) => {
    const link = make("a", "descent-page", "000");
    link.href = `#${place}`;
    return link;
  };
  const article = document.querySelector("article.bd-article") || document.body;

  // What paper has no use for.
  article.querySelectorAll(
    "script, .headerlink, .descent-controls, .descent-announcer, .descent-handle, .descent-filters, " +
      ".copybtn, .descent-pit, .descent-lite, .pst-js-only, .tag_hide-input details.hide"
  ).forEach((element) => element.remove());
  // The title of a folded list stays with its first rows, as that of a table.
  article.querySelectorAll("details.descent-ledger").forEach((ledger) => {
    const title = make("p", "descent-over-table", ...ledger.querySelector("summary").childNodes);
    ledger.querySelector("summary").remove();
    ledger.replaceWith(make("div", "descent-ledger", title, ...ledger.childNodes));
  });
  article.querySelectorAll("details").forEach((element) => { element.open = true; });
  article.querySelectorAll(".descent-tile > svg").forEach((picture) => {
    const { width, height } = picture.viewBox.baseVal;
    picture.classList.toggle("descent-tall", height > 1.6 * width);
  });
  article.querySelectorAll("[loading]").forEach((element) => { element.loading = "eager"; });
  article.querySelectorAll("thead button").forEach((button) => button.replaceWith(...button.childNodes));
  // A link to a file of the machine that prints leads nowhere.
  article.querySelectorAll("a[href]").forEach((link) => {
    if (!/^(https?:|mailto:|#)/.test(link.getAttribute("href"))) link.replaceWith(...link.childNodes);
  });
  article.querySelectorAll("a:not([href]):not([id])").forEach((link) => link.replaceWith(...link.childNodes));

  // Sheets: what has a running head of its own. The rest of the first page comes before them.
  const sheets = [];
  const sheet = (title, ...children) => {
    const element = make("div", "descent-sheet", ...children);
    sheets.push({ element, title });
    return element;
  };
  const parts = new Map(facts.parts.flatMap(({ caption, pages }) => [[pages[0], caption]]));
  const chapters = facts.parts.flatMap(({ pages }) => pages).map((name) => {
    const mark = document.getElementById(`document-${name}`);
    return { name, mark, section: mark && mark.nextElementSibling };
  }).filter(({ section }) => section);
  chapters.forEach(({ mark, section }) => { mark.remove(); section.prepend(mark); section.remove(); });
  article.querySelectorAll(".toctree-wrapper").forEach((element) => element.remove());
  const first = article.querySelector("section");
  const opening = first && first.querySelector("h1");
  if (opening && chapters.length) opening.textContent = "About the book";

  // Solutions stand at the end of the book: the folded cell, and what follows it up to the next
  // exercise.
  const solved = [];
  chapters.forEach(({ section }) => {
    const marks = [...section.querySelectorAll("span[id^='exercise-']")];
    const own = new Set(marks.map((mark) => mark.parentElement));
    const found = [];
    own.forEach((exercise) => {
      const moved = [];
      for (let next = exercise.nextElementSibling; next && !own.has(next); next = next.nextElementSibling) {
        if (next.matches("section")) break;
        if (moved.length || next.matches(".tag_hide-cell")) moved.push(next);
      }
      if (!moved.length) return;
      const id = exercise.querySelector("span[id^='exercise-']").id;
      const number = id.replace("exercise-", "").replace("-", ".");
      const back = make("a", "", make("strong", "", `Solution ${number}.`));
      back.href = `#${id}`;
      const solution = make("div", "descent-solution", make("p", "", back), ...moved);
      solution.id = id.replace("exercise", "solution");
      solution.querySelectorAll("summary").forEach((summary) => summary.remove());
      solution.querySelectorAll("details").forEach((folded) => folded.replaceWith(...folded.childNodes));
      exercise.append(" (Solution: page ", page(solution.id), ")");
      found.push(solution);
    });
    if (found.length) solved.push({ title: words(section.querySelector("h1, h2")), found });
  });

  if (first) sheet(opening ? words(opening) : "", first);
  chapters.forEach(({ section }) => sheet(words(section.querySelector("h1, h2")), section));
  if (solved.length) {
    const heading = make("h2", "", "Solutions");
    heading.id = "solutions";
    const groups = solved.map(({ title, found }, at) => {
      const head = make("h3", "", title);
      head.id = `solutions-${at + 1}`;
      return make("section", "", head, ...found);
    });
    sheet("Solutions", make("section", "", heading, ...groups));
  }

  // The index: where a word of the glossary is linked.
  const uses = new Map();
  let count = 0;
  sheets.forEach(({ element }) => {
    if (element.querySelector("dt[id^='term-']")) return;
    element.querySelectorAll("a[href^='#term-']").forEach((link) => {
      const term = link.getAttribute("href").slice(1);
      link.id = `use-${++count}`;
      uses.set(term, [...(uses.get(term) || []), link.id]);
    });
  });
  const terms = [...article.ownerDocument.querySelectorAll("dt[id^='term-']"),
    ...sheets.flatMap(({ element }) => [...element.querySelectorAll("dt[id^='term-']")])]
    .filter((term, at, all) => all.indexOf(term) === at)
    .map((term) => ({ id: term.id, name: words(term) }))
    .sort((a, b) => a.name.localeCompare(b.name, "en"));
  if (terms.length) {
    const heading = make("h2", "", "Index");
    heading.id = "index";
    const list = make("ul", "", ...terms.map(({ id, name }) => {
      return make("li", "", `${name}  `, ...(uses.get(id) || []).map(page), page(id));
    }));
    sheet("Index", make("section", "descent-index", heading, list));
  }

  // Contents, and the outline that the reader's program shows.
  const entries = [];
  sheets.forEach(({ element }, at) => {
    const name = chapters[at - (first ? 1 : 0)]?.name;
    const headings = [...element.querySelectorAll("h1, h2, h3, h4")];
    const depth = (heading) => Number(heading.tagName[1]) - Number(headings[0].tagName[1]) + 1;
    headings.forEach((heading) => {
      heading.id ||= `heading-${++count}`;
      const part = heading === headings[0] ? parts.get(name) || "" : "";
      heading.classList.add(`descent-level-${depth(heading)}`);
      entries.push({ title: words(heading), place: heading.id, level: depth(heading), part });
    });
  });
  const contents = make("ul");
  let inner = null;
  entries.filter(({ level }) => level <= 2).forEach(({ title, place, level, part }) => {
    if (part) contents.append(make("li", "descent-part", part));
    const link = make("a", "", title);
    link.href = `#${place}`;
    const item = make("li", "", make("div", "descent-line", link, page(place)));
    if (level === 1) {
      contents.append(item);
      inner = make("ul");
      item.append(inner);
    } else inner.append(item);
  });

  const cover = make("div", "descent-cover");
  if (facts.picture) {
    const picture = make("img");
    picture.src = facts.picture;
    picture.alt = "";
    cover.append(picture);
  }
  cover.append(make("div", "descent-title", facts.title), ...facts.lines.map((line) => make("p", "", line)));
  const heading = make("h2", "descent-level-1", "Contents");
  sheets.unshift({ element: make("div", "descent-sheet descent-contents", heading, contents), title: "Contents" });

  const quoted = (text) => JSON.stringify(text);
  const rules = sheets.map(({ element, title }, at) => {
    element.style.page = `sheet${at}`;
    return `@page sheet${at}:right { @top-right { content: ${quoted(title)}; } }` +
      `@page sheet${at}:left { @top-left { content: ${quoted(facts.title)}; } }`;
  });
  document.head.append(make("style", "", rules.join("\n")));
  const book = make("article", "bd-article", cover, ...sheets.map(({ element }) => element));
  document.body.replaceChildren(book);
  document.documentElement.dataset.theme = "light";
  return entries;
}
