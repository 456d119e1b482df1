"""Checks of the exercises of lesson 03."""

import keras
import numpy as np
import tensorflow as tf

from musiclab import checks
from musiclab.checks import hard_cases
from musiclab.checks.exercises import Lesson

lesson = Lesson("03_autoencoder", written=4)


def examine_weights(choose_weights, samples):
    see = "lesson 03, section 'Three equations, by hand'"
    result = checks.call(choose_weights, see=see)
    checks.several(
        result,
        6,
        "choose_weights()",
        "expected six arrays, W1, b1, W2, b2, W3, b3, but got {}",
        see,
    )
    shapes = {"W1": (2, 3), "b1": (2,), "W2": (2, 2), "b2": (2,), "W3": (3, 2), "b3": (3,)}
    for (name, shape), part in zip(shapes.items(), result):
        got = np.shape(part)
        message = (
            f"{name} should have shape {shape}, a row for each of its own units, but it has {got}"
        )
        checks.that(got == shape, message, "lesson 03, section 'Symbols'")
    W1, b1, W2, b2, W3, b3 = (np.array(part, float) for part in result)
    for x in samples:
        h1 = np.maximum(W1 @ x + b1, 0)
        h2 = np.maximum(W2 @ h1 + b2, 0)
        causes = (
            {"both hidden layers are silent, only b3 speaks": b3}
            if not h2.any() and x.any()
            else {}
        )
        checks.array(
            W3 @ h2 + b3,
            x,
            f"the reconstruction of x = {x.round(3).tolist()}",
            see,
            causes,
            atol=1e-6,
        )


def examine_layers(three_layers, rng, n, d, n1, n2):
    see = "lesson 03, section 'Many samples at once'"
    W1, b1, W2, b2, W3, b3 = (rng.normal(size=s) for s in [(n1, d), n1, (n2, n1), n2, (d, n2), d])
    X = rng.normal(size=(n, d)) if n else rng.normal(size=d)
    a1 = np.einsum("...i,ji->...j", X, W1)
    a2 = np.einsum("...i,ji->...j", np.tanh(a1 + b1), W2)
    relu = np.where(a2 + b2 > 0, a2 + b2, 0.0)
    x_hat = np.einsum("...i,ji->...j", relu, W3) + b3
    result = checks.call(three_layers, X, W1, b1, W2, b2, W3, b3, see=see)
    checks.several(
        result,
        3,
        "three_layers(...)",
        "three_layers should return H1, H2 and X_hat, but it returned {}",
        see,
    )
    sizes = f"d = {d}, n1 = {n1}, n2 = {n2}, " + (f"a batch of {n}" if n else "one sample")
    causes = {"the biases b1 are missing": np.tanh(a1), "the activation f1 is missing": a1 + b1}
    causes |= {"relu was used for f1, which is tanh": np.maximum(a1 + b1, 0)}
    checks.array(result[0], np.tanh(a1 + b1), f"H1 with {sizes}", see, causes)
    causes = {
        "the biases b2 are missing": np.maximum(a2, 0),
        "the activation f2 is missing": a2 + b2,
    }
    causes |= {"tanh was used for f2, which is relu": np.tanh(a2 + b2)}
    checks.array(result[1], relu, f"H2 with {sizes}", see, causes)
    causes = {
        "the biases b3 are missing": x_hat - b3,
        "relu was applied to the output, which has no activation": np.maximum(x_hat, 0),
    }
    checks.array(result[2], x_hat, f"X_hat with {sizes}", see, causes)


