// What the page draws of each model, at the values of its controls, and what it says of it.
//
// A picture returns draw(values), which draws and returns the caption, for each handle a pair,
// place(values) in the data of its axes and set(x, y, values), the values at such a place, and the
// longest captions of each form, whose room is kept.

const pictures = {};
const spaced = (low, high, count) => Array.from({ length: count }, (_, i) => low + ((high - low) * i) / (count - 1));
const number = (value, digits = 3) => String(Number(value.toPrecision(digits)) + 0).replaceAll("-", "−");
const percent = (share) => `${(100 * share).toFixed(1)} %`;
// Remembers the last result: a control that a part does not depend on does not compute it anew.
const kept = (make) => {
  let key, value;
  return (...given) => {
    if (key !== given.join()) [key, value] = [given.join(), make(...given)];
    return value;
  };
};
const em = (text) => `<em>${text}</em>`;

pictures.walk = (plot, { walkers: count }) => {
  const { loss, barrier, walkers, law } = models.walk;
  const walk = kept((T, start, depth) => walkers(T, start, depth, count));
  const exact = kept((T, start, depth) => law(T, start, depth));
  const [from, width, cells] = [-0.625, 0.05, 95]; // 2, where walkers come to rest, is in a cell's middle
  const floor = spaced(-0.6, 4.1, 471);
  const said = ({ T, depth, n }, share, exact) =>
    `${em("T")} = ${number(T)}, after ${n} ${n === 1 ? "step" : "steps"}: of ${count.toLocaleString("en")} walkers (orange) ` +
    `${percent(share)} are beyond the barrier (grey line) of a pit of depth ${number(depth)}; ` +
    `their law (outline), which needs no draws, puts ${percent(exact)} there.`;
  const draw = ({ T, start, depth, n }) => {
    const edge = barrier(depth);
    const places = walk(T, start, depth)(n);
    const found = new Float64Array(cells);
    let out = 0;
    for (const w of places) {
      out += w > edge;
      const k = Math.floor((w - from) / width);
      if (k >= 0 && k < cells) found[k] += 1 / (count * width);
    }
    const right = exact(T, start, depth);
    plot.upright(0, edge);
    plot.line(0, [[-0.6, loss(1, depth)], [1, loss(1, depth)]], { colour: "guide", width: 1, dashed: true });
    plot.line(0, floor.map((w) => [w, loss(w, depth)]), { alpha: 0.55 });
    const lifted = [...places].map((w, i) => [w, loss(w, depth) + 0.02 + 0.1 * ((i * 0.618034) % 1)]);
    plot.points(0, lifted, { colour: "red", alpha: 0.35 });
    plot.stairs(1, from, width, found, { colour: "red", alpha: 0.35, filled: true });
    plot.stairs(1, from, width, right.density(n, from, width, cells), { width: 1.2 });
    plot.upright(1, edge);
    return said({ T, depth, n }, out / count, right.beyond(n, edge));
  };
  const start = {
    place: ({ start, depth }) => [start, loss(start, depth)],
    set: (x) => ({ start: x }),
  };
  // The pit's bottom, on the axis of the loss.
  const bottom = {
    place: ({ depth }) => [-0.6, loss(1, depth)],
    set: (x, y) => ({ depth: 2 * (loss(1, 0) - y) }),
  };
  return { draw, handles: [start, bottom], longest: [said({ T: 0.00888, depth: 0.888, n: 888 }, 1, 1)] };
};

