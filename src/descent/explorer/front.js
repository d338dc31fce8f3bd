// The front end of an explorer: the same on a page and in a notebook.
//
// A position names an index into the values of each control, {T: 3, start: 0}. A source knows
// what stands there:
//   paint(at)     draw the picture and return its caption as HTML; or return nothing, and call
//                 `again` when it can be drawn, with the caption of what was drawn on the way
//   place(k, at)  where handle k stands: [x, y] in the units of its drawing
//   nearest(k, at, x, y)  the position of its controls, {T: 4}, whose place is nearest to one there
//   rest(at)      is told where the reader comes to rest; may be absent
// The states of a page (page.js) and those of a kernel (kernel.js) are two such sources; a model
// that the page computes (live/computed.js) is the third.

const TENTH = 10;
const STILL = matchMedia("(prefers-reduced-motion: reduce)");

function mount(root, facts, source) {
  const inputs = {};
  for (const input of root.querySelectorAll("[data-control]")) inputs[input.dataset.control] = input;
  const picture = root.querySelector(".descent-panels");
  const caption = root.querySelector(".descent-said");
  const announcer = root.querySelector(".descent-announcer");
  const spoken = document.createElement("span");
  const players = [];
  let rest, silence;

  const position = () =>
    Object.fromEntries(Object.entries(inputs).map(([key, input]) => [key, Number(input.value)]));
  const playing = () => players.some((player) => player.playing());
  const handles = facts.handles.map((handle, k) => grip(root, facts, handle, {
    place: (at) => source.place(k, at),
    nearest: (at, x, y) => source.nearest(k, at, x, y),
    position,
    take: () => players.forEach((player) => player.stop()),
    set,
  }));

  function show() {
    const at = position();
    const stands = handles.map((handle) => handle.measure()); // before anything is written
    for (const [key, input] of Object.entries(inputs)) {
      if (input.type !== "range") continue;
      const text = facts.texts[key][input.value];
      input.setAttribute("aria-valuetext", text);
      input.style.setProperty("--at", `${(100 * input.value) / (input.max || 1)}%`);
      input.closest(".descent-control").querySelector("output").textContent = text;
    }
    handles.forEach((handle, i) => handle.move(at, stands[i]));
    const html = source.paint(at);
    root.toggleAttribute("data-waiting", html === undefined);
    clearTimeout(rest);
    if (html === undefined) return;
    say(html);
    // Said once the reader rests, not at every step, and not while playing.
    if (!playing()) rest = setTimeout(settle, 700, at);
  }

  function say(html) {
    spoken.innerHTML = html.replace(/<sub>/g, "_").replace(/<sup>/g, "^");
    picture.setAttribute("aria-label", spoken.textContent);
    caption.innerHTML = html;
  }

  function settle(at) {
    announcer.textContent = picture.getAttribute("aria-label");
    clearTimeout(silence);
    silence = setTimeout(() => (announcer.textContent = ""), 4000);
    source.rest?.(at);
  }

  function set(at) {
    for (const [key, index] of Object.entries(at)) inputs[key].value = index;
    show();
  }

  for (const [key, input] of Object.entries(inputs)) {
    input.addEventListener("input", show);
    if (input.type !== "range") continue;
    input.addEventListener("keydown", (event) => {
      if (!/^Page(Up|Down)$/.test(event.key)) return;
      event.preventDefault();
      set({ [key]: stepped(event.key, Number(input.value), Number(input.max)) });
    });
  }
  for (const button of root.querySelectorAll(".descent-play")) {
    players.push(player(button, button.closest(".descent-control").querySelector("input"), set, show));
  }
  root.querySelector(".descent-controls").hidden = false;
  new ResizeObserver(() => {
    const stands = handles.map((handle) => handle.measure());
    handles.forEach((handle, i) => handle.move(position(), stands[i]));
  }).observe(picture);
  source.again = (html) => {
    if (html !== undefined) say(html);
    show();
  };
  show();
  clearTimeout(rest);
  return { set, show, position, hush: () => clearTimeout(rest) };
}

