// The source of a page: all states are there, packed, and none is computed.

// Dots at the vertices of a line: moves, each with a line of no length.
const dots = (line) => line.replace(/[ml]? ?(-?\d+)( \d+|-\d+)/g, "m$1$2h0");

async function unpack(element) {
  const bytes = Uint8Array.from(atob(element.textContent), (c) => c.charCodeAt(0));
  const inflated = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return JSON.parse(await new Response(inflated).text());
}

function states(root, data) {
  const panels = [...root.querySelectorAll(".descent-panel")].map((element, i) => ({
    ...data.panels[i],
    slots: [...element.querySelectorAll("[data-slot]")],
    image: element.querySelector("img"),
    shown: [],
  }));
  const number = (part, at) => part.takes.reduce((sum, key, i) => sum + part.strides[i] * at[key], 0);
  const state = (part, at) => part.states[number(part, at)];

  function markup(panel, content) {
    const [template, ...paths] = panel.contents[content];
    paths.forEach((data, i) => { paths[i] = data || dots(paths[i - 1]); });
    return panel.templates[template].map((piece, i) => piece + (paths[i] ?? "")).join("");
  }

  function paint(at) {
    for (const panel of panels) {
      if (panel.frames) {
        panel.image.src = panel.frames[state(panel, at)];
        continue;
      }
      state(panel, at).forEach((content, i) => {
        if (panel.shown[i] === content) return;
        panel.shown[i] = content;
        panel.slots[i].innerHTML = markup(panel, content);
      });
    }
    return data.captions.rows[state(data.captions, at)];
  }

  function places(k, at) {
    const { controls, panel, places } = data.handles[k];
    let found = [{ ...at }];
    for (const key of controls) {
      found = found.flatMap((one) => data.texts[key].map((_, index) => ({ ...one, [key]: index })));
    }
    return found.map((one) => places[number(data.panels[panel], one)]);
  }

  return { paint, ...listed(data, places) };
}

// The address of a state holds values, not indices: it lives on when a list of values grows.

function written(data, at) {
  const value = (key) => (data.values[key] ?? data.texts[key])[at[key]];
  const short = (value) => (typeof value === "number" ? Number(value.toPrecision(6)) : value);
  return `#${data.name}?` + Object.keys(at).map((key) => `${key}=${encodeURIComponent(short(value(key)))}`).join("&");
}

// The explorer of an address, and the values it asks for; a section may be called as an explorer is.
// Some programs write the marks of an address in figures when they pass it on.
function asked(hash) {
  const marks = { "%3f": "?", "%3d": "=", "%26": "&" };
  const plain = hash.includes("?") ? hash : hash.replace(/%(3f|3d|26)/gi, (mark) => marks[mark.toLowerCase()]);
  const [name, query] = plain.slice(1).split("?");
  return query === undefined && document.getElementById(name) ? [] : [name, query];
}

function read(data, hash) {
  const [name, query] = asked(hash);
  if (name !== data.name) return undefined;
  const at = {};
  for (const [key, text] of new URLSearchParams(query)) {
    if (!Object.hasOwn(data.texts, key)) continue;
    const values = data.values[key];
    if (values && !(text.trim() && Number.isFinite(Number(text)))) continue;
    const far = values && values.map((value) => Math.abs(value - Number(text)));
    const index = values ? far.indexOf(Math.min(...far)) : data.texts[key].indexOf(text);
    if (index >= 0) at[key] = index;
  }
  return at;
}

// An address of a place in the page is kept, so that Back leads there; one state replaces another.
function keep(hash) {
  const names = [...document.querySelectorAll(".descent-explorer")].map((one) => one.dataset.name);
  const place = location.hash && !names.includes(asked(location.hash)[0]);
  history[place ? "pushState" : "replaceState"](null, "", hash);
}

async function copied(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch { // no leave to do so, or a page from a plain server
    const field = document.body.appendChild(document.createElement("textarea"));
    field.value = text;
    field.select();
    const done = document.execCommand("copy");
    field.remove();
    return done;
  }
}

// The states stand beside their explorer, or at the end of the page once they have come.
const packed = (root) => document.querySelector(`.descent-data[data-of="${root.dataset.name}"]`);

async function start(root) {
  root.dataset.ready = "";
  const data = await unpack(packed(root));
  const link = root.querySelector(".descent-link");
  const source = data.model ? computed(root, data) : states(root, data);
  const noted = (at) => (link.dataset.state = written(data, at));
  const follow = (at) => {
    // Browsers refuse a page that does this too often, or that has no address of its own.
    try { keep(noted(at)); } catch { /* the link can be copied still */ }
  };
  source.rest = follow;
  const explorer = mount(root, data, source);
  const first = explorer.position();
  noted(first);

  link.addEventListener("click", async () => {
    follow(explorer.position());
    const done = await copied(location.href.replace(/#.*|$/, link.dataset.state));
    link.dataset.said = done ? "Link copied" : "The link is in the address";
    root.querySelector(".descent-announcer").textContent = link.dataset.said;
    setTimeout(() => delete link.dataset.said, 2500);
    link.focus();
  });
  const restore = () => {
    const at = read(data, location.hash);
    if (!at) return;
    explorer.set({ ...first, ...at }); // an address means one state, whatever stood before
    root.scrollIntoView();
  };
  // A reader who leaves before the state is written keeps the place that was gone to.
  addEventListener("popstate", explorer.hush);
  addEventListener("hashchange", restore);
  restore();
}

for (const root of document.querySelectorAll(".descent-explorer:not([data-ready])")) {
  if (packed(root)) start(root);
}