def examine_build(build, rng, n, d, n1, n2):
    see = "lesson 03, section 'Find the fault'"
    result = checks.call(build, d, n1, n2, see=see)
    checks.several(
        result, 3, "build(d, n1, n2)", "build should return three models, but it returned {}", see
    )
    for model, name in zip(result, ("the autoencoder", "the encoder", "the decoder")):
        checks.kind(model, keras.Model, name, see)
    whole, front, back = result
    sizes = {"autoencoder": (whole, d, d), "encoder": (front, d, n1), "decoder": (back, n1, d)}
    for name, (model, n_in, n_out) in sizes.items():
        two = np.zeros((2, n_in), "float32")  # also gives a subclass of keras.Model its weights
        got = np.shape(checks.call(model, two, see=see))
        message = f"the {name} should turn (2, {n_in}) into (2, {n_out}), but it gives {got}"
        checks.that(got == (2, n_out), message, see)
    counts = (
        n1 * (d + 1) + n2 * (n1 + 1) + d * (n2 + 1),
        n1 * (d + 1),
        n2 * (n1 + 1) + d * (n2 + 1),
    )
    for (name, (model, _, _)), count in zip(sizes.items(), counts):
        got = model.count_params()
        message = (
            f"the {name} should have {count} weights with d = {d}, n1 = {n1}, n2 = {n2}, but it has "
            f"{got}. Likely cause: a layer takes its input from the wrong place, or has no biases"
        )
        checks.that(got == count, message, "lesson 03, section 'The shapes, drawn'")
    for name, (model, _, _) in sizes.items():
        frozen = len(model.weights) - len(model.trainable_weights)
        message = f"{frozen} of the {name}'s {len(model.weights)} arrays of weights can't be trained. Likely cause: "
        message += "`trainable` was set to False; the weights belong to all three models"
        checks.that(frozen == 0, message, see)
    x = rng.normal(size=(n, d)).astype("float32")
    for name, (model, n_in, _) in sizes.items():
        given = rng.normal(size=(64, n_in)).astype("float32")
        checks.array(
            np.asarray(model(given, training=True)),
            np.asarray(model(given, training=False)),
            f"what the {name} computes while it trains",
            see
            + ". Likely cause: a layer such as Dropout or noise, which the equations don't have",
            rtol=1e-4,
            atol=1e-5,
        )
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(whole(x) ** 2)
    parts = [*front.trainable_variables, *back.trainable_variables]
    slopes = tape.gradient(loss, [v.value for v in parts])
    missing = sum(slope is None for slope in slopes)
    message = (
        f"{missing} of {len(slopes)} weights of encoder and decoder have no gradient when the "
        "autoencoder is trained. Likely cause: they belong to layers of their own, or the answer stops "
        "the gradient between them; build each layer once and use it in both models"
    )
    checks.that(missing == 0, message, see)
    for part in whole.trainable_variables:
        part.assign(rng.normal(size=part.shape))
    two_ways = np.asarray(back(front(x)))
    checks.array(
        two_ways,
        np.asarray(whole(x)),
        "decoder(encoder(x)) after a change of weights",
        see,
        rtol=1e-4,
        atol=1e-5,
    )
    (W1, b1), (W2, b2, W3, b3) = front.get_weights(), back.get_weights()
    causes = {
        "f1 is missing": x @ W1 + b1,
        "f1 is relu instead of tanh": np.maximum(x @ W1 + b1, 0),
    }
    checks.array(
        np.asarray(front(x)), np.tanh(x @ W1 + b1), "the code h1", see, causes, rtol=1e-4, atol=1e-5
    )
    code = 30 * rng.normal(size=(n, n1)).astype("float32")
    a2 = code @ W2 + b2
    causes = {"f2 is missing": a2 @ W3 + b3, "f2 is tanh instead of relu": np.tanh(a2) @ W3 + b3}
    right = np.maximum(a2, 0) @ W3 + b3
    causes["relu was applied to the output, which has no activation"] = np.maximum(right, 0)
    checks.array(
        np.asarray(back(code)),
        right,
        "what the decoder makes of a code",
        see,
        causes,
        rtol=1e-4,
        atol=1e-5,
    )


@lesson.exercise(points=4)
def choose_weights(choose_weights):
    examine_weights(choose_weights, np.array([[0.0, 0, 0], [1, 1, 0], [0, 0, 1], [1, 1, 1]]))


@lesson.exercise(points=4, ready_made=("musiclab.models.autoencoders.numpy_autoencoder.forward",))
def three_layers(three_layers):
    rng = np.random.default_rng(32)
    examine_layers(three_layers, rng, n=5, d=4, n1=3, n2=2)
    examine_layers(three_layers, rng, n=0, d=4, n1=3, n2=2)
    examine_layers(three_layers, rng, n=1, d=2, n1=5, n2=6)
    X, *W = (rng.normal(size=s) for s in [(7, 4), (3, 4), 3, (2, 3), 2, (4, 2), 4])
    right = checks.call(three_layers, X, *W)
    for name, given in hard_cases.as_given(X, *W):
        found = checks.call(three_layers, *given)
        for part, mine, wanted in zip(("H1", "H2", "X_hat"), found, right):
            checks.array(mine, wanted, f"{part} of {name}", rtol=1e-4, atol=1e-5)
    X = rng.integers(-5, 6, (6, 4))
    for scale in (0.2, 200.0):
        weights = [scale * one for one in W]
        H1, H2, X_hat = checks.call(three_layers, X, *weights)
        right1 = np.tanh(X @ weights[0].T + weights[1])
        right2 = np.maximum(right1 @ weights[2].T + weights[3], 0)
        what = f"for whole numbers and weights of about {scale:g}"
        checks.array(H1, right1, f"H1 {what}", rtol=1e-4, atol=1e-6)
        checks.array(H2, right2, f"H2 {what}", rtol=1e-4, atol=1e-6)
        right3 = right2 @ weights[4].T + weights[5]
        checks.array(X_hat, right3, f"X_hat {what}", rtol=1e-4, atol=1e-4)


@lesson.exercise(points=5)
def build(build):
    examine_build(build, np.random.default_rng(34), n=5, d=6, n1=2, n2=4)