pictures.lorenz = (plot, { names, span: time, interval, count, delta }) => {
  const FINE = 5; // points of the path for each place to start from
  const { dt } = models.lorenz;
  const path = kept((rho) => models.lorenz.path(rho, FINE * count, interval / FINE));
  const place = (rho, start) => path(rho)[FINE * start];
  const worlds = kept((rho, start, frozen, n) =>
    models.lorenz.worlds(rho, place(rho, start), frozen, n, delta, time));
  const said = ({ rho, t }, [frozen, n, m], op) =>
    `<em>ρ</em><sub>L</sub> = ${number(rho)}: blue is undisturbed, orange began ${delta} away in ${names[n]}, ` +
    `and so did green, where ${names[frozen]} is replayed from blue. At ${em("t")} = ${number(t)} Op of ${names[m]} ` +
    `${Number.isFinite(op) ? `is ${number(op)} nats` : "is not defined yet"}.`;
  const draw = ({ rho, start, choice, t }) => {
    const [frozen, n, m] = choice.match(/\b[abc]\b/g).map((name) => names.indexOf(name));
    const rows = worlds(rho, start, frozen, n);
    const last = Math.round(t / dt);
    const seen = rows.filter((_, i) => i % 2 === 0);
    const thin = [...seen.slice(0, Math.ceil(last / 2)), rows[last]];
    plot.line(0, path(rho).map(([a, , c]) => [a, c]), { colour: "guide", width: 0.6 });
    ["Y", "X", "W"].forEach((world) => {
      const first = 3 * ["W", "X", "Y"].indexOf(world);
      plot.line(0, thin.map((s) => [s[first], s[first + 2]]), { colour: world, width: world === "W" ? 2 : 1.4 });
      plot.dot(0, rows[last][first], rows[last][first + 2], { colour: world });
    });
    const op = (row) => models.lorenz.op(row, m);
    const curve = seen.map((row, i) => [2 * i * dt, op(row)]).filter(([, value]) => Number.isFinite(value));
    plot.line(1, curve, { alpha: 0.3 });
    plot.line(1, curve.filter(([at]) => at <= t));
    const now = op(rows[last]);
    if (Number.isFinite(now)) plot.dot(1, t, now, { colour: "red" });
    return said({ rho, t }, [frozen, n, m], now);
  };
  const start = {
    place({ rho, start }) {
      const [a, , c] = place(rho, start);
      return [a, c];
    },
    set(x, y, { rho }) {
      const far = Array.from({ length: count }, (_, i) => place(rho, i)).map(([a, , c]) => (a - x) ** 2 + (c - y) ** 2);
      return { start: far.indexOf(Math.min(...far)) };
    },
  };
  return { draw, handles: [start], longest: [-0.000888, NaN].map((op) => said({ rho: 28.8, t: 8.88 }, [0, 1, 2], op)) };
};

pictures.thermostat = (plot, { target, span: time, delta }) => {
  const { dt, worlds } = models.thermostat;
  const run = kept((theta, p, start) => worlds(theta, p, target, start, delta, time));
  const draw = ({ theta, p, start }) => {
    const rows = run(theta, p, start);
    const thin = rows.map((row, i) => [i * dt, row]).filter((_, i) => i % 5 === 0);
    for (const edge of [target - theta, target + theta]) plot.line(0, [[0, edge], [time, edge]], { colour: "guide", width: 1 });
    ["Y", "X", "W"].forEach((world) => {
      const column = ["W", "X", "Y"].indexOf(world);
      plot.line(0, thin.map(([t, row]) => [t, row[column]]), { colour: world });
    });
    const op = thin.map(([t, row]) => [t, Math.log(Math.abs(row[4])) - Math.log(Math.abs(row[3]))]);
    plot.line(1, op.filter(([, v]) => Number.isFinite(v)), {});
    const end = op[op.length - 1][1];
    const within = rows.findIndex((row) => Math.abs(row[0] - target) < theta);
    return said(start, within * dt, end);
  };
  const said = (start, reached, op) => {
    const when = reached < 0 ? `does not reach its band by ${em("t")} = ${time}` : `is in its band from ${em("t")} = ${number(reached)} on`;
    return `The room starts at ${number(start)} and ${when} (grey lines). At ${em("t")} = ${time} Op is ${number(op)} nats. ` +
      `Orange: disturbed by ${number(delta, 1)}. Green: the same with the cooling of the undisturbed room (blue).`;
  };
  const start = { place: ({ start }) => [0, start], set: (x, y) => ({ start: y }) };
  return { draw, handles: [start], longest: [-1, 8.88].map((reached) => said(38.8, reached, -0.000888)) };
};