// Where a key leads from one value of a list to another; nowhere for a key of another kind.
function stepped(key, index, last) {
  const tenth = Math.max(1, Math.round(last / TENTH));
  const steps = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1 };
  Object.assign(steps, { PageUp: tenth, PageDown: -tenth, Home: -last, End: last });
  return key in steps ? Math.min(last, Math.max(0, index + steps[key])) : undefined;
}

function player(button, input, set, show) {
  const key = input.dataset.control;
  const name = input.getAttribute("aria-label");
  let timer;
  const describe = () => {
    const playing = timer !== undefined;
    button.toggleAttribute("data-playing", playing);
    const action = playing ? "Pause" : STILL.matches ? "Step through" : "Play";
    button.setAttribute("aria-label", `${action} ${name}`);
    button.title = `${action} ${name}` + (STILL.matches ? " (your system asks for no animation)" : "");
  };
  const stop = () => {
    if (timer === undefined) return;
    clearInterval(timer);
    timer = undefined;
    describe();
    show();
  };
  const advance = () => {
    const end = input.value === input.max;
    if (end && timer !== undefined) return stop();
    set({ [key]: end ? 0 : Number(input.value) + 1 });
  };
  button.addEventListener("click", () => {
    if (timer !== undefined) return stop();
    if (STILL.matches) return advance();
    if (input.value === input.max) set({ [key]: 0 });
    timer = setInterval(advance, Number(button.dataset.interval));
    describe();
  });
  // A hand on the slider takes over, and so does a key that moves it.
  input.addEventListener("pointerdown", stop);
  input.addEventListener("keydown", (event) => stepped(event.key, 0, 0) !== undefined && stop());
  describe();
  return { stop, playing: () => timer !== undefined };
}

// Where handles stand and what is nearest to a place, from places(k, at): a list of the places of
// handle k at each value of its controls, the others as in `at`, the last one varying fastest.
function listed(facts, places) {
  const count = (key) => facts.texts[key].length;
  const number = ({ controls }, at) => controls.reduce((sum, key) => sum * count(key) + at[key], 0);
  function position({ controls }, number) {
    const found = {};
    for (const key of [...controls].reverse()) {
      found[key] = number % count(key);
      number = Math.floor(number / count(key));
    }
    return found;
  }
  return {
    place: (k, at) => places(k, at)[number(facts.handles[k], at)],
    nearest(k, at, x, y) {
      const far = places(k, at).map((place) => Math.hypot(place[0] - x, place[1] - y));
      return position(facts.handles[k], far.indexOf(Math.min(...far)));
    },
  };
}

