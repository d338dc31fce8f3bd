// Models that a page computes itself: numbers alone, no drawing. A test holds them to Python.

const models = {};

// Source 003, post 2: two data points, the second with a pit at W = 1.
models.walk = {
  gradient(w, point, depth) {
    const well = 2 * (w - 2) * Math.exp(-(w - 2) * (w - 2));
    return point ? well + 200 * depth * (w - 1) * Math.exp(-100 * (w - 1) * (w - 1)) : well;
  },
  loss: (w, depth) => -Math.exp(-((w - 2) ** 2)) - (depth / 2) * Math.exp(-100 * (w - 1) ** 2),
  step: (w, point, T, depth) => w - T * models.walk.gradient(w, point, depth),

  // The edge of the pit towards the well, where the second data point has a root of its gradient.
  barrier(depth) {
    const gradient = (w) => models.walk.gradient(w, 1, depth);
    let [low, high] = [1 + Math.sqrt(1 / 200), 2]; // from the steepest place of the pit's wall
    for (let i = 0; i < 60; i++) {
      const middle = (low + high) / 2;
      if (gradient(middle) > 0) low = middle; else high = middle;
    }
    return low;
  },

  // The data point that a walker draws at a step: one bit of a hash, the same at every visit.
  draw(walker, step) {
    let h = (Math.imul(walker + 1, 0x9e3779b1) ^ Math.imul(step + 1, 0x85ebca77)) >>> 0;
    h = Math.imul(h ^ (h >>> 16), 0x7feb352d);
    h = Math.imul(h ^ (h >>> 15), 0x846ca68b);
    return ((h ^ (h >>> 16)) >>> 31) & 1;
  },

  // Walkers after each step: places[n] has one a walker.
  walkers(T, start, depth, count) {
    const { step, draw } = models.walk;
    const places = [new Float64Array(count).fill(start)];
    return (n) => {
      for (let k = places.length; k <= n; k++) {
        const now = new Float64Array(count);
        for (let i = 0; i < count; i++) now[i] = step(places[k - 1][i], draw(i, k), T, depth);
        places.push(now);
      }
      return places[n];
    };
  },

  // Their law. All places that the draws lead to are kept, those that meet as one, while they are
  // at most so many; from then on masses in cells. A cell's mass lies evenly on a stretch of its own mean and variance, and so does its image: a step
  // shorter than a cell moves it and smears nothing. What leaves the cells is counted.
  law(T, start, depth, { low = -2, high = 6, cells = 3200, most = 1500 } = {}) {
    const width = (high - low) / cells;
    const laws = [{ points: [[start, 1]] }];
    // The image of a place, ξ cells from the middle of cell i, in cells: a parabola through three.
    const images = [0, 1].map((point) => {
      const [middle, slope, bend] = [0, 1, 2].map(() => new Float64Array(cells));
      const to = (u) => (models.walk.step(low + u * width, point, T, depth) - low) / width;
      let left = to(0);
      for (let i = 0; i < cells; i++) {
        const [here, right] = [to(i + 0.5), to(i + 1)];
        [middle[i], slope[i], bend[i]] = [here, right - left, 2 * (left + right - 2 * here)];
        left = right;
      }
      return { middle, slope, bend };
    });
    const empty = (below = 0, above = 0) => ({
      mass: new Float64Array(cells), first: new Float64Array(cells), second: new Float64Array(cells), below, above,
    });
    // Mass that lies evenly between two places, in cells.
    const put = (law, from, to, mass) => {
      if (from > to) [from, to] = [to, from];
      const length = to - from;
      for (let i = Math.floor(from); i <= to; i++) {
        const [a, b] = [Math.max(i, from), Math.min(i + 1, to)];
        const share = length > 0 ? (mass * (b - a)) / length : mass;
        if (i < 0 || i >= cells) {
          const rest = i < 0 ? Math.min(0, to) - from : to - Math.max(cells, from);
          const out = length > 0 ? (mass * rest) / length : mass;
          if (i >= cells) { law.above += out; return; }
          law.below += out;
          i = Math.max(i, Math.min(-1, Math.floor(to)));
          continue;
        }
        const off = (a + b) / 2 - i - 0.5;
        law.mass[i] += share;
        law.first[i] += share * off;
        law.second[i] += share * (off * off + (b - a) ** 2 / 12);
      }
    };
    const binned = (points) => {
      const law = empty();
      for (const [w, mass] of points) put(law, (w - low) / width, (w - low) / width, mass);
      return law;
    };
    const met = (points) => {
      points.sort(([u], [v]) => u - v);
      const found = [];
      for (const [w, mass] of points) {
        const former = found.at(-1);
        if (former && w - former[0] < 1e-7) former[1] += mass;
        else found.push([w, mass]);
      }
      return found;
    };
    // The ends of a cell's stretch, from its middle.
    const stretch = ({ mass, first, second }, i) => {
      const mean = first[i] / mass[i];
      const half = Math.sqrt(3 * Math.max(0, second[i] / mass[i] - mean * mean));
      return [mean - half, mean + half];
    };
    const next = (former) => {
      if (former.points?.length <= most) {
        const images = [0, 1].flatMap((point) =>
          former.points.map(([w, mass]) => [models.walk.step(w, point, T, depth), mass / 2]));
        return { points: met(images) };
      }
      const last = former.points ? binned(former.points) : former;
      const law = empty(last.below, last.above);
      for (let i = 0; i < cells; i++) {
        if (last.mass[i] < 1e-18) continue;
        const ends = stretch(last, i);
        for (const { middle, slope, bend } of images) {
          put(law, ...ends.map((off) => middle[i] + off * (slope[i] + off * bend[i])), last.mass[i] / 2);
        }
      }
      return law;
    };
    const at = (n) => {
      for (let k = laws.length; k <= n; k++) laws.push(next(laws[k - 1]));
      return laws[n];
    };
    return {
      beyond(n, barrier) {
        const law = at(n);
        if (law.points) return law.points.reduce((sum, [w, mass]) => sum + (w > barrier) * mass, 0);
        const edge = (barrier - low) / width;
        const cut = Math.floor(edge);
        let sum = law.above;
        for (let i = cut + 1; i < cells; i++) sum += law.mass[i];
        if (!law.mass[cut]) return sum;
        const [from, to] = stretch(law, cut);
        const inside = (cut + 0.5 + to - edge) / (to - from || 1e-300);
        return sum + law.mass[cut] * Math.min(1, Math.max(0, inside));
      },
      // Probability per unit of W in cells of another width, from one place on.
      density(n, from, width, count) {
        const law = at(n);
        const { mass } = law.points ? binned(law.points) : law;
        const found = new Float64Array(count);
        const own = (high - low) / cells;
        mass.forEach((m, i) => {
          const k = Math.floor((low + (i + 0.5) * own - from) / width);
          if (k >= 0 && k < count) found[k] += m / width;
        });
        return found;
      },
    };
  },
};

