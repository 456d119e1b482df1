"""The trainings behind lesson 11: two generators in full, and the convolutional one without one stabiliser each time.

``python -m training.weights 11_convolutional`` and the like run them.
"""

from __future__ import annotations

import numpy as np

from benchmarks.latent import MODELS

__all__ = ["FULL", "REMOVED", "removed", "trained"]

FULL = {"11_convolutional": MODELS["convolutional GAN"], "11_recurrent": MODELS["LSTM GAN"]}
REMOVED = {  # what is left out, by the name of the array that holds what was sampled
    "complete": {},
    "no_comparison": {"minibatch_deviation": False},
    "no_r1": {"r1": 0.0},
}
BATCH = 32  # of the trainings that go without something
CALM = 2 / 3  # share of a full training after which both sides learn more slowly
LOOKS, STEPS = 6, 160  # how often each training is looked at, and after how many steps each time
SAMPLED = 150


def trained(name: str):
    """The averaged generator of one of :data:`FULL`, trained in full."""
    from musiclab import training
    from musiclab.data.encodings import two_bars
    from musiclab.models.adversarial import gan

    (_, kind), fit = FULL[name]["model"], FULL[name]["fit"]
    training.set_seed(11)
    model = getattr(gan, kind)(**FULL[name]["sizes"])
    windows = two_bars.load_bars("train", common_key=True)
    model.recipe(calm_after=round(CALM * fit["epochs"] * (len(windows) // fit["batch_size"])))
    training.train(model, windows, **fit, title=kind)
    return model.average


def removed() -> dict[str, np.ndarray]:
    """What convolutional GANs write while they train, each without one of its stabilisers.

    Returns:
      By name: symbols int8 (LOOKS, SAMPLED, 32, 4), written by the averaged generator after each STEPS steps;
      "not_averaged", the same of the complete one's generator as it stands; "steps", int (LOOKS,).
    """
    from musiclab import training
    from musiclab.data.encodings import two_bars
    from musiclab.models.adversarial import gan

    windows = two_bars.load_bars("train", common_key=True)
    written = {"steps": STEPS * np.arange(1, LOOKS + 1)}
    for name, settings in REMOVED.items():
        training.set_seed(11)
        model, looks, plain = gan.ConvGAN(**settings), [], []
        rng = np.random.default_rng(11)
        for _ in range(LOOKS):
            some = windows[
                rng.choice(len(windows), STEPS * BATCH, replace=len(windows) < STEPS * BATCH)
            ]
            model.fit(some, batch_size=BATCH, verbose=0)
            looks.append(model.sample(SAMPLED, seed=11))
            plain.append(model.generator.sample(SAMPLED, seed=11))
        written[name] = np.stack(looks)
        if name == "complete":
            written["not_averaged"] = np.stack(plain)
    return written