// A knob in the picture. It can be dragged, and answers to the keys of a slider; of two controls
// the first lies along the horizontal arrows. The value whose place is nearest is chosen. A knob of
// two controls comes to where its drawing is clicked, if no other one is in it. A switch stays where
// it is, and a click, Space or Enter turns it on and off.
function grip(root, facts, handle, { place, nearest, position, take, set }) {
  const stage = root.querySelector(".descent-stage");
  const keys = handle.controls;
  const counts = keys.map((key) => facts.texts[key].length);
  const knob = document.createElement("span");
  knob.className = "descent-handle";
  knob.tabIndex = 0;
  const reach = [0, 1].map((axis) => {
    const at = position();
    const along = Array.from({ length: counts[0] }, (_, i) => place({ ...at, [keys[0]]: i })[axis]);
    return Math.max(...along) - Math.min(...along);
  });
  const attributes = {
    role: "slider", "aria-label": handle.label, "aria-valuemin": 0, "aria-valuemax": counts[0] - 1,
    "aria-orientation": reach[1] > reach[0] ? "vertical" : "horizontal",
    "data-handle": keys.join(" "), "data-lm-suppress-shortcuts": "true",
    title: `Drag: ${handle.label}`,
  };
  if (handle.switch) {
    for (const name of Object.keys(attributes)) if (/^aria-(value|orient)/.test(name)) delete attributes[name];
    Object.assign(attributes, { role: "switch", title: `Click: ${handle.label}` });
    knob.classList.add("descent-switch");
    knob.addEventListener("click", () => set({ [keys[0]]: 1 - position()[keys[0]] }));
  }
  for (const [name, value] of Object.entries(attributes)) knob.setAttribute(name, value);
  stage.append(knob);

  function drawing() {
    const panel = root.querySelectorAll(".descent-panel")[handle.panel];
    return panel.querySelectorAll(".descent-tile > svg")[handle.tile];
  }

  // The drawing in pixels of the stage: its corner, its scale, its left edge in its own units.
  function measure() {
    const svg = drawing();
    knob.hidden = !svg; // where an error stands
    if (!svg) return undefined;
    const [outer, inner] = [stage.getBoundingClientRect(), svg.getBoundingClientRect()];
    const view = svg.viewBox.baseVal;
    const scale = inner.width / view.width;
    const left = inner.left - outer.left + stage.scrollLeft; // a telephone shows a part of it
    return { x: left - scale * view.x, y: inner.top - outer.top, scale };
  }

  function move(at, stand) {
    if (stand) {
      const [u, v] = place(at);
      const [x, y] = [stand.x + stand.scale * u, stand.y + stand.scale * v];
      knob.style.transform = `translate(${x}px, ${y}px)`;
    }
    if (handle.switch) return knob.setAttribute("aria-checked", Boolean(at[keys[0]]));
    knob.setAttribute("aria-valuenow", at[keys[0]]);
    const said = keys.map((key) => (keys.length > 1 ? `${facts.names[key]} ` : "") + facts.texts[key][at[key]]);
    knob.setAttribute("aria-valuetext", said.join(", "));
  }

  // The position of the controls whose place is nearest to a finger.
  function under(event, at) {
    const { x, y, scale } = measure();
    const outer = stage.getBoundingClientRect();
    const px = event.clientX - outer.left + stage.scrollLeft - held[0] - x;
    const py = event.clientY - outer.top - held[1] - y;
    return nearest(at, px / scale, py / scale);
  }

  let held; // from the middle of the knob to the finger on it
  knob.addEventListener("pointerdown", (event) => {
    if (event.button) return;
    event.preventDefault();
    knob.focus({ preventScroll: true });
    knob.setPointerCapture(event.pointerId);
    take();
    const box = knob.getBoundingClientRect();
    held = [event.clientX - box.left - box.width / 2, event.clientY - box.top - box.height / 2];
  });
  knob.addEventListener("pointermove", (event) => {
    if (!held || handle.switch) return;
    const at = position();
    const chosen = under(event, at);
    if (keys.some((key) => chosen[key] !== at[key])) set(chosen);
  });
  const plane = ({ controls, panel, tile }) =>
    controls.length > 1 && panel === handle.panel && tile === handle.tile;
  if (keys.length > 1 && facts.handles.filter(plane).length === 1) {
    stage.addEventListener("click", (event) => {
      if (!drawing()?.parentElement.contains(event.target)) return; // the knob is in no tile
      take();
      held = [0, 0];
      set(under(event, position()));
      held = undefined;
    });
  }
  for (const end of ["pointerup", "pointercancel"]) knob.addEventListener(end, () => (held = undefined));
  knob.addEventListener("keydown", (event) => {
    const along = /^(ArrowLeft|ArrowRight|Home|End)$/.test(event.key) ? 0 : keys.length - 1;
    const turned = handle.switch && /^( |Enter)$/.test(event.key);
    const to = turned ? 1 - position()[keys[0]] : stepped(event.key, position()[keys[along]], counts[along] - 1);
    if (to === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    take();
    set({ [keys[along]]: to });
  });
  return { measure, move };
}
