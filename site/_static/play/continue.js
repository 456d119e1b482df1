// Draw the opening of a melody; a recurrent network goes on with it.
import { MelodyNetwork } from "../web/melody.js";
import { createPlayer } from "../web/player.js";
import { render } from "../web/roll.js";
import * as sound from "../web/sound.js";
import { load } from "../web/safetensors.js";
import { element, files, rollModel, slider } from "./controls.js";

const BPM = 90, SECONDS = 60 / BPM / 4, BAR = 16;

export function start(box) {
  const state = { steps: 2 * BAR, low: 58, high: 82, bar: BAR, beat: 4, pickup: 0, bpm: BPM, title: "Your opening", answer: "", width: 16,
    notes: [[0, 72, 4], [4, 71, 4], [8, 69, 4], [12, 67, 4], [16, 69, 4], [20, 71, 4], [24, 72, 8]] };
  let network = null, seed = 0;
  const place = element("div"), playerBox = element("div", { hidden: true });
  const temperature = slider("Temperature", { min: 0.3, max: 1.3, step: 0.1, value: 0.7, say: (x) => x.toFixed(1) });
  const status = element("p", { role: "status", className: "play-status" });
  const player = createPlayer(playerBox, { label: "Opening and continuation", seconds: SECONDS, source: sound });
  const button = element("button", { type: "button", className: "play-main", textContent: "Continue my melody", onclick: async () => {
    try {
      network ??= new MelodyNetwork(await load(new URL("melody.safetensors", files)));
    } catch (error) {
      status.textContent = `The network could not be loaded: ${error.message}`;
      return;
    }
    const opening = state.notes, end = Math.max(0, ...opening.map(([at, , size]) => at + size));
    const written = network.continueMelody(opening.map(([, pitch, size]) => [pitch, size]), { seed: ++seed, temperature: temperature.value() });
    const continued = [];
    let at = end;
    for (const [pitch, size] of written) {
      if (pitch >= 0) continued.push([at, pitch, size]);
      at += size;
    }
    box.dataset.written = JSON.stringify(written);
    playerBox.hidden = false;
    player.show([opening, continued], { bar: BAR, steps: at });
    const many = written.length === 1 ? "1 note" : `${written.length} notes`;
    status.textContent = written.length ? `${many} more, in orange; ask again for others.` : "The network ends the melody here; ask again.";
  } });
  render({ model: rollModel(state), el: place });
  box.replaceChildren(place, element("div", { className: "play-row" }, temperature.box), element("p", {}, button), status, playerBox);
}