// Classical Runge–Kutta steps of s' = rate(s), which writes into its second argument.
function steps(rate, start, h) {
  const s = Float64Array.from(start);
  const [k1, k2, k3, k4, at] = Array.from({ length: 5 }, () => new Float64Array(s.length));
  const moved = (k, by) => {
    for (let i = 0; i < s.length; i++) at[i] = s[i] + by * k[i];
    return at;
  };
  return () => {
    rate(s, k1);
    rate(moved(k1, h / 2), k2);
    rate(moved(k2, h / 2), k3);
    rate(moved(k3, h), k4);
    for (let i = 0; i < s.length; i++) s[i] += (h / 6) * (k1[i] + 2 * k2[i] + 2 * k3[i] + k4[i]);
    return s;
  };
}

// The Lorenz flow with the three worlds of a disturbance, and the tangents of two of them.
models.lorenz = {
  dt: 0.005,
  rate(s, to, rho) {
    to[0] = 10 * (s[1] - s[0]);
    to[1] = s[0] * (rho - s[2]) - s[1];
    to[2] = s[0] * s[1] - (8 / 3) * s[2];
  },

  // States W, X and Y, and the tangents of X and Y, at every dt up to a time: 15 numbers a row.
  // X and Y begin `delta` away in variable n; in Y variable `frozen` is replayed from W. A step is
  // a Taylor series: as all rates are sums of products, one coefficient leads to the next.
  worlds(rho, start, frozen, n, delta, time) {
    const { dt } = models.lorenz;
    const order = 12;
    const e = [0, 1, 2].map((i) => Number(i === n));
    const away = e.map((v, i) => start[i] + delta * v);
    let row = Float64Array.of(...start, ...away, ...away, ...e, ...e);
    const rows = [row];
    const series = Array.from(row, () => new Float64Array(order + 1));
    const [a, b, c] = series;
    const product = (p, q, k) => {
      let sum = 0;
      for (let j = 0; j <= k; j++) sum += p[j] * q[k - j];
      return sum;
    };
    const put = (x, y, z, k, xz, xy) => {
      x[k + 1] = (10 * (y[k] - x[k])) / (k + 1);
      y[k + 1] = (rho * x[k] - xz - y[k]) / (k + 1);
      z[k + 1] = (xy - (8 / 3) * z[k]) / (k + 1);
    };
    for (let left = Math.round(time / dt); left > 0; left--) {
      for (let i = 0; i < 15; i++) series[i][0] = row[i];
      for (let k = 0; k < order; k++) {
        for (let i = 0; i < 15; i += 3) {
          const [x, y, z] = [series[i], series[i + 1], series[i + 2]];
          if (i < 9) put(x, y, z, k, product(x, z, k), product(x, y, k));
          else put(x, y, z, k, product(a, z, k) + product(x, c, k), product(a, y, k) + product(x, b, k));
        }
        series[6 + frozen][k + 1] = series[frozen][k + 1];
        series[12 + frozen][k + 1] = 0;
      }
      row = new Float64Array(15);
      for (let i = 0; i < 15; i++) {
        for (let k = order; k >= 0; k--) row[i] = row[i] * dt + series[i][k];
      }
      rows.push(row);
    }
    return rows;
  },
  op: (row, m) => Math.log(Math.abs(row[12 + m])) - Math.log(Math.abs(row[9 + m])),

  // Points of one long path, after 30 units of time.
  path(rho, count, interval, h = 0.005) {
    const step = steps((s, to) => models.lorenz.rate(s, to, rho), [1, 1, 20], h);
    for (let k = 1; k < Math.round(30 / h); k++) step();
    const rows = [step().slice()];
    while (rows.length < count) {
      for (let k = 1; k < Math.round(interval / h); k++) step();
      rows.push(step().slice());
    }
    return rows;
  },
};

