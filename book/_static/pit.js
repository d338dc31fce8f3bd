// The pit of the first page: walkers that draw one of two data points at each step, computed here.
document.addEventListener("DOMContentLoaded", () => {
  const root = document.querySelector(".descent-pit");
  if (!root) return;
  const [svg, slider, shown, button, count] = ["svg", "input", "output", "button", ".descent-pit-count"].map((s) => root.querySelector(s));
  const [left, right, barrier] = [root.dataset.left, root.dataset.right, root.dataset.barrier].map(Number);
  const still = matchMedia("(prefers-reduced-motion: reduce)");
  const WALKERS = 40, PAUSE = 40;

  const well = (w) => Math.exp(-((w - 2) ** 2));
  const pit = (w) => Math.exp(-100 * (w - 1) ** 2);
  const loss = (w) => -well(w) - pit(w) / 2;
  const gradients = [
    (w) => 2 * (w - 2) * well(w),
    (w) => 2 * (w - 2) * well(w) + 200 * (w - 1) * pit(w),
  ];
  const first = svg.querySelector("circle");
  const dots = Array.from({ length: WALKERS }, (_, i) => (i ? svg.appendChild(first.cloneNode()) : first));
  let places, steps, timer, visible = true;

  function draw() {
    places.forEach((w, i) => {
      dots[i].setAttribute("cx", (640 * (w - left)) / (right - left));
      dots[i].setAttribute("cy", 20 - 220 * loss(w) - 6);
    });
    const out = places.filter((w) => w > barrier).length;
    count.textContent = `${out} of ${WALKERS} are out after ${steps} steps.`;
  }

  function step() {
    const T = slider.value / 200;
    places = places.map((w) => w - T * gradients[Math.random() < 0.5 ? 0 : 1](w));
    steps += 1;
    draw();
    if (!still.matches && places.every((w) => w > barrier) && steps % 50 === 0) start();
  }

  function start() {
    places = Array.from({ length: WALKERS }, () => 1 + (Math.random() - 0.5) * 0.04);
    steps = 0;
    shown.textContent = (slider.value / 200).toFixed(3);
    draw();
  }

  function run() {
    clearInterval(timer);
    if (visible && !still.matches && !document.hidden) timer = setInterval(step, PAUSE);
  }

  slider.addEventListener("input", () => { start(); if (still.matches) for (let i = 0; i < 100; i += 1) step(); });
  button.addEventListener("click", () => { start(); if (still.matches) for (let i = 0; i < 100; i += 1) step(); });
  document.addEventListener("visibilitychange", run);
  still.addEventListener("change", run);
  new IntersectionObserver(([entry]) => { visible = entry.isIntersecting; run(); }).observe(root);
  start();
  run();
});
