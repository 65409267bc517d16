"""Makes cloud/decoders/phones-tiny.en.npz, by which phones are heard in what Whisper's encoder makes of the sound.

    .venv/bin/python -m models.tables.phone_ear --data DIR --weights DIR

`--data` is a folder with noise/; flite and espeak-ng have to be there. Machines say names and words, Whisper encodes
them in noise, and a small network learns which phones were said (Graves et al. 2006, "Connectionist Temporal
Classification"). Half an hour of one core, and 1 GB of memory.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import numpy as np

from benchmarks.phone_windows import CLASSES, NONE, Window, windows
from models.training.quiet_tensorflow import quiet_tensorflow

if TYPE_CHECKING:
    import keras

TEXTS = 9000
EPOCHS = 7
WIDTH, AROUND, LAYERS = 128, 5, 2
DROPPED = 0.1
BATCH = 8
RATE, RATE_STEPS, RATE_LEAST = 2e-3, 100, 0.02
"""It rises for so many steps, and then falls to that share."""
STEEPEST = 1.0
"""Longer gradients are cut."""
HELD = 100
"""Windows that the network does not learn from: its errors are told on them."""
SEED = 1


@click.command()
@click.option("--data", type=click.Path(exists=True, path_type=Path), required=True, help="Folder with noise/.")
@click.option("--weights", type=click.Path(exists=True, path_type=Path), required=True, help="Whisper's tiny.en.")
@click.option("--out", type=click.Path(path_type=Path), default=Path("cloud/decoders/phones-tiny.en.npz"))
def main(data: Path, weights: Path, out: Path) -> None:
    """Learn to hear phones in what Whisper's encoder makes of the sound."""
    known = []
    for window in windows(TEXTS, data, str(weights), SEED):
        # More phones than positions cannot have been heard.
        if len(window.phones) * 1.2 < len(window.encoded):
            known.append(window)
        if len(known) % 100 == 0:
            print(f"{len(known)} windows", flush=True)
    network = learn(known[HELD:], known[:HELD])
    np.savez(out, *(weight.astype(np.float16) for weight in network.get_weights()))
    print(f"{out}: {network.count_params()} weights, {out.stat().st_size} bytes")


def learn(known: Sequence[Window], held: Sequence[Window]) -> "keras.Model":
    """A network that hears the phones of windows; its errors among `held` are told."""
    with quiet_tensorflow():
        import keras
    keras.utils.set_random_seed(SEED)
    network = made(known[0].encoded.shape[1])
    optimiser = keras.optimizers.Adam(RATE, global_clipnorm=STEEPEST)
    learn_from = _step(network, optimiser)
    draw = np.random.default_rng(SEED)
    by_length = sorted(known, key=lambda window: len(window.encoded))
    batches = [by_length[start : start + BATCH] for start in range(0, len(by_length), BATCH)]
    step, steps = 0, EPOCHS * len(batches)
    for epoch in range(EPOCHS):
        losses = []
        for place in draw.permutation(len(batches)):
            optimiser.learning_rate.assign(RATE * min(1, step / RATE_STEPS) * max(RATE_LEAST, 1 - step / steps))
            losses.append(learn_from(batches[place]))
            step += 1
        print(f"epoch {epoch + 1}: loss {np.mean(losses):.3f}, phone errors {errors(network, held):.3f}", flush=True)
    return network


def made(width: int) -> "keras.Model":
    """(positions, width) in, (positions, classes) logits out."""
    with quiet_tensorflow():
        import keras
    layers = keras.layers
    encoded = layers.Input((None, width))
    x = layers.Dense(WIDTH, activation="relu")(layers.Dropout(DROPPED)(encoded))
    for _ in range(LAYERS):
        x = layers.Dropout(DROPPED)(x)
        x = layers.Add()([x, layers.Conv1D(WIDTH, AROUND, padding="same", activation="relu")(x)])
    return keras.Model(encoded, layers.Dense(CLASSES)(layers.Dropout(DROPPED)(x)))


def errors(network: "keras.Model", held: Sequence[Window]) -> float:
    """Phones left out, put in or mistaken, as a share of those said."""
    wrong = said = 0
    for window in held:
        likeliest = network(window.encoded[np.newaxis].astype(np.float32), training=False).numpy()[0].argmax(axis=1)
        begins = (likeliest != NONE) & (likeliest != np.append(NONE, likeliest[:-1]))
        wrong += _edits(window.phones, likeliest[begins].tolist())
        said += len(window.phones)
    return wrong / max(1, said)


def _step(network: "keras.Model", optimiser: Any) -> Callable[[Sequence[Window]], float]:
    """What learns from a batch, and tells its loss for each phone."""
    with quiet_tensorflow():
        import tensorflow as tf

    whole, long, exact = tf.TensorSpec((None,), tf.int32), tf.TensorSpec((None, 2), tf.int64), tf.float32
    width = network.input_shape[-1]

    @tf.function(input_signature=(tf.TensorSpec((None, None, width), exact), whole, long, whole, whole))  # type: ignore[untyped-decorator]
    def learned(encoded: Any, positions: Any, places: Any, phones: Any, counts: Any) -> Any:
        said = tf.SparseTensor(places, phones, tf.reduce_max(places, axis=0) + 1)
        with tf.GradientTape() as tape:
            logits = network(encoded, training=True)
            each = tf.nn.ctc_loss(said, logits, None, positions, logits_time_major=False, blank_index=NONE)
            loss = tf.reduce_mean(each / tf.cast(counts, tf.float32))
        weights = network.trainable_variables
        optimiser.apply_gradients(zip(tape.gradient(loss, weights), weights, strict=True))
        return loss

    def step(batch: Sequence[Window]) -> float:
        positions = np.array([len(window.encoded) for window in batch], np.int32)
        encoded = np.zeros((len(batch), positions.max(), width), np.float32)
        for row, window in zip(encoded, batch, strict=True):
            row[: len(window.encoded)] = window.encoded
        places = np.array([(row, at) for row, window in enumerate(batch) for at in range(len(window.phones))])
        phones = np.frombuffer(b"".join(window.phones for window in batch), np.uint8).astype(np.int32)
        return float(
            learned(encoded, positions, places, phones, np.array([len(one.phones) for one in batch], np.int32))
        )

    return step


def _edits(said: Sequence[int], heard: Sequence[int]) -> int:
    """Wagner and Fischer 1974."""
    row = list(range(len(heard) + 1))
    for phone in said:
        before, row[0] = row[0], row[0] + 1
        for at, other in enumerate(heard, 1):
            before, row[at] = row[at], min(row[at] + 1, row[at - 1] + 1, before + (phone != other))
    return row[-1]


if __name__ == "__main__":
    main()
