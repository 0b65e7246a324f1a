"""The deterministic numbers that stand in for random ones in the reference cases.

Every weight, latent vector and image of a case comes from one integer hash, so that the
Rust tests can rebuild them bit by bit instead of reading them from a file. A tensor is
known by a number `t` and its elements by their flat index in the *PyTorch* layout (C order):
Linear [out, in], Conv2d [out, in, kh, kw], ConvTranspose2d [in, out, kh, kw], images NCHW.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]
Array = NDArray[np.floating]

Kind = Literal[
    "linear", "conv", "conv_transpose", "bias", "gamma", "beta", "running_mean", "running_var"
]
RUNNING: tuple[Kind, Kind] = ("running_mean", "running_var")

LATENT_NUMBER = 1000
REAL_NUMBER = 2000
PROJECTION_NUMBER = 3000
STEP_STRIDE = 100
DISCRIMINATOR_OFFSET = 500


def hash_word(number: int, index: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """The 32-bit hash behind the pattern, for tensor `number` at each flat index."""
    mask = np.uint64(0xFFFFFFFF)
    x = (index + np.uint64(1)) * np.uint64(0x9E3779B1) & mask
    x = (x + np.uint64((number + 1) * 0x85EBCA6B & 0xFFFFFFFF)) & mask
    x ^= x >> np.uint64(16)
    x = x * np.uint64(0x7FEB352D) & mask
    x ^= x >> np.uint64(15)
    x = x * np.uint64(0x846CA68B) & mask
    x ^= x >> np.uint64(16)
    return x


@cache
def pattern(number: int, count: int) -> F64:
    """`count` values in (-1, 1) for tensor `number`; exact in float64."""
    words = hash_word(number, np.arange(count, dtype=np.uint64))
    values = (words.astype(np.float64) + 0.5) / 2.0**32 * 2.0 - 1.0
    values.setflags(write=False)
    return values


@dataclass(frozen=True)
class TensorSpec:
    """One tensor of a network: its PyTorch-style name and shape, and what it is for."""

    name: str
    shape: tuple[int, ...]
    kind: Kind
    number: int
    """The formula's `t`: position in the network, plus 500 in the discriminator."""

    @property
    def trainable(self) -> bool:
        return self.kind not in RUNNING

    def initial(self) -> F32:
        """The starting value, rounded to float32 once, in the PyTorch layout."""
        u = pattern(self.number, math.prod(self.shape))
        return initial_values(self.kind, self.shape, u).astype(np.float32).reshape(self.shape)

    def project(self, values: Array) -> float:
        """Sum of `values` (PyTorch layout) times this tensor's projection pattern."""
        u = pattern(PROJECTION_NUMBER + self.number, values.size)
        return float(np.dot(values.astype(np.float64).ravel(), u))


def initial_values(kind: Kind, shape: tuple[int, ...], u: F64) -> F64:
    match kind:
        case "linear" | "conv" | "conv_transpose":
            return u * math.sqrt(6.0 / fan_sum(shape))
        case "bias" | "running_mean":
            return 0.05 * u
        case "gamma":
            return 1.0 + 0.1 * u
        case "beta":
            return 0.1 * u
        case "running_var":
            return 1.0 + 0.2 * u


def fan_sum(shape: tuple[int, ...]) -> int:
    """Keras' fan_in + fan_out of a kernel in the PyTorch layout."""
    return math.prod(shape[2:]) * (shape[0] + shape[1])


def latent(step: int, shape: tuple[int, int]) -> F32:
    u = pattern(LATENT_NUMBER + STEP_STRIDE * step, math.prod(shape))
    return (1.7 * u).astype(np.float32).reshape(shape)


def real_images(step: int, shape: tuple[int, int, int, int]) -> F32:
    """Images in NCHW."""
    u = pattern(REAL_NUMBER + STEP_STRIDE * step, math.prod(shape))
    return u.astype(np.float32).reshape(shape)


@dataclass(frozen=True)
class LayerCase:
    """A lone (transposed) convolution, with a square kernel and equal padding all round."""

    transposed: bool
    cin: int
    cout: int
    k: int
    s: int
    p: int
    h: int
    w: int

    BATCH = 2
    INPUT, WEIGHT, BIAS, OUTPUT = 10, 11, 12, 13
    INPUT_GRADIENT, WEIGHT_GRADIENT, BIAS_GRADIENT = 14, 15, 16

    @property
    def input_shape(self) -> tuple[int, int, int, int]:
        return (self.BATCH, self.cin, self.h, self.w)

    @property
    def weight_shape(self) -> tuple[int, int, int, int]:
        outer, inner = (self.cin, self.cout) if self.transposed else (self.cout, self.cin)
        return (outer, inner, self.k, self.k)

    def input(self) -> F32:
        u = pattern(self.INPUT, math.prod(self.input_shape))
        return u.astype(np.float32).reshape(self.input_shape)

    def weight(self) -> F32:
        return TensorSpec("weight", self.weight_shape, "conv", self.WEIGHT).initial()

    def bias(self) -> F32:
        return TensorSpec("bias", (self.cout,), "bias", self.BIAS).initial()


LAYER_CASES: tuple[LayerCase, ...] = tuple(
    LayerCase(transposed, *sizes)
    for transposed, shapes in (
        (
            True,
            (
                (3, 5, 3, 2, 0, 3, 3),
                (4, 2, 2, 2, 0, 7, 7),
                (4, 3, 4, 2, 1, 5, 5),
                (2, 3, 4, 3, 0, 4, 4),
                (3, 2, 3, 1, 1, 6, 6),
                (2, 4, 5, 2, 2, 5, 5),
                (3, 4, 4, 2, 1, 3, 6),
                (2, 3, 3, 2, 0, 5, 2),
                (1, 1, 5, 3, 1, 2, 4),
                (16, 8, 4, 1, 0, 1, 1),
                # The stride is beyond the kernel: some pixels get nothing.
                (2, 3, 1, 2, 0, 4, 3),
                (3, 2, 2, 3, 0, 3, 4),
            ),
        ),
        (
            False,
            (
                (3, 5, 3, 2, 0, 7, 7),
                (4, 2, 2, 2, 0, 14, 14),
                (3, 4, 4, 2, 1, 10, 10),
                (2, 3, 4, 3, 0, 13, 13),
                (3, 2, 3, 1, 1, 6, 6),
                (2, 4, 5, 2, 2, 9, 9),
                (3, 4, 4, 2, 1, 6, 12),
                (2, 3, 3, 2, 0, 11, 5),
                # The stride leaves rows and columns over at the far edges.
                (2, 3, 4, 3, 0, 12, 9),
                (8, 16, 4, 1, 0, 4, 4),
                # The stride is beyond the kernel: some pixels are not looked at.
                (2, 3, 1, 2, 0, 7, 5),
                (3, 2, 2, 3, 0, 8, 9),
            ),
        ),
    )
    for sizes in shapes
)
