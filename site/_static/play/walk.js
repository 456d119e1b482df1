// A walk between two windows through the latent space of lesson 05's VAE: the decoder runs at each place of the slider.
import { decode } from "../web/decoder.js";
import { createPlayer } from "../web/player.js";
import * as sound from "../web/sound.js";
import { load } from "../web/safetensors.js";
import { choice, element, files, slider } from "./controls.js";

export async function start(box) {
  const button = element("button", { type: "button", className: "play-main", textContent: "Load the decoder (0.2 MB)" });
  box.replaceChildren(element("p", {}, button));
  button.addEventListener("click", async () => {
    try {
      await begin(box);
    } catch (error) {
      box.textContent = `The decoder could not be loaded: ${error.message}`;
    }
  });
}

async function begin(box) {
  const weights = await load(new URL("decoder.safetensors", files));
  const names = JSON.parse(weights.metadata.names), size = weights.shapes.codes[1];
  const code = (i) => weights.arrays.codes.subarray(i * size, (i + 1) * size);
  const playerBox = element("div"), player = createPlayer(playerBox, { label: "Two bars", seconds: 60 / 80 / 4, source: sound });
  const place = slider("From the first to the second", { min: 0, max: 1, step: 0.01, value: 0.5, say: (x) => `${Math.round(100 * x)}%`, change: () => show() });
  const options = names.map((name, i) => [i, name]);
  const first = choice("First window", options, 0, () => show()), second = choice("Second window", options, 1, () => show());
  let last = "";
  const show = () => {
    const a = code(Number(first.select.value)), b = code(Number(second.select.value)), share = place.value();
    const music = decode(weights, a.map((one, i) => (1 - share) * one + share * b[i]));
    const text = JSON.stringify(music);
    if (text === last) return; // the same notes go on
    last = box.dataset.music = text;
    player.show(music, { steps: 32, bar: 16 });
  };
  box.replaceChildren(element("div", { className: "play-row" }, first.box, second.box, place.box), playerBox);
  show();
  place.input.focus();
}
