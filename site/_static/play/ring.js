// What the discriminator sees: lesson 10's GAN on a ring of eight Gaussians, trained in a worker while one watches.
import { choice, element, slider } from "./controls.js";

export function start(box) {
  let worker = null, running = false;
  const canvas = element("canvas", { width: 300, height: 300, role: "img", className: "play-ring", "aria-label": "Not trained yet" });
  const status = element("p", { role: "status", className: "play-status" }, "Not trained yet.");
  const loss = choice("Loss of the generator", [["non_saturating", "non-saturating"], ["minimax", "minimax"]], "non_saturating", () => restart());
  const r1 = choice("Penalty R1", [[0, "none"], [0.1, "0.1"], [1, "1"]], 0.1, () => restart());
  const seed = slider("Seed", { min: 1, max: 9, step: 1, value: 1, change: () => restart() });
  const run = element("button", { type: "button", className: "play-main", textContent: "Train", onclick: () => {
    running = !running;
    run.textContent = running ? "Pause" : "Train";
    if (!worker) restart();
    else worker.postMessage({ run: running });
  } });
  const again = element("button", { type: "button", textContent: "Start again", onclick: () => restart() });

  const paint = ({ seen, points, real, side, reach, steps, covered }) => {
    const ctx = canvas.getContext("2d"), at = (x) => ((x + reach) / (2 * reach)) * canvas.width;
    const small = element("canvas", { width: side, height: side }), cells = new ImageData(side, side);
    for (let i = 0; i < side; i++) {
      for (let j = 0; j < side; j++) {
        const p = seen[i * side + j]; // the bluer, the more real
        cells.data.set([255 - 150 * p, 255 - 90 * p, 255, 255], 4 * (j * side + i));
      }
    }
    small.getContext("2d").putImageData(cells, 0, 0);
    ctx.drawImage(small, 0, 0, canvas.width, canvas.height);
    const dots = (all, colour, size) => {
      ctx.fillStyle = colour;
      for (const [x, y] of all) ctx.fillRect(at(x) - size / 2, at(y) - size / 2, size, size);
    };
    dots(real, "#222", 3);
    dots(points, "#d55e00", 4);
    status.textContent = `${steps} steps; the generator covers ${covered} of 8 modes.`;
    canvas.setAttribute("aria-label", `Real points in black on a ring, generated points in orange. ${status.textContent}`);
    box.dataset.steps = steps;
  };
  const restart = () => {
    if (!worker) {
      worker = new Worker(new URL("../web/ring_worker.js", import.meta.url), { type: "module" });
      worker.onmessage = ({ data }) => paint(data);
      worker.onerror = (event) => { status.textContent = `The training could not be started: ${event.message}`; };
    }
    worker.postMessage({ run: running, settings: { seed: seed.value(), loss: loss.select.value, r1: Number(r1.select.value) } });
  };
  box.replaceChildren(element("div", { className: "play-row" }, loss.box, r1.box, seed.box), element("p", {}, run, " ", again), canvas, status);
}
