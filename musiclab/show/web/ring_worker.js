// Trains the GAN on a ring beside the page, and says from time to time what it makes and what its discriminator sees.
import { RingGAN } from "./ring_gan.js";

const SIDE = 30, REACH = 1.6, SHOWN = 200, PAUSE = 120; // cells of the picture, half its width, points, ms between pictures
let gan = null, running = false, life = 0;

const tell = () => {
  const seen = new Float32Array(SIDE * SIDE), at = (i) => ((2 * (i + 0.5)) / SIDE - 1) * REACH;
  for (let i = 0; i < SIDE; i++) for (let j = 0; j < SIDE; j++) seen[i * SIDE + j] = gan.sees(at(i), at(j));
  const points = Array.from({ length: SHOWN }, () => [...gan.fake()]), real = Array.from({ length: SHOWN }, () => gan.real());
  postMessage({ seen, points, real, side: SIDE, reach: REACH, steps: gan.steps, covered: RingGAN.modesCovered(points) });
};

const loop = async (mine) => {
  while (running && mine === life) {
    const begin = performance.now();
    do gan.train(); while (performance.now() - begin < PAUSE);
    tell();
    await new Promise((resume) => setTimeout(resume)); // lets a message in
  }
};

onmessage = ({ data }) => {
  if (data.settings) gan = new RingGAN(data.settings);
  if (data.run !== undefined) running = data.run;
  tell();
  if (running) loop(++life);
};
