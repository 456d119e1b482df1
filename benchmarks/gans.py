"""The trainings behind lesson 11: two generators in full, and the convolutional one with one stabiliser removed at a time.

``python -m benchmarks.weights 11_convolutional`` and the like run them.
"""

from __future__ import annotations

import numpy as np

__all__ = ["FULL", "REMOVED", "removed", "trained"]

FULL = {  # class, passes over the training windows in all keys
    "11_convolutional": ("ConvGAN", 4),
    "11_recurrent": ("RecurrentGAN", 2),
}
REMOVED = {  # what is left out, by the name of the array that holds what was sampled
    "complete": {},
    "no_deviation": {"minibatch_deviation": False},
    "no_r1": {"r1": 0.0},
    "neither": {"minibatch_deviation": False, "r1": 0.0},
}
BATCH = 32
LOOKS, STEPS = 6, 160  # how often each training is looked at, and after how many steps each time
SAMPLED = 150


def trained(name: str):
    """The averaged generator of one of :data:`FULL`, trained in full."""
    from musiclab import training
    from musiclab.models import bars, gan

    kind, epochs = FULL[name]
    training.set_seed(11)
    model = getattr(gan, kind)()
    windows = bars.in_all_keys(bars.load_bars("train"))
    training.train(model, windows, epochs=epochs, batch_size=BATCH, title=kind)
    return model.average


def removed() -> dict[str, np.ndarray]:
    """What convolutional GANs write while they train, each without one of its stabilisers.

    Returns:
      By name: symbols int8 (LOOKS, SAMPLED, 32, 4), written by the averaged generator after each STEPS steps;
      "not_averaged", the same of the complete one's generator as it stands; "steps", int (LOOKS,).
    """
    from musiclab import training
    from musiclab.models import bars, gan

    windows = bars.in_all_keys(bars.load_bars("train"))
    written = {"steps": STEPS * np.arange(1, LOOKS + 1)}
    for name, settings in REMOVED.items():
        training.set_seed(11)
        model, looks, plain = gan.ConvGAN(**settings), [], []
        rng = np.random.default_rng(11)
        for _ in range(LOOKS):
            model.fit(windows[rng.choice(len(windows), STEPS * BATCH, replace=False)], batch_size=BATCH, verbose=0)
            looks.append(model.sample(SAMPLED, seed=11))
            plain.append(model.generator.sample(SAMPLED, seed=11))
        written[name] = np.stack(looks)
        if name == "complete":
            written["not_averaged"] = np.stack(plain)
    return written
