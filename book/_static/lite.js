/* Runs a chapter's cells on its page. Until the button is pressed nothing is loaded. */
(() => {
  "use strict";
  const offer = document.querySelector(".descent-lite");
  const start = offer.querySelector(".descent-lite-start");
  const status = offer.querySelector("[role=status]");
  const folder = new URL(".", document.currentScript.src);
  const { chapter, packages } = start.dataset;
  const cells = [];
  const SILENCE = 300_000;  // milliseconds
  let frame, answer, begun, timer, busy = false;

  const ask = message => new Promise((resolve, reject) => {
    answer = { resolve, reject };
    frame.contentWindow.postMessage(message, "*");
  });

  /* Python runs in a document of its own, the only one that may load from another place. */
  const launch = () => new Promise(resolve => {
    frame = document.createElement("iframe");
    frame.hidden = true;
    frame.title = "Python";
    frame.src = new URL("lite-frame.html", folder);
    frame.onload = resolve;
    document.body.append(frame);
  });

  function end() {
    clearTimeout(timer);
    frame?.remove();
    begun = frame = undefined;
  }

  addEventListener("message", ({ data, source }) => {
    if (!frame || source !== frame.contentWindow) return;
    clearTimeout(timer);
    if (data.say) {
      status.textContent = data.say;
      wait();
    } else if (data.failed) answer.reject(new Error(data.failed));
    else answer.resolve(data.done);
  });

  /* A browser that may not load something need not say so: after a silence it has failed. */
  function wait() {
    timer = setTimeout(() => answer.reject(new Error("no word for five minutes")), SILENCE);
  }

  /* Load the script that holds the library and the notebooks, which lies beside this one. */
  const library = () => new Promise((resolve, reject) => {
    if (window.descentLibrary) return resolve(window.descentLibrary);
    const script = document.createElement("script");
    script.src = new URL("lite-library.js", folder);
    script.onload = () => resolve(window.descentLibrary);
    script.onerror = () => reject(new Error(`${script.src} is missing`));
    document.head.append(script);
  });

  const make = (tag, content, properties = {}) =>
    Object.assign(document.createElement(tag), { textContent: content }, properties);

  function show(cell, outputs) {
    // Sentences keep the numbers of the stored run, and an explorer has all its states already.
    const fresh = outputs.filter(o => o.kind !== "prose" && !(o.kind === "explorer" && cell.explorer));
    const kept = outputs.length > fresh.length && !fresh.length;
    if (kept || (!fresh.length && !cell.output)) return;
    cell.output ??= cell.node.appendChild(make("div", "", { className: "cell_output docutils container" }));
    cell.output.replaceChildren(...fresh.map(({ kind, content }) => {
      const rich = kind === "html" || kind === "explorer";
      const box = make("div", "", { className: `output ${rich ? "text_html" : "text_plain highlight"}` });
      if (rich) box.innerHTML = content;
      else box.append(make("pre", content, { className: kind === "error" ? "descent-lite-error" : "", tabIndex: 0 }));
      return box;
    }));
  }

  const sourceOf = cell => (cell.edited ? cell.code.innerText.replace(/\n$/, "") : cell.source);

  /* Run cells in order; stop at the first that fails. */
  async function run(wanted) {
    if (busy) return;
    setBusy(true);
    let last = "Done. Change the code of a cell and run it again.";
    try {
      await begin();
      for (const cell of wanted) {
        status.textContent = `Running cell ${cell.number} of ${cells.length} …`;
        const outputs = await ask({ source: sourceOf(cell) });
        cell.done = true;
        show(cell, outputs);
        if (outputs.some(o => o.kind === "error")) {
          last = `Cell ${cell.number} stopped with an error.`;
          break;
        }
      }
    } catch (error) {
      last = error.message;
    }
    status.textContent = last;
    setBusy(false);
  }

  const upTo = cell => cells.filter(c => c === cell || (c.number < cell.number && !c.done));

  function setBusy(value) {
    busy = value;
    for (const button of document.querySelectorAll(".descent-lite-run")) button.disabled = value;
  }

  function enliven(sources) {
    const nodes = [...document.querySelectorAll("div.cell")];
    if (nodes.length !== sources.length) throw new Error("the page and its notebook differ");
    cells.push(...nodes.map((node, index) => {
      const cell = {
        node, number: index + 1, source: sources[index], done: false, edited: false,
        code: node.querySelector(".cell_input pre"),
        output: node.querySelector(".cell_output"),
        explorer: node.querySelector(".descent-explorer"),
      };
      if (!cell.code) return cell;
      // An attribute, so that a browser without plain-text editing edits all the same.
      cell.code.setAttribute("contenteditable", "plaintext-only");
      if (!cell.code.isContentEditable) cell.code.contentEditable = "true";
      cell.code.spellcheck = false;
      cell.code.setAttribute("role", "textbox");
      cell.code.setAttribute("aria-multiline", "true");
      cell.code.setAttribute("aria-label", `Code of cell ${cell.number}`);
      cell.code.addEventListener("input", () => { cell.edited = true; });
      cell.code.addEventListener("keydown", event => {
        if (event.key !== "Enter" || !(event.shiftKey || event.ctrlKey)) return;
        event.preventDefault();
        run(upTo(cell));
      });
      const button = make("button", "Run", { type: "button", className: "descent-lite-run" });
      button.setAttribute("aria-label", `Run cell ${cell.number}`);
      button.addEventListener("click", () => run(upTo(cell)));
      node.querySelector(".cell_input").append(button);
      return cell;
    }));
    const all = make("button", "Run all cells", { type: "button", className: "descent-lite-run" });
    all.addEventListener("click", () => run(cells));
    const stop = make("button", "Stop", { type: "button" });
    stop.addEventListener("click", () => {
      end();
      for (const cell of cells) cell.done = false;
      status.textContent = ENDED;
      answer.reject(new Error(ENDED));
    });
    offer.querySelector("span").remove();
    start.replaceWith(all, stop);
  }

  const NO_PYTHON = "Python could not be loaded. Running a chapter needs the network; reading it does not.";
  const ENDED = "Python was ended. The next cell that you run starts it again, from the top.";

  /* Start Python, unless it runs; return the sources of the chapter's cells. */
  function begin() {
    begun ??= (async () => {
      try {
        const { archive } = await library();
        await launch();
        const sources = ask({
          archive: Uint8Array.from(atob(archive), c => c.charCodeAt(0)),
          packages: packages.split(" ").filter(Boolean), chapter,
        });
        wait();
        return await sources;
      } catch (error) {
        end();
        throw new Error(`${NO_PYTHON} (${error.message})`);
      }
    })();
    return begun;
  }

  start.addEventListener("click", async () => {
    start.disabled = true;
    try {
      enliven(await begin());
      status.textContent = "Python is ready. Edit any cell; run it with its button or with Shift and Enter.";
    } catch (error) {
      start.disabled = false;
      status.textContent = error.message;
    }
  });
})();