// Source 003, post 8: a thermostat that cools at most p a unit of time.
models.thermostat = {
  dt: 0.02,
  step([room, thermostat], theta, p, target) {
    const share = Math.max(-1, Math.min(1, thermostat / theta));
    return [room - models.thermostat.dt * p * share, room - target];
  },
  // Rooms W, X and Y at every step, and the tangents of X and Y; in Y the thermostat is replayed.
  worlds(theta, p, target, start, delta, time) {
    const { dt, step } = models.thermostat;
    let [w, x, y, d, e] = [[start, 0], [start + delta, 0], [start + delta, 0], [1, 0], [1, 0]];
    const rows = [[w[0], x[0], y[0], d[0], e[0]]];
    for (let k = 1; k <= Math.round(time / dt); k++) {
      const slope = Math.abs(w[1]) < theta ? (-dt * p) / theta : 0;
      [y, d] = [[step([y[0], w[1]], theta, p, target)[0], 0], [d[0] + slope * d[1], d[0]]];
      [w, x] = [step(w, theta, p, target), step(x, theta, p, target)];
      rows.push([w[0], x[0], y[0], d[0], e[0]]);
    }
    return rows;
  },
};

// Source 004: sin(x)/x under a Gaussian of standard deviation σ, and its steepest ascent.
models.sinc = {
  // Nodes and weights of Gauss and Legendre on [0, 1].
  nodes: ((n) => {
    const found = [];
    for (let i = 0; i < n; i++) {
      let z = Math.cos((Math.PI * (i + 0.75)) / (n + 0.5));
      let slope;
      for (let k = 0; k < 20; k++) {
        let [p, q] = [1, 0];
        for (let j = 1; j <= n; j++) [p, q] = [((2 * j - 1) * z * p - (j - 1) * q) / j, p];
        slope = (n * (z * p - q)) / (z * z - 1);
        z -= p / slope;
      }
      found.push([(1 + z) / 2, 1 / ((1 - z * z) * slope * slope)]);
    }
    return found;
  })(48),
  // f_σ(x) = ∫ cos(kx) exp(−σ²k²/2) dk over [0, 1], with its derivatives by x and by σ.
  smoothed(x, sigma) {
    let [value, dx, ds] = [0, 0, 0];
    for (const [k, weight] of models.sinc.nodes) {
      const damped = weight * Math.exp(-(sigma * sigma * k * k) / 2);
      const wave = damped * Math.cos(k * x);
      value += wave;
      dx -= k * damped * Math.sin(k * x);
      ds -= sigma * k * k * wave;
    }
    return [value, dx, ds];
  },
  // The curve of steepest ascent to its end, as points (x, σ); steps are a share of σ.
  climb(x, sigma, hold, least = 1e-3) {
    const direction = ([u, s], to) => {
      const [, dx, ds] = models.sinc.smoothed(u, Math.max(s, least));
      const down = hold || (s <= least && ds < 0) ? 0 : ds;
      const size = Math.hypot(dx, down) || 1;
      [to[0], to[1]] = [dx / size, down / size];
    };
    let [at, share] = [[x, sigma], 0.1];
    let value = models.sinc.smoothed(...at)[0];
    const points = [at];
    while (points.length < 20000 && share > 1e-9) {
      const h = share * Math.min(at[1], 2);
      let to = [...steps(direction, at, h)()];
      if (to[1] < least) to = [to[0], least];
      const reached = models.sinc.smoothed(...to)[0];
      if (reached <= value) { share /= 4; continue; } // past the top, or on it
      [at, value] = [to, reached];
      points.push(at);
    }
    return points;
  },
  // Steps of a gradient estimated from samples z, or the exact one; σ stays in [lowest, highest].
  step([x, sigma], eta, z, baseline, [lowest, highest]) {
    let [dx, ds] = [0, 0];
    if (z) {
      const values = z.map((draw) => {
        const at = x + sigma * draw;
        return at ? Math.sin(at) / at : 1;
      });
      const mean = baseline ? values.reduce((sum, value) => sum + value) / z.length : 0;
      const scale = (baseline ? 1 / (z.length - 1) : 1 / z.length) / sigma;
      z.forEach((draw, i) => {
        dx += (values[i] - mean) * draw * scale;
        ds += (values[i] - mean) * (draw * draw - 1) * scale;
      });
    } else [, dx, ds] = models.sinc.smoothed(x, sigma);
    return [x + eta * dx, Math.min(Math.max(sigma + eta * ds, lowest), highest)];
  },
  // The n-th number of a stream, uniform on (0, 1): a hash, the same at every visit.
  uniform(stream, n) {
    let h = (Math.imul(stream + 1, 0x9e3779b1) ^ Math.imul(n + 1, 0x85ebca77)) >>> 0;
    h = Math.imul(h ^ (h >>> 16), 0x7feb352d);
    h = Math.imul(h ^ (h >>> 15), 0x846ca68b);
    return (((h ^ (h >>> 16)) >>> 0) + 0.5) / 4294967296;
  },
  // Standard normal numbers in pairs, after Box and Muller.
  normals(stream, first, count) {
    const { uniform } = models.sinc;
    const found = [];
    for (let n = first; found.length < count; n += 2) {
      const radius = Math.sqrt(-2 * Math.log(uniform(stream, n)));
      const angle = 2 * Math.PI * uniform(stream, n + 1);
      found.push(radius * Math.cos(angle), radius * Math.sin(angle));
    }
    return found.slice(0, count);
  },
  // The path of a climb on sampled gradients, of all its steps.
  sampled(x, sigma, { eta, samples, steps, bounds, baseline, stream }) {
    const { step, normals } = models.sinc;
    const path = [[x, sigma]];
    for (let n = 0; n < steps; n++) {
      path.push(step(path[n], eta, normals(stream, n * samples, samples), baseline, bounds));
    }
    return path;
  },
  // Climbs in x alone to the top, at one σ after another, each so many times the last.
  scheduled(x, sigma, { factor, bounds: [lowest] }) {
    let path = [];
    for (let at = x, width = sigma; width >= lowest; width *= factor) {
      path = path.concat(models.sinc.climb(at, width, true));
      [at] = path.at(-1);
    }
    return path;
  },
};

