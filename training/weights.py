"""Train the weights that lessons load because training them would take too long: into ``data/weights/``.

python -m training.weights 09_bass          # one file
python -m training.weights                  # lists the names

A file of the same name is replaced and its checksum recorded. It is not the old one bit for bit:
another processor, number of threads or version adds up in another order, and training amplifies it.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from training import gans

__all__ = ["MAKERS", "main"]

WEIGHTS = Path(__file__).resolve().parents[1] / "data" / "weights"


def part(order: int, epochs: int = 24, batch_size: int = 16):
    """A trained model of lesson 09, which generates one voice given others: whole pieces."""
    from musiclab import data, training
    from musiclab.models.recurrent.encoder_decoder import ORDER, FrameAligned

    training.set_seed(9)
    model = FrameAligned(*ORDER[order])
    model.compile_default(learning_rate=8e-3)
    pieces = data.load_chorales("train", by="melody")
    training.train(model, pieces, epochs=epochs, batch_size=batch_size, title=f"part {order}")
    return model


def bass(kind: str, lengths=(8, 32, 128), epochs: int = 6):
    """A bass model of lesson 09 without a table: excerpts of each length, and whole pieces."""
    from musiclab import data, training
    from musiclab.data.encodings.eighth_grid import excerpts
    from musiclab.models.recurrent import encoder_decoder

    training.set_seed(9)
    model = getattr(encoder_decoder, kind)(*encoder_decoder.ORDER[0], table=False)
    pieces = data.load_chorales("train", by="melody")
    cut = [one for length in lengths for one in excerpts(pieces, length)]
    training.train(model, pieces + cut, epochs=epochs, batch_size=256, title=kind)
    return model


def chords(order: str, epochs: int = 24):
    """A trained model of lesson 08: chord after chord on quarters, in a common key."""
    from musiclab import data, training
    from musiclab.models.recurrent.chord_model import ChordModel

    training.set_seed(8)
    pieces = data.load_chorales("train")
    model = ChordModel("gru", "notes", units=128, hidden=128, order=order)
    model.compile_default(learning_rate=8e-3)
    training.train(
        model,
        [data.piano_roll(data.to_common_key(p))[::4] for p in pieces],
        epochs=epochs,
        title=f"chords, {order}",
    )
    return model


def voices(epochs: int = 28):
    """The trained four-voice model of lesson 08, small enough for a file of at most a megabyte."""
    from musiclab import data, training
    from musiclab.models.recurrent.four_voices import FourVoices

    training.set_seed(8)
    pieces = [data.to_common_key(p) for p in data.load_chorales("train")]
    model = FourVoices(units=90, hidden=90, low=31, high=86, dropout=0.3)
    model.compile_default(weight_decay=1e-2)
    training.train(model, pieces, epochs=epochs, batch_size=8, title="four voices")
    return model


def melodies(epochs: int = 28):
    """The three-layer melody model of lesson 07: soprano after soprano in a common key, split by melody."""
    from musiclab import data, training
    from musiclab.models.recurrent.melody_model import MelodyModel

    training.set_seed(7)
    train = [
        data.melody_to_symbols(data.to_common_key(p))
        for p in data.load_chorales("train", by="melody")
    ]
    model = MelodyModel(data.note_vocabulary(train), "lstm", units=80, layers=3, dropout=0.2)
    model.compile_default(learning_rate=1e-2)
    training.train(model, train, epochs=epochs, batch_size=16, title="three layers")
    return model


def chord_rbm(epochs: int = 250):
    """The RBM of lesson 12, trained on single chords: quarters in a common key, from G1 to D6."""
    import numpy as np

    from musiclab import data, training
    from musiclab.models.energy.rbm import RBM

    training.set_seed(12)
    rolls = [
        data.piano_roll(data.to_common_key(p), 31, 86)[::4] for p in data.load_chorales("train")
    ]
    model = RBM(rolls[0].shape[1], 120)
    model.compile_default(learning_rate=0.8, k=1, persistent=True)
    frames = np.concatenate(rolls)
    training.train(
        model, frames[frames.any(axis=1)], epochs=epochs, batch_size=100, title="RBM of chords"
    )
    return model


def variational_autoencoder(beta: float, latent: int = 48, epochs: int = 6):
    """A variational autoencoder of lesson 05, small enough for a file of at most a megabyte."""
    from musiclab import training
    from musiclab.data.encodings import two_bars
    from musiclab.models.autoencoders.vae import VAE

    training.set_seed(5)
    model = VAE(latent=latent, quarter_units=68, hidden=96, beta=beta)
    model.compile_default(learning_rate=4e-3)
    windows = two_bars.in_all_keys(two_bars.load_bars("train"))
    training.train(model, windows, epochs=epochs, batch_size=64, title=f"beta = {beta:g}")
    return model


def autoencoder(epochs: int = 6):
    """Lesson 04's autoencoder, trained as there, with fewer hidden units: a file of at most a megabyte."""
    import keras

    from musiclab import training
    from musiclab.data.encodings import two_bars
    from musiclab.models.autoencoders.autoencoder import Autoencoder, squared_error

    training.set_seed(4)
    rolls = two_bars.piano_rolls(two_bars.in_all_keys(two_bars.load_bars("train"))).astype("uint8")
    model = Autoencoder((32, 48), h1=64, h2=80, f1="linear", f2="relu", code="h1")
    steps = epochs * -(-len(rolls) // 64)
    rate = keras.optimizers.schedules.CosineDecay(
        0.0, steps - 150, warmup_target=5e-3, warmup_steps=150
    )
    model.compile(keras.optimizers.Adam(rate), loss=squared_error, jit_compile=True)
    training.train(model, rolls, epochs=epochs, batch_size=64, title="autoencoder")
    return model


def rnn_rbm(epochs: int = 50):
    """The trained RNN-RBM of lesson 14: an RBM of chords first, then the network that sets its biases."""
    import numpy as np

    from musiclab import data, training
    from musiclab.models.energy.rbm import RBM
    from musiclab.models.energy.rnn_rbm import RNNRBM

    training.set_seed(14)
    rolls = [data.piano_roll(data.to_common_key(p))[::4] for p in data.load_chorales("train")]
    rbm = RBM(visible=88, hidden=150)
    rbm.compile_default(learning_rate=0.05, k=1, persistent=True)
    training.train(rbm, np.concatenate(rolls), epochs=60, batch_size=100, title="RBM of chords")
    model = RNNRBM(hidden=150, units=128).start_from(rbm)
    model.compile_default(learning_rate=6e-3)
    training.train(model, rolls, epochs=epochs, batch_size=8, title="RNN-RBM")
    return model


def deep_belief_network(epochs=(70, 60, 60)):
    """The deep belief network of lesson 13: three RBMs trained layer by layer, not fine-tuned."""
    from musiclab import training
    from musiclab.data.encodings import two_bars
    from musiclab.models.energy.dbn import DBN

    training.set_seed(13)
    x = two_bars.eighths_to_rows(two_bars.load_eighths("train"))
    model = DBN(x.shape[1], (120, 120, 120), two_bars.EIGHTH_SYMBOLS)
    training.train(model, x, epochs=epochs, title="deep belief network")
    return model


def dense_gan(epochs: int = 40):
    """The dense generator of lesson 10: two-bar windows in a common key."""
    from musiclab import data, training
    from musiclab.data.encodings import two_bars
    from musiclab.models.adversarial.gan import DenseGAN

    training.set_seed(10)
    pieces = [data.to_common_key(p) for p in data.load_chorales("train")]
    model = DenseGAN(latent=64, units=32)
    training.train(
        model,
        two_bars.to_symbols(*data.windows(pieces)),
        epochs=epochs,
        batch_size=32,
        title="dense GAN",
    )
    return model.average


def piece_embedding(voices: tuple[int, ...], steps: int = 700):
    """The embedding of lesson 16b: pairs of windows from all chorales but the held-out families."""
    from musiclab import data, training
    from musiclab.models.embedding import PieceEmbedding, WindowPairs, held_out_families

    training.set_seed(16)
    chorales = data.load_chorales()
    held_out = held_out_families(chorales)
    pieces = [piece for piece in chorales if piece.melody not in held_out]
    model = PieceEmbedding(voices)
    model.compile_default()
    pairs = WindowPairs(pieces, steps, voices, seed=16)
    decay = training.WarmUpCosineDecay(warm_up=30 / steps)
    training.train(model, pairs, epochs=1, callbacks=[decay], title=f"voices {voices}")
    return model


def voice_transformer(epochs: int = 20):
    """The Transformer of lesson 15, trained as lesson 08's model of four voices: on the same pieces.

    It has 5.00 nats per quarter on 40 training pieces, 6.58 on validation, 6.81 on test and 7.26 on
    its clean pieces; lesson 08's GRU has 4.31, 6.31, 6.55 and 7.03. The settings are the third of
    these, which were tried with dropout masks shared by the voices; one seed each, batches of 192
    to 384 steps and a rate of 6e-3:

    ====== ===== ===== ======= ===== ====== ===== ======== ==========
    blocks units steps dropout decay passes CPU s training validation
    ====== ===== ===== ======= ===== ====== ===== ======== ==========
    1      64    16    0.3     0.01  20     102   4.51     6.54
    2      64    32    0.3     0.01  20     96    4.49     6.60
    1      64    52    0.4     0.05  20     98    4.90     6.53
    1      80    52    0.35 a  0.05  36     197   3.75     6.70
    1      64    52    0.5 a   0.1   20     98    5.72     6.83
    1      64    52    0.4 a   0.3   14     77    5.67     6.79
    1      64    52    0.4 b   0.1   12     66    -        6.68
    3 c    72    128   0.2     0.03  50     385   3.08     6.83
    ====== ===== ===== ======= ===== ====== ===== ======== ==========

    a: of the attention weights too; b: of these 0.3; c: no hidden layer past the blocks, inputs
    dropped like the rest, batches of 1024 steps, a rate of 3e-3; test 7.10, clean pieces 7.74. The
    three best share 20 passes and attention weights that are not dropped; which of the changes
    matters was not tested alone.
    """
    from musiclab import data, training
    from musiclab.models.attention.transformer import VoiceTransformer

    training.set_seed(15)
    pieces = [data.to_common_key(p) for p in data.load_chorales("train")]
    model = VoiceTransformer()
    training.train(model, pieces, epochs=epochs, batch_size=6, title="Transformer")
    return model


def inpainting(epochs: int = 10, steps: int = 400):
    """The inpainting network of lesson 16, with mood conditioning: chorales split by melody."""
    from musiclab import data, training
    from musiclab.models.attention.inpainting import Inpainting

    training.set_seed(16)
    model, pieces = Inpainting(), data.load_chorales("train", by="melody")
    training.train(model, pieces, steps=steps, epochs=epochs, title="inpainting")
    return model


def note_gan(epochs: int = 120):
    """The generator of note spectrograms of lesson 18, trained on invented instruments."""
    import numpy as np

    from musiclab import training
    from musiclab.data.corpora import instruments
    from musiclab.data.encodings.note_sound import log_spectrum
    from musiclab.models.sound.note_gan import NoteGAN

    training.set_seed(18)
    notes = instruments.notes()
    spectra = np.stack([log_spectrum(x) for x in notes.sound])
    model = NoteGAN()
    training.train(model, spectra, notes.key, epochs=epochs, title="notes")
    return model.average


MAKERS = {
    "05_autoencoder": autoencoder,
    "05_beta_0": lambda: variational_autoencoder(0.0),
    "05_beta_0.3": lambda: variational_autoencoder(0.3),
    "05_beta_1": lambda: variational_autoencoder(1.0),
    "05_map": lambda: variational_autoencoder(0.3, latent=2),
    "07_three_layers": melodies,
    "08_up": lambda: chords("up"),
    "08_voices": voices,
    "08_down": lambda: chords("down"),
    "09_bass": lambda: part(0),
    "09_alto": lambda: part(1),
    "09_tenor": lambda: part(2),
    "09_bass_aligned": lambda: bass("FrameAligned"),
    "09_bass_bottleneck": lambda: bass("EncoderDecoder"),
    "10_dense": dense_gan,
    "11_convolutional": lambda: gans.train_generator("11_convolutional"),
    "11_recurrent": lambda: gans.train_generator("11_recurrent"),
    "11_variants": gans.train_variants,
    "12_chords": chord_rbm,
    "14_rnn_rbm": rnn_rbm,
    "15_transformer": voice_transformer,
    "13_three_layers": deep_belief_network,
    "18_note_gan": note_gan,
    "16b_pieces": lambda: piece_embedding((0, 1, 2, 3)),
    "16b_lower_voices": lambda: piece_embedding((1, 2, 3)),
    "16_inpainting": inpainting,
}


def make(name: str, folder: Path = WEIGHTS) -> Path:
    """Train one model and store it.

    Args:
      name: one of :data:`MAKERS`.
      folder: where to.

    Returns:
      The file.
    """
    from musiclab.data.files.storage import record_checksum, save_arrays
    from musiclab.training import save_model

    trained = MAKERS[name]()
    folder.mkdir(parents=True, exist_ok=True)
    if isinstance(trained, dict):  # what models wrote while they trained, and not a model
        file = folder / f"{name}.npz"
        save_arrays(file, trained)
    elif hasattr(trained, "to_file"):  # read by the website's page too
        file = folder / f"{name}.safetensors"
        trained.to_file(file)
    else:
        # a copy that has never been trained: the optimizer's memory would triple the file
        bare = type(trained).from_config(trained.get_config())
        bare.set_weights(trained.get_weights())
        file = folder / f"{name}.keras"
        save_model(bare, file)
    if folder == WEIGHTS:
        record_checksum(file)
    return file


def main(names: list[str]) -> int:
    """Make the weights named on the command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument(
        "names", nargs="*", choices=[*MAKERS, []], help="which to train; none lists them"
    )
    names = parser.parse_args(names).names
    for name in names or []:
        start, cpu = time.perf_counter(), time.process_time()
        file = make(name)
        wall, cpu = time.perf_counter() - start, time.process_time() - cpu
        print(
            f"{file.name}: {file.stat().st_size / 1e6:.2f} MB, {wall:.0f} s of wall, {cpu:.0f} s of CPU",
            flush=True,
        )
    if not names:
        print("\n".join(MAKERS))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
