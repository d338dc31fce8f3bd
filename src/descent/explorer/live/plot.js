// Drawing on top of a picture whose axes are there: lines and points in the data of its axes.

function canvases(root, data) {
  const tiles = [...root.querySelectorAll(".descent-tile")].map((tile) => {
    const canvas = document.createElement("canvas");
    Object.assign(canvas.style, { position: "absolute", inset: 0, width: "100%", height: "100%", pointerEvents: "none" });
    tile.style.position = "relative";
    tile.append(canvas);
    return { tile, canvas, pen: canvas.getContext("2d"), view: tile.querySelector("svg").viewBox.baseVal };
  });
  let ink, dark;

  // To a place in the units of the drawing, and back.
  const bent = { linear: (v) => v, log: Math.log, asinh: (v, width) => Math.asinh(v / width) };
  const straight = { linear: (v) => v, log: Math.exp, asinh: (v, width) => width * Math.sinh(v) };
  const scaled = (value, limits, [kind, width]) => {
    const [at, low, high] = [value, ...limits].map((v) => bent[kind](v, width));
    return (at - low) / (high - low);
  };
  const back = (share, limits, [kind, width]) => {
    const [low, high] = limits.map((v) => bent[kind](v, width));
    return straight[kind](low + share * (high - low), width);
  };
  const place = (k, x, y) => {
    const { box, xlim, ylim, xscale, yscale } = data.axes[k];
    return [box[0] + scaled(x, xlim, xscale) * (box[2] - box[0]), box[3] - scaled(y, ylim, yscale) * (box[3] - box[1])];
  };
  const read = (k, u, v) => {
    const { box, xlim, ylim, xscale, yscale } = data.axes[k];
    return [back((u - box[0]) / (box[2] - box[0]), xlim, xscale), back((box[3] - v) / (box[3] - box[1]), ylim, yscale)];
  };

  function clear() {
    ink = getComputedStyle(root).color;
    // Before it is attached, as in a notebook's first moment, a frame has no colour and no size.
    dark = Number(ink.match(/\d+/g)?.[0] ?? 0) > 128;
    for (const { tile, canvas, pen, view } of tiles) {
      const box = tile.querySelector("svg").getBoundingClientRect();
      const scale = window.devicePixelRatio || 1;
      const [width, height] = [Math.round(box.width * scale), Math.round(box.height * scale)];
      if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
      pen.setTransform(1, 0, 0, 1, 0, 0);
      pen.clearRect(0, 0, width, height);
      pen.setTransform(width / view.width, 0, 0, height / view.height, (-view.x * width) / view.width, (-view.y * height) / view.height);
    }
  }

  // A hue, by name or as "#rrggbb", lighter on dark paper; or a grey, which is a share of ink: "0.7"
  // is three tenths.
  const colour = (name) => {
    if (name === "paper") return [dark ? "#121212" : "#ffffff", 1];
    const own = name.startsWith("#") ? name : data.colours[name] ?? "0";
    if (!own.startsWith("#")) return [ink, 1 - (Number(own) || 0)];
    return [dark ? `color-mix(in srgb, ${own} 72%, white)` : own, 1];
  };

  // Runs `trace` with a pen that is clipped to the axes.
  function within(k, { colour: name = "ink", alpha = 1, width = 1.5, dashed = false }, trace) {
    const { box, tile } = data.axes[k];
    const { pen } = tiles[tile];
    pen.save();
    pen.beginPath();
    pen.rect(box[0], box[1], box[2] - box[0], box[3] - box[1]);
    pen.clip();
    pen.beginPath();
    const [paint, share] = colour(name);
    pen.strokeStyle = pen.fillStyle = paint;
    pen.globalAlpha = alpha * share;
    pen.lineWidth = width * data.unit;
    pen.lineJoin = "round";
    pen.lineCap = dashed ? "butt" : "round";
    if (dashed) pen.setLineDash([4 * data.unit, 3 * data.unit]);
    trace(pen);
    pen.restore();
  }

  return {
    clear, place, read,
    line(k, points, style = {}) {
      within(k, style, (pen) => {
        points.forEach(([x, y], i) => (i ? pen.lineTo(...place(k, x, y)) : pen.moveTo(...place(k, x, y))));
        pen.stroke();
      });
    },
    // Steps of equal width from a place on, filled or as an outline.
    stairs(k, from, width, heights, { filled = false, ...style } = {}) {
      within(k, style, (pen) => {
        const floor = data.axes[k].ylim[0];
        const up = (value) => Math.max(value, floor);
        pen.moveTo(...place(k, from, floor));
        heights.forEach((value, i) => {
          pen.lineTo(...place(k, from + i * width, up(value)));
          pen.lineTo(...place(k, from + (i + 1) * width, up(value)));
        });
        pen.lineTo(...place(k, from + heights.length * width, floor));
        if (filled) pen.fill(); else pen.stroke();
      });
    },
    points(k, places, { size = 2, ...style } = {}) {
      within(k, style, (pen) => {
        const r = size * data.unit;
        for (const [x, y] of places) {
          const [u, v] = place(k, x, y);
          pen.rect(u - r / 2, v - r / 2, r, r);
        }
        pen.fill();
      });
    },
    dot(k, x, y, { size = 3, square = false, ...style } = {}) {
      within(k, style, (pen) => {
        const [u, v] = place(k, x, y);
        const r = size * data.unit;
        if (square) pen.rect(u - r, v - r, 2 * r, 2 * r); else pen.arc(u, v, r, 0, 2 * Math.PI);
        pen.fill();
      });
    },
    // Words about a place, in points; on a narrow screen no smaller than can be read.
    text(k, x, y, words, { size = 8, ...style } = {}) {
      const { canvas, view } = tiles[data.axes[k].tile];
      const shrunk = canvas.width / (window.devicePixelRatio || 1) / view.width;
      within(k, style, (pen) => {
        pen.font = `${Math.max(size * data.unit, 10.5 / (shrunk || 1))}px sans-serif`;
        [pen.textAlign, pen.textBaseline] = ["center", "middle"];
        pen.fillText(words, ...place(k, x, y));
      });
    },
    upright(k, x, style = {}) {
      const { ylim } = data.axes[k];
      this.line(k, [[x, ylim[0]], [x, ylim[1]]], { colour: "guide", width: 1, ...style });
    },
  };
}
