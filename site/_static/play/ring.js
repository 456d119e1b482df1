// What the discriminator sees: lesson 10's GAN on a ring of eight Gaussians, trained here, a few steps each frame.
import { RingGAN } from "../web/ring_gan.js";
import { choice, element, slider } from "./controls.js";

const SIDE = 30, REACH = 1.6, SHOWN = 200, BUDGET = 9; // cells of the picture, half its width, points, ms a frame

export function start(box) {
  let gan, frame = 0, frames = 0;
  const canvas = element("canvas", { width: 300, height: 300, role: "img", className: "play-ring" });
  const status = element("p", { role: "status", className: "play-status" });
  const loss = choice("Loss of the generator", [["non_saturating", "non-saturating"], ["minimax", "minimax"]], "non_saturating", () => restart());
  const r1 = choice("Penalty R1", [[0, "none"], [0.1, "0.1"], [1, "1"]], 0.1, () => restart());
  const seed = slider("Seed", { min: 1, max: 9, step: 1, value: 1, change: () => restart() });
  const run = element("button", { type: "button", className: "play-main", textContent: "Train", onclick: () => (frame ? pause() : go()) });
  const again = element("button", { type: "button", textContent: "Start again", onclick: () => restart() });

  const paint = () => {
    const ctx = canvas.getContext("2d"), cell = canvas.width / SIDE, at = (x) => ((x + REACH) / (2 * REACH)) * canvas.width;
    for (let i = 0; i < SIDE; i++) {
      for (let j = 0; j < SIDE; j++) {
        const p = gan.sees((2 * (i + 0.5) / SIDE - 1) * REACH, (2 * (j + 0.5) / SIDE - 1) * REACH);
        ctx.fillStyle = `rgb(${Math.round(255 - 150 * p)} ${Math.round(255 - 90 * p)} 255)`; // the bluer, the more real
        ctx.fillRect(i * cell, j * cell, cell + 1, cell + 1);
      }
    }
    const dot = (x, y, colour, size) => {
      ctx.fillStyle = colour;
      ctx.fillRect(at(x) - size / 2, at(y) - size / 2, size, size);
    };
    for (let k = 0; k < SHOWN; k++) dot(...gan.real(), "#222", 3);
    const points = Array.from({ length: SHOWN }, () => [...gan.fake()]);
    for (const [x, y] of points) dot(x, y, "#d55e00", 4);
    const covered = RingGAN.modesCovered(points);
    status.textContent = `${gan.steps} steps; the generator covers ${covered} of 8 modes.`;
    canvas.setAttribute("aria-label", `Real points in black on a ring, generated points in orange. ${status.textContent}`);
    box.dataset.covered = covered;
    box.dataset.steps = gan.steps;
  };
  const follow = () => {
    const begin = performance.now();
    do gan.train(); while (performance.now() - begin < BUDGET);
    if (++frames % 12 === 0) paint();
    frame = requestAnimationFrame(follow);
  };
  const go = () => {
    run.textContent = "Pause";
    frame = requestAnimationFrame(follow);
  };
  const pause = () => {
    cancelAnimationFrame(frame);
    frame = 0;
    run.textContent = "Train";
    paint();
  };
  const restart = () => {
    gan = new RingGAN({ seed: seed.value(), loss: loss.select.value, r1: Number(r1.select.value) });
    paint();
  };
  box.replaceChildren(element("div", { className: "play-row" }, loss.box, r1.box, seed.box), element("p", {}, run, " ", again), canvas, status);
  restart();
}
