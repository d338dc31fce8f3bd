// The source of a model that the page computes: any value, no stored state, no kernel.

function computed(root, data) {
  // The picture that stands for it on paper gives way to its axes.
  root.querySelector(".descent-panels").innerHTML = data.frame;
  const plot = canvases(root, data);
  const picture = pictures[data.model](plot, data.constants);
  for (const words of picture.longest) { // the room of the longest caption, so that nothing below moves
    const room = Object.assign(document.createElement("span"), { className: "descent-room", ariaHidden: "true", innerHTML: words });
    root.querySelector("figcaption").append(room);
  }
  const values = (at) =>
    Object.fromEntries(Object.keys(at).map((key) => [key, (data.values[key] ?? data.texts[key])[at[key]]]));
  let last;

  function paint(at) {
    last = at;
    plot.clear();
    return picture.draw(values(at));
  }

  const nearest = (list, value) => {
    let best = 0;
    list.forEach((own, i) => { if (Math.abs(own - value) < Math.abs(list[best] - value)) best = i; });
    return best;
  };
  const again = () => last && paint(last);
  new ResizeObserver(again).observe(root.querySelector(".descent-panels"));
  new MutationObserver(again).observe(document.documentElement, { attributeFilter: ["data-theme"] });

  return {
    paint,
    place: (k, at) => plot.place(data.handles[k].axes, ...picture.handles[k].place(values(at))),
    nearest(k, at, u, v) {
      const found = picture.handles[k].set(...plot.read(data.handles[k].axes, u, v), values(at));
      return Object.fromEntries(Object.entries(found).map(([key, value]) => [key, nearest(data.values[key], value)]));
    },
  };
}