// Chapter 5: a damped oscillator x' = v, v' = −x − γv, in x and A = v + s·x.
models.oscillator = {
  // Place and velocity at a time, from a start.
  at(t, damping, x, v) {
    const omega = Math.sqrt(1 - (damping * damping) / 4);
    const swing = (v + (damping * x) / 2) / omega;
    const [cos, sin, fade] = [Math.cos(omega * t), Math.sin(omega * t), Math.exp((-damping * t) / 2)];
    const turned = (-damping / 2) * (x * cos + swing * sin) + omega * (swing * cos - x * sin);
    return [fade * (x * cos + swing * sin), fade * turned];
  },
  // x and A in the worlds W, X and Y; x begins `delta` away, and A as it was.
  worlds(t, mixture, damping, delta) {
    const { at } = models.oscillator;
    const [x, v] = at(t, damping, 1, 0);
    const [away, moved] = at(t, damping, 1 + delta, -mixture * delta);
    const part = v + mixture * x;
    return [[x, part], [away, moved + mixture * away], [x + delta * Math.exp(-mixture * t), part]];
  },
  op(t, mixture, damping) {
    const omega = Math.sqrt(1 - (damping * damping) / 4);
    const slope = damping / 2 - mixture;
    return slope * t - Math.log(Math.abs(Math.cos(omega * t) + (slope / omega) * Math.sin(omega * t)));
  },
  // A variable as it is, its exponential and its sinh: there, back, and the first two derivatives.
  recodings: {
    plain: [(x) => x, (p) => p, () => 1, () => 0],
    exp: [Math.exp, Math.log, Math.exp, Math.exp],
    sinh: [Math.sinh, Math.asinh, Math.cosh, Math.sinh],
  },
  // Op at every step by tangents, both variables recoded: p = φ(x), q = ψ(A).
  tangents(mixture, damping, ofX, ofPart, time, h = 0.005) {
    const [[to, back, slope, bend], [to2, back2, slope2, bend2]] =
      [ofX, ofPart].map((name) => models.oscillator.recodings[name]);
    const pull = damping * mixture - 1 - mixture * mixture; // of x on A
    const rate = (s, out) => {
      const [x, u] = [back(s[0]), back2(s[1])];
      const [f, g] = [u - mixture * x, pull * x + (mixture - damping) * u];
      const own = (bend(x) / slope(x)) * f - mixture;
      [out[0], out[1]] = [slope(x) * f, slope2(u) * g];
      out[2] = own * s[2] + (slope(x) / slope2(u)) * s[3];
      out[3] = ((slope2(u) * pull) / slope(x)) * s[2] + ((bend2(u) / slope2(u)) * g + mixture - damping) * s[3];
      out[4] = own * s[4];
    };
    const step = steps(rate, [to(1), to2(mixture), 1, 0, 1], h);
    const found = [0];
    for (let k = 1; k <= Math.round(time / h); k++) {
      const s = step();
      found.push(Math.log(Math.abs(s[4])) - Math.log(Math.abs(s[2])));
    }
    return found;
  },
};

