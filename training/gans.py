"""Training of lesson 11's GANs: the shipped generators, and a convolutional GAN changed in one thing each time.

``python -m training.weights 11_convolutional`` and the like run them.
"""

from __future__ import annotations

import numpy as np

__all__ = ["SETTINGS", "count_steps", "train_generator", "train_variants"]

SETTINGS = {  # by name of the weights: the class, its sizes, arguments of compile_default and fit
    "11_convolutional": {
        "model": ("adversarial.gan", "ConvGAN"),
        "sizes": {"units": 112, "r1": 10.0},
        "compile_default": {"learning_rate": 8e-4},
        "fit": {"epochs": 26, "batch_size": 32},
    },
    "11_recurrent": {
        "model": ("adversarial.gan", "RecurrentGAN"),
        "sizes": {"units": 124, "discriminator_units": 96, "r1": 3.0},
        "compile_default": {"learning_rate": 5e-4},
        "fit": {"epochs": 14, "batch_size": 32},
    },
}
VARIANTS = {  # by name of the array of samples: the class, musical features or not, settings
    "complete": ("ConvGAN", False, {}),
    "no_comparison": ("ConvGAN", False, {"minibatch_deviation": False}),
    "no_r1": ("ConvGAN", False, {"r1": 0.0}),
    "musical_features": ("ConvGAN", True, {}),
    "dense": ("DenseGAN", False, {"units": 32}),
}
BATCH = 32  # of the variants
CHECKS, STEPS = 6, 200  # how often each of them is sampled, and after how many steps each time
SAMPLES = 150


def count_steps(fit: dict, windows: int) -> int:
    """Steps of a training with these arguments of ``fit``; an incomplete last batch is left out."""
    return fit["epochs"] * (windows // fit["batch_size"])


def train_generator(name: str):
    """Train one of :data:`SETTINGS` in full; its averaged generator."""
    from musiclab import training
    from musiclab.data.encodings import two_bars
    from musiclab.models.adversarial import gan

    settings = SETTINGS[name]
    training.set_seed(11)
    model = getattr(gan, settings["model"][1])(**settings["sizes"])
    windows = two_bars.load_bars("train", common_key=True)
    steps = count_steps(settings["fit"], len(windows))
    model.compile_default(**settings["compile_default"], steps=steps)
    training.train(model, windows, **settings["fit"], title=settings["model"][1])
    return model.average


def train_variants() -> dict[str, np.ndarray]:
    """Samples of GANs during training: a convolutional one, the same without one part each, a dense one.

    Returns:
      By name: symbols int8 (CHECKS, SAMPLES, 32, 4), drawn from the averaged generator after each
      STEPS steps; "not_averaged", the same from the complete one's current generator; "called_real",
      float32 (CHECKS, 2), the share of training and of held-out windows that the complete one's
      discriminator calls real; "steps", int (CHECKS,).
    """
    from musiclab import training
    from musiclab.data.encodings import two_bars
    from musiclab.models.adversarial import gan

    windows, held_out = (two_bars.load_bars(k, common_key=True) for k in ("train", "test"))
    found = {"steps": STEPS * np.arange(1, CHECKS + 1)}
    for name, (kind, musical, settings) in VARIANTS.items():
        training.set_seed(11)
        variant = type(kind, (getattr(gan, kind),), {"musical_features": musical})
        model = variant(**{"units": 112, "r1": 10.0, **settings})
        model.compile_default(learning_rate=8e-4)
        averaged, current, called_real = [], [], []
        rng = np.random.default_rng(11)
        for _ in range(CHECKS):
            chosen = rng.integers(len(windows), size=STEPS * BATCH)
            model.fit(windows[chosen], batch_size=BATCH, verbose=0)
            averaged.append(model.sample(SAMPLES, seed=11))
            current.append(model.generator.sample(SAMPLES, seed=11))
            called_real.append([share_called_real(model, x) for x in (windows, held_out)])
        found[name] = np.stack(averaged)
        if name == "complete":
            found["not_averaged"] = np.stack(current)
            found["called_real"] = np.array(called_real, np.float32)
    return found


def share_called_real(model, windows, seed: int = 11, n: int = 640) -> float:
    """Share of n randomly chosen windows, in batches of training, that a GAN's discriminator calls real."""
    from musiclab.data.encodings import two_bars

    chosen = np.random.default_rng(seed).choice(len(windows), size=(n // BATCH, BATCH))
    logits = [model.discriminator(two_bars.one_hot(windows[batch])) for batch in chosen]
    return float(np.mean(np.concatenate(logits) > 0))
