"""Training of lesson 11's GANs: the shipped generators, and the convolutional GAN without one stabiliser each.

``python -m training.weights 11_convolutional`` and the like run them.
"""

from __future__ import annotations

import numpy as np

__all__ = ["SETTINGS", "train_generator", "train_without_stabilisers"]

SETTINGS = {  # by name of the weights: the class, its sizes, arguments of fit
    "11_convolutional": {
        "model": ("adversarial.gan", "ConvGAN"),
        "sizes": {},
        "fit": {"epochs": 40, "batch_size": 32},
    },
    "11_recurrent": {
        "model": ("adversarial.gan", "RecurrentGAN"),
        "sizes": {"units": 124, "discriminator_units": 64, "r1": 3.0},
        "fit": {"epochs": 18, "batch_size": 32},
    },
}
WITHOUT = {  # by name of the array that holds the samples: settings of the model
    "complete": {},
    "no_comparison": {"minibatch_deviation": False},
    "no_r1": {"r1": 0.0},
}
DECAY_AFTER = 2 / 3  # of all steps of a full training
BATCH = 32  # of the trainings without a stabiliser
CHECKS, STEPS = 6, 160  # how often each of them is sampled, and after how many steps each time
SAMPLES = 150


def train_generator(name: str):
    """Train one of :data:`SETTINGS` in full; its averaged generator."""
    from musiclab import training
    from musiclab.data.encodings import two_bars
    from musiclab.models.adversarial import gan

    (_, kind), fit = SETTINGS[name]["model"], SETTINGS[name]["fit"]
    training.set_seed(11)
    model = getattr(gan, kind)(**SETTINGS[name]["sizes"])
    windows = two_bars.load_bars("train", common_key=True)
    steps = fit["epochs"] * (len(windows) // fit["batch_size"])
    model.compile_default(decay_after=round(DECAY_AFTER * steps))
    training.train(model, windows, **fit, title=kind)
    return model.average


def train_without_stabilisers() -> dict[str, np.ndarray]:
    """Samples of convolutional GANs during training, each without one of its stabilisers.

    Returns:
      By name: symbols int8 (CHECKS, SAMPLES, 32, 4), drawn from the averaged generator after each
      STEPS steps; "not_averaged", the same from the complete one's current generator; "steps", int
      (CHECKS,).
    """
    from musiclab import training
    from musiclab.data.encodings import two_bars
    from musiclab.models.adversarial import gan

    windows = two_bars.load_bars("train", common_key=True)
    n = STEPS * BATCH
    samples = {"steps": STEPS * np.arange(1, CHECKS + 1)}
    for name, settings in WITHOUT.items():
        training.set_seed(11)
        model, averaged, current = gan.ConvGAN(**settings), [], []
        rng = np.random.default_rng(11)
        for _ in range(CHECKS):
            subset = windows[rng.choice(len(windows), n, replace=len(windows) < n)]
            model.fit(subset, batch_size=BATCH, verbose=0)
            averaged.append(model.sample(SAMPLES, seed=11))
            current.append(model.generator.sample(SAMPLES, seed=11))
        samples[name] = np.stack(averaged)
        if name == "complete":
            samples["not_averaged"] = np.stack(current)
    return samples
