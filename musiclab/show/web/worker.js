// Runs the inpainting network beside the page. A newer request ends an older one.
import { Inpainting } from "./inpainting.js";
import { load } from "./safetensors.js";

let network = null, newest = 0;

onmessage = async ({ data }) => {
  try {
    network ??= load(data.weights).then((weights) => Inpainting.create(weights, data.options));
    const { engine } = await network;
    if (!data.cells) return postMessage({ ready: true, engine });
    newest = data.id;
    const begin = performance.now();
    let last, told = begin;
    for (last of (await network).sweeps(data)) {
      if (performance.now() - told > 40) {
        told = performance.now();
        postMessage({ id: data.id, sweep: last.sweep, cells: last.cells, hidden: last.hidden });
        await new Promise((resume) => setTimeout(resume)); // lets a newer request in
        if (newest !== data.id) return;
      }
    }
    postMessage({ id: data.id, done: true, cells: last.cells, milliseconds: performance.now() - begin });
  } catch (error) {
    postMessage({ id: data.id, error: error.message });
  }
};
