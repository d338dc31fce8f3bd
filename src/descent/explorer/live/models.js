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

  // Their exact law: all 2^n places of the first steps, each as likely, and then masses in cells
  // that each step spreads over the images of their cells. What leaves the cells is counted.
  law(T, start, depth, { low = -2, high = 6, cells = 3200, exactly = 12 } = {}) {
    const width = (high - low) / cells;
    const laws = [{ points: Float64Array.of(start) }];
    const images = [0, 1].map((point) =>
      Float64Array.from({ length: cells + 1 }, (_, i) => models.walk.step(low + i * width, point, T, depth)));
    const binned = (points) => {
      const law = { mass: new Float64Array(cells), below: 0, above: 0 };
      for (const w of points) put(law, w, w, 1 / points.length);
      return law;
    };
    const put = (law, from, to, mass) => {
      if (from > to) [from, to] = [to, from];
      const [a, b] = [(from - low) / width, (to - low) / width];
      if (b <= 0) law.below += mass;
      else if (a >= cells) law.above += mass;
      else if (Math.floor(a) === Math.floor(b)) law.mass[Math.floor(a)] += mass;
      else {
        const per = mass / (b - a);
        if (a < 0) law.below += -a * per;
        if (b > cells) law.above += (b - cells) * per;
        const [first, last] = [Math.max(0, a), Math.min(cells, b)];
        for (let i = Math.floor(first); i < last; i++) {
          law.mass[i] += per * (Math.min(i + 1, last) - Math.max(i, first));
        }
      }
    };
    const next = ({ points, mass, below, above }, k) => {
      if (points && k <= exactly) {
        const both = [0, 1].map((point) => points.map((w) => models.walk.step(w, point, T, depth)));
        const joined = new Float64Array(2 * points.length);
        joined.set(both[0]);
        joined.set(both[1], points.length);
        return { points: joined };
      }
      if (points) ({ mass, below, above } = binned(points));
      const law = { mass: new Float64Array(cells), below, above };
      for (let i = 0; i < cells; i++) {
        if (mass[i] < 1e-18) continue;
        for (const image of images) put(law, image[i], image[i + 1], mass[i] / 2);
      }
      return law;
    };
    const at = (n) => {
      for (let k = laws.length; k <= n; k++) laws.push(next(laws[k - 1], k));
      return laws[n];
    };
    return {
      beyond(n, barrier) {
        const { points, mass, above } = at(n);
        if (points) return points.reduce((sum, w) => sum + (w > barrier), 0) / points.length;
        const edge = (barrier - low) / width;
        let sum = above + mass[Math.floor(edge)] * (1 - (edge % 1));
        for (let i = Math.floor(edge) + 1; i < cells; i++) sum += mass[i];
        return sum;
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
  // The rate of the state that begins at i, and the Jacobian at `of` times the tangent at i.
  rate(s, to, i, rho) {
    const [a, b, c] = [s[i], s[i + 1], s[i + 2]];
    to[i] = 10 * (b - a);
    to[i + 1] = a * (rho - c) - b;
    to[i + 2] = a * b - (8 / 3) * c;
  },
  turned(s, to, of, i, rho) {
    const [a, b, c] = [s[of], s[of + 1], s[of + 2]];
    to[i] = 10 * (s[i + 1] - s[i]);
    to[i + 1] = (rho - c) * s[i] - s[i + 1] - a * s[i + 2];
    to[i + 2] = b * s[i] + a * s[i + 1] - (8 / 3) * s[i + 2];
  },

  // States W, X and Y, and the tangents of X and Y, at every step up to a time: 15 numbers a row.
  // X and Y begin `delta` away in variable n; in Y variable `frozen` is replayed from W.
  worlds(rho, start, frozen, n, delta, time, h = 0.001) {
    const { rate, turned } = models.lorenz;
    const rates = (s, to) => {
      for (const i of [0, 3, 6]) rate(s, to, i, rho);
      for (const i of [9, 12]) turned(s, to, 0, i, rho);
      to[6 + frozen] = to[frozen];
      to[12 + frozen] = 0;
    };
    const e = [0, 1, 2].map((i) => Number(i === n));
    const away = e.map((v, i) => start[i] + delta * v);
    const begin = Float64Array.of(...start, ...away, ...away, ...e, ...e);
    const step = steps(rates, begin, h);
    const rows = [begin];
    for (let k = 1; k <= Math.round(time / h); k++) rows.push(step().slice());
    return rows;
  },
  op: (row, m) => Math.log(Math.abs(row[12 + m])) - Math.log(Math.abs(row[9 + m])),

  // Points of one long path, after 30 units of time.
  path(rho, count, interval, h = 0.005) {
    const step = steps((s, to) => models.lorenz.rate(s, to, 0, rho), [1, 1, 20], h);
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