pictures.ascent = (plot, { with_baseline, rules, race }) => {
  const climb = kept((x, sigma) => models.sinc.climb(x, sigma, false));
  const sampled = kept((x, sigma, baseline, stream) => models.sinc.sampled(x, sigma, { ...race, baseline, stream }));
  const scheduled = kept((x, sigma) => models.sinc.scheduled(x, sigma, race));
  const across = spaced(-20, 20, 401);
  const sinc = (x) => (x ? Math.sin(x) / x : 1);
  const row = kept((sigma) => across.map((x) => [x, models.sinc.smoothed(x, sigma)[0]]));
  const draw = ({ x, sigma, rule, seed, n }) => {
    const exact = climb(x, sigma);
    const noisy = sampled(x, sigma, rule === with_baseline, seed).slice(0, n + 1);
    const levels = scheduled(x, sigma);
    const planned = levels.slice(0, 1 + Math.round((n / race.steps) * (levels.length - 1)));
    const runs = [[exact, "ink", 2], [noisy, "red", 1.2], [planned, "green", 2]];
    for (const [points, colour, width] of runs) plot.line(0, points, { colour, width });
    for (const [points, colour] of runs) plot.dot(0, ...points.at(-1), { colour });
    plot.line(1, across.map((at) => [at, sinc(at)]), { colour: "guide", width: 1 });
    plot.line(1, row(sigma), { colour: "blue" });
    for (const [points, colour] of runs) plot.dot(1, points.at(-1)[0], sinc(points.at(-1)[0]), { colour });
    return said({ x, sigma, rule, n }, ...runs.map(([points]) => points.at(-1)[0]));
  };
  const said = ({ x, sigma, rule, n }, exact, noisy, planned) => {
    const where = (at) => `${em("x")} = ${number(Math.abs(at) < 0.005 ? 0 : at)}`;
    return `From ${em("x")} = ${number(x)}, <em>σ</em> = ${number(sigma)} the exact climb (black) ends at ${where(exact)}. ` +
      `The climb on samples ${rule} (orange) is at ${where(noisy)} after ${n} steps, and that in x alone, whose σ falls ` +
      `by a schedule (green), at ${where(planned)}. Right: <em>f</em> (grey), its blurred copy at the start, and where the three are.`;
  };
  const start = { place: ({ x, sigma }) => [x, sigma], set: (x, sigma) => ({ x, sigma }) };
  return { draw, handles: [start], longest: rules.map((rule) => said({ x: -18.88, sigma: 8.888, rule, n: 2000 }, -18.88, -18.88, -18.88)) };
};

pictures.attractor = (plot, { pieces, colours, elevation, middle, said }) => {
  const from = (view) => (place) => models.view.seen((view * Math.PI) / 180, elevation, place, middle);
  const points = pieces.flat();
  const far = points.map(([a, b]) => Math.hypot(a, b));
  const tip = points[far.indexOf(Math.max(...far))];
  const draw = ({ view }) => {
    const turned = pieces.map((piece, i) => {
      const seen = piece.map(from(view));
      return { seen, colour: colours[i], depth: seen.reduce((sum, [, , depth]) => sum + depth, 0) / seen.length };
    });
    turned.sort((one, other) => other.depth - one.depth); // far pieces first
    for (const { seen, colour } of turned) plot.line(0, seen, { colour, width: 1.4 });
    return said.replace("#", view);
  };
  const wing = {
    place: ({ view }) => from(view)(tip).slice(0, 2),
    set(x, y) {
      const apart = Array.from({ length: 360 }, (_, view) => {
        const [u, v] = from(view)(tip);
        return (u - x) ** 2 + (v - y) ** 2;
      });
      return { view: apart.indexOf(Math.min(...apart)) };
    },
  };
  return { draw, handles: [wing], longest: [said.replace("#", 288)] };
};

pictures.oscillator = (plot, { span: time, delta, recodings }) => {
  const { worlds, op, tangents, recodings: known } = models.oscillator;
  const forms = [["plain", "plain"], ["exp", "plain"], ["plain", "sinh"], ["exp", "sinh"]];
  const h = 0.005;
  const dots = kept((mixture, damping, ofX, ofPart) => tangents(mixture, damping, ofX, ofPart, time, h));
  const times = spaced(0, time, 801);
  const draw = ({ mixture, damping, recoding }) => {
    const names = forms[recodings.indexOf(recoding)];
    const [[toX], [toPart]] = names.map((name) => known[name]);
    const paths = times.slice(0, 321).map((t) => worlds(t, mixture, damping, delta));
    [[2, "Y"], [1, "X"], [0, "W"]].forEach(([world, colour]) => {
      plot.line(1, paths.map((at) => [toX(at[world][0]), toPart(at[world][1])]), { colour, width: world ? 1.4 : 2 });
    });
    const slope = damping / 2 - mixture;
    plot.line(0, [[0, 0], [time, slope * time]], { colour: "red", dashed: true });
    plot.line(0, times.map((t) => [t, op(t, mixture, damping)]));
    const found = dots(mixture, damping, ...names);
    const each = Math.round(0.5 / h);
    plot.points(0, found.map((value, k) => [k * h, value]).filter((_, k) => k % each === 0), { colour: "red", size: 2.5 });
    return said(mixture, damping, recoding, op(time, mixture, damping), found.at(-1));
  };
  const said = (mixture, damping, recoding, closed, tangent) => {
    const slope = damping / 2 - mixture;
    const verdict = Math.abs(slope) < 1e-9 ? "leaves alone" : slope > 0 ? "optimizes" : "amplifies";
    return `${em("A")} = ${em("v")} + ${em("s")} ${em("x")} with ${em("s")} = ${number(mixture)} ${verdict} x: the long-run slope of Op ` +
      `(dashed) is ${number(slope)}, and turns at ${em("s")} = ${number(damping / 2)}. At ${em("t")} = ${time} Op is ` +
      `${number(closed, 4)} nats by the closed form (line), and ${number(tangent, 4)} nats ` +
      `by tangents (dots), computed with ${recoding}. Beside it, blue is undisturbed; orange and green began ${delta} away in x, ` +
      `and green replays ${em("A")}.`;
  };
  const end = {
    place: ({ mixture, damping }) => [time, (damping / 2 - mixture) * time],
    set: (x, y, { damping }) => ({ mixture: damping / 2 - y / time }),
  };
  return { draw, handles: [end], longest: recodings.map((recoding) => said(-0.888, 0.888, recoding, -88.88, -88.88)) };
};

