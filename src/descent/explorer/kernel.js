// The source of a notebook: a kernel draws. It is asked for the newest position alone, and for
// one at a time; what it has drawn once is kept.

function drawings(root, facts, model) {
  const first = model.get("first");
  const drawn = new Map([[first.at, first]]);
  const shown = [...first.panels];
  let wanted, asked, last = first;

  function put(answer) {
    const panels = root.querySelectorAll(".descent-panel");
    if (answer.trouble) { // in place of the picture, until there is one again
      panels.forEach((panel, i) => (panel.innerHTML = shown[i] = i ? "" : answer.trouble));
      return "";
    }
    last = answer;
    answer.panels.forEach((markup, i) => {
      if (shown[i] !== markup) panels[i].innerHTML = shown[i] = markup;
    });
    return answer.caption;
  }

  const source = {
    paint(at) {
      wanted = JSON.stringify(at);
      const answer = drawn.get(wanted);
      if (answer) return put(answer);
      if (asked === undefined) model.send({ at: (asked = wanted) });
      return undefined;
    },
    // While the kernel is at work the handle follows the drawing that stands.
    ...listed(facts, (k, at) => (drawn.get(JSON.stringify(at))?.places ?? last.places)[k]),
  };
  model.on("msg:custom", (answer) => {
    drawn.set(answer.at, answer);
    if (answer.at !== asked) return; // another view of the same cell asked
    asked = undefined;
    // Where the reader has gone on since, this is a picture on the way to the newest.
    source.again(answer.at === wanted ? undefined : put(answer));
  });
  return source;
}

function render({ model, el }) {
  el.innerHTML = model.get("html");
  const root = el.querySelector(".descent-explorer");
  const facts = model.get("facts");
  mount(root, facts, drawings(root, facts, model));
}

export default { render };
