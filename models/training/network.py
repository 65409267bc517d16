"""The network: a stem over time and bands, then depthwise-separable convolutions over time alone, with short cuts.

Time is where a word is, and every weight works at every frame; bands are pooled by the stem, so that the front-end
stays one. What tells of the window's end does without that stem, and keeps its frames apart. Made with Keras, whose
names are only in here, in train.py and in export.py.
"""

import keras
from keras import layers

from models.training.recipe import Network

HIGHEST_LEVEL = 11
STEM_FILTER = (5, 5)
STEM_STRIDES = (2, 2)
BANDS_POOLED = 4
"""Where there is no stem over bands."""


def build(window_frames: int, bands: int, outputs: int, sizes: Network) -> keras.Model:
    """From levels (batch, window_frames, bands, 1), as they are on the wire, to probabilities (batch, outputs)."""
    # Names of layers are in the model's file, and count on through a process: the second network's would be others.
    keras.utils.clear_session(free_memory=False)
    levels = keras.Input((window_frames, bands, 1))
    seen = levels
    if sizes.centred:
        # How loud all of it is does not matter.
        mean = keras.ops.mean(levels, axis=(1, 2), keepdims=True)
        seen = layers.Subtract()([levels, mean])
    seen = _band_channels(seen, sizes) if sizes.of_end else _stem(seen, sizes)
    for block in range(sizes.blocks):
        seen = _block(seen, sizes, halve=block in sizes.halved)
    seen = layers.Flatten()(seen) if sizes.of_end else layers.GlobalAveragePooling2D()(seen)
    seen = layers.Dropout(sizes.dropout)(seen)
    return keras.Model(levels, layers.Dense(outputs, activation="softmax")(seen))


def _band_channels(seen: keras.KerasTensor, sizes: Network) -> keras.KerasTensor:
    """Half of the frames, whose channels are mixed from all bands."""
    seen = layers.AveragePooling2D((1, BANDS_POOLED))(seen)
    seen = layers.Reshape((seen.shape[1], 1, seen.shape[2]))(seen)
    return _normalised(
        layers.Conv2D(sizes.channels, (STEM_FILTER[0], 1), (STEM_STRIDES[0], 1), "same", use_bias=False)(seen)
    )


def _stem(seen: keras.KerasTensor, sizes: Network) -> keras.KerasTensor:
    """Half of the frames, seen with their neighbours in time and bands."""
    seen = layers.AveragePooling2D((1, 2))(seen)
    seen = _normalised(layers.Conv2D(sizes.stem, STEM_FILTER, STEM_STRIDES, "same", use_bias=False)(seen))
    for filters in (sizes.stem, sizes.stem * 3 // 2):
        seen = layers.BatchNormalization(momentum=0.9)(layers.DepthwiseConv2D(3, 1, "same", use_bias=False)(seen))
        seen = _normalised(layers.Conv2D(filters, 1, use_bias=False)(seen))
        seen = layers.MaxPooling2D((1, 2))(seen)
    # The bands that are left become channels.
    frames = seen.shape[1]
    seen = layers.Reshape((frames, 1, seen.shape[2] * seen.shape[3]))(seen)
    return _normalised(layers.Conv2D(sizes.channels, 1, use_bias=False)(seen))


def _block(seen: keras.KerasTensor, sizes: Network, *, halve: bool) -> keras.KerasTensor:
    strides = (2, 1) if halve else (1, 1)
    made = layers.DepthwiseConv2D((sizes.kernel, 1), (strides[0], strides[0]), "same", use_bias=False)(seen)
    made = layers.BatchNormalization(momentum=0.9)(made)
    made = layers.Conv2D(sizes.channels, 1, use_bias=False)(made)
    made = layers.BatchNormalization(momentum=0.9)(made)
    if halve:
        return layers.ReLU()(made)
    return layers.ReLU()(layers.Add()([seen, made]))


def _normalised(seen: keras.KerasTensor) -> keras.KerasTensor:
    return layers.ReLU()(layers.BatchNormalization(momentum=0.9)(seen))