// A network whose arrows carry their weights as knobs, and whose nodes go into A by a click.
pictures.paths = (plot, { nodes, places, arrows: pairs, from, to }) => {
  const { op: measure } = models.paths;
  const [origin] = nodes;
  const key = (cause, effect) => `${cause}_${effect}`;
  const along = ([cause, effect], share) => [0, 1].map((i) => places[cause][i] + share * (places[effect][i] - places[cause][i]));
  const share = (weight) => from + ((weight + 1) / 2) * (to - from);
  const draw = (values) => {
    const held = nodes.filter((node) => values[`in_${node}`]);
    const arrows = pairs.map(([cause, effect]) => [cause, effect, values[key(cause, effect)]]);
    const found = measure(nodes, arrows, origin, held);
    const read = (op) => (Number.isNaN(op) ? "none" : Number.isFinite(op) ? number(Math.round(1000 * op) / 1000, 6) : op > 0 ? "∞" : "−∞");
    for (const [cause, effect, weight] of arrows) {
      const style = { colour: weight < 0 ? "red" : "blue", width: 0.8 + 2.4 * Math.abs(weight), alpha: weight ? 1 : 0.3 };
      const [dx, dy] = [0, 1].map((i) => places[effect][i] - places[cause][i]);
      const size = Math.hypot(dx, dy);
      const [ux, uy] = [dx / size, dy / size];
      const ends = [along([cause, effect], 0.2 / size), along([cause, effect], 1 - 0.22 / size)];
      const wing = (side) => [ends[1][0] - 0.11 * ux - side * 0.07 * uy, ends[1][1] - 0.11 * uy + side * 0.07 * ux];
      plot.line(0, ends, { ...style, dashed: held.includes(cause) || held.includes(effect) });
      plot.line(0, [wing(1), ends[1], wing(-1)], { ...style, width: 1.4 });
      const [x, y] = along([cause, effect], share(weight));
      plot.text(0, x + 0.24 * uy, y - 0.24 * ux, number(weight), { size: 8 });
    }
    for (const node of nodes) {
      const [x, y] = places[node];
      const part = held.includes(node);
      const op = found[node];
      const colour = part ? "ink" : !(Math.abs(op) > 1e-9) ? "#767676" : op > 0 ? "blue" : "red";
      plot.dot(0, x, y, { colour, size: 10, square: part });
      plot.text(0, x, y, node, { size: 9, colour: "paper" });
      if (node !== origin) plot.text(0, x, y + (places[node][1] < -0.5 ? -0.32 : 0.32), part ? "in A" : `Op ${read(op)}`, { size: 8 });
    }
    return said(held, (node) => read(found[node]));
  };
  const said = (held, op) => {
    const outside = nodes.slice(1).filter((node) => !held.includes(node));
    const part = held.length ? `${em("A")} is ${held.join(" and ")} (squares), whose arrows are dashed` : `${em("A")} is empty`;
    const each = outside.map((node) => `${node} ${op(node)}`).join(", ");
    return `${part}; blue weights are positive, orange ones negative. ` +
      (outside.length ? `Op of a disturbance of ${origin}, in nats: ${each}.` : "Nothing is left to be measured.");
  };
  const weights = pairs.map((pair) => ({
    place: (values) => along(pair, share(values[key(...pair)])),
    set(x, y) {
      const [cause, effect] = pair.map((node) => places[node]);
      const way = [0, 1].map((i) => effect[i] - cause[i]);
      const at = ((x - cause[0]) * way[0] + (y - cause[1]) * way[1]) / (way[0] ** 2 + way[1] ** 2);
      return { [key(...pair)]: (2 * (at - from)) / (to - from) - 1 };
    },
  }));
  const members = nodes.slice(1).map((node) => ({ place: () => places[node], set: () => ({}) }));
  const parts = nodes.map((_, count) => nodes.slice(1, 1 + count));
  return { draw, handles: [...weights, ...members], longest: parts.map((held) => said(held, () => "−88.888")) };
};
