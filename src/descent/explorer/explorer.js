(() => {
  "use strict";
  const still = matchMedia("(prefers-reduced-motion: reduce)");

  // Dots at the vertices of a line: moves, each with a line of no length.
  const dots = (line) => line.replace(/[ml]? ?(-?\d+)( \d+|-\d+)/g, "m$1$2h0");

  async function unpack(element) {
    const bytes = Uint8Array.from(atob(element.textContent), (c) => c.charCodeAt(0));
    const inflated = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
    return JSON.parse(await new Response(inflated).text());
  }

  async function start(root) {
    root.dataset.ready = "";
    const data = await unpack(root.querySelector(".descent-data"));
    const inputs = {};
    for (const input of root.querySelectorAll("[data-control]")) inputs[input.dataset.control] = input;
    const picture = root.querySelector(".descent-panels");
    const spoken = document.createElement("span");
    const caption = root.querySelector("figcaption");
    const announcer = root.querySelector(".descent-announcer");
    const panels = [...root.querySelectorAll(".descent-panel")].map((element, i) => ({
      ...data.panels[i],
      slots: [...element.querySelectorAll("[data-slot]")],
      image: element.querySelector("img"),
      shown: [],
    }));
    let timer, announcement;

    const state = (part) =>
      part.states[part.takes.reduce((sum, key, i) => sum + part.strides[i] * inputs[key].value, 0)];

    function markup(panel, content) {
      const [template, ...paths] = panel.contents[content];
      paths.forEach((data, i) => { paths[i] = data || dots(paths[i - 1]); });
      return panel.templates[template].map((piece, i) => piece + (paths[i] ?? "")).join("");
    }

    function show() {
      for (const panel of panels) {
        if (panel.frames) {
          panel.image.src = panel.frames[state(panel)];
          continue;
        }
        state(panel).forEach((content, i) => {
          if (panel.shown[i] === content) return;
          panel.shown[i] = content;
          panel.slots[i].innerHTML = markup(panel, content);
        });
      }
      const html = data.captions.rows[state(data.captions)];
      spoken.innerHTML = html.replace(/<sub>/g, "_").replace(/<sup>/g, "^");
      picture.setAttribute("aria-label", spoken.textContent);
      caption.innerHTML = html;
      if (html.includes("mathjax_process")) window.MathJax?.typesetPromise?.([caption]);
      for (const [key, input] of Object.entries(inputs)) {
        if (input.type !== "range") continue;
        const text = data.texts[key][input.value];
        input.setAttribute("aria-valuetext", text);
        input.style.setProperty("--at", `${(100 * input.value) / (input.max || 1)}%`);
        input.closest(".descent-control").querySelector("output").textContent = text;
      }
      // Said once the reader rests, not at every step, and not while playing.
      clearTimeout(announcement);
      if (timer === undefined) {
        announcement = setTimeout(() => {
          announcer.textContent = picture.getAttribute("aria-label");
          announcement = setTimeout(() => (announcer.textContent = ""), 4000);
        }, 700);
      }
    }

    function set(input, value) {
      input.value = value;
      input.dispatchEvent(new Event("input", { bubbles: true }));
    }

    for (const input of Object.values(inputs)) {
      input.addEventListener("input", show);
      input.addEventListener("keydown", (event) => {
        if (input.type !== "range" || !/^Page(Up|Down)$/.test(event.key)) return;
        event.preventDefault();
        const step = Math.max(1, Math.round(input.max / 10));
        set(input, Number(input.value) + (event.key === "PageUp" ? step : -step));
      });
    }

    for (const button of root.querySelectorAll(".descent-play")) {
      const input = button.closest(".descent-control").querySelector("input");
      const name = input.getAttribute("aria-label");
      const describe = () => {
        const playing = timer !== undefined;
        button.toggleAttribute("data-playing", playing);
        const action = playing ? "Pause" : still.matches ? "Step through" : "Play";
        button.setAttribute("aria-label", `${action} ${name}`);
        button.title = still.matches ? `${action} ${name} (your system asks for no animation)` : `${action} ${name}`;
      };
      const stop = () => {
        clearInterval(timer);
        timer = undefined;
        describe();
      };
      const advance = () => {
        const end = input.value === input.max;
        if (end && timer !== undefined) return stop(), show();
        set(input, end ? 0 : Number(input.value) + 1);
      };
      button.addEventListener("click", () => {
        if (timer !== undefined) return stop();
        if (still.matches) return advance();
        if (input.value === input.max) set(input, 0);
        timer = setInterval(advance, Number(button.dataset.interval));
        describe();
      });
      // A hand on the slider takes over.
      input.addEventListener("pointerdown", stop);
      input.addEventListener("keydown", stop);
      describe();
    }

    root.querySelector(".descent-controls").hidden = false;
    show();
    clearTimeout(announcement);
  }

  for (const root of document.querySelectorAll(".descent-explorer:not([data-ready])")) {
    if (root.querySelector(".descent-data")) start(root);
  }
})();