// Chapter 5: sums over the paths of a causal network, whose arrows are [cause, effect, weight] and
// whose nodes come behind their causes. No path leads through a node that is held.
models.paths = {
  responses(nodes, arrows, origin, held = []) {
    const sums = Object.fromEntries(nodes.map((node) => [node, 0]));
    sums[origin] = 1;
    for (const node of nodes) {
      if (held.includes(node)) continue;
      for (const [cause, effect, weight] of arrows) {
        if (effect === node) sums[node] += weight * sums[cause];
      }
    }
    return sums;
  },
  // Op of every node outside of the part: NaN where nothing arrives in either world.
  op(nodes, arrows, origin, held) {
    const [all, avoiding] = [[], held].map((part) => models.paths.responses(nodes, arrows, origin, part));
    const least = 1e-12; // weights are hundredths: what is less is rounding
    const size = (sum) => (Math.abs(sum) < least ? 0 : Math.abs(sum));
    const outside = nodes.filter((node) => node !== origin && !held.includes(node));
    return Object.fromEntries(outside.map((node) => [node, Math.log(size(avoiding[node])) - Math.log(size(all[node]))]));
  },
};

// A place turned by an angle about its third axis and seen from above, by an elevation: across the
// picture, upwards, and behind it.
models.view = {
  seen(turn, elevation, [a, b, c], middle) {
    const depth = Math.cos(turn) * b - Math.sin(turn) * a;
    return [
      Math.cos(turn) * a + Math.sin(turn) * b,
      Math.cos(elevation) * (c - middle) + Math.sin(elevation) * depth,
      depth,
    ];
  },
};
