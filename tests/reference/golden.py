"""Reference numbers for the GAN trainer, from Keras on TensorFlow.

What this proves: a framework of independent origin (the one the DCGAN blog post was written
for), given the same starting weights, latent vectors and images, arrives at the same fake
images, logits, losses, gradients, updated weights and running statistics over three training
steps of three GANs, and at the same outputs and gradients of lone (transposed) convolutions.
The numbers are computed twice, in float32 and in float64. The float64 ones are reported; the
largest differences between the two say how close a float32 implementation can be held.

Everything is reported in the PyTorch layout under PyTorch-style names. Weights and inputs
follow `formula.py`; `numpy_check.py` holds the output to a second implementation.

How to run, from the root of the repository:

    python3 -m venv venv
    venv/bin/pip install "tensorflow-cpu==2.21.*" "keras==3.15.*"
    venv/bin/python tests/reference/golden.py

It rewrites `blog.json`, `dcgan.json`, `mlp.json` and `layers.json` beside itself.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, Protocol

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["TF_ENABLE_ONEDNN_OPTS"] = "0"
os.environ["CUDA_VISIBLE_DEVICES"] = ""
os.environ["KERAS_BACKEND"] = "tensorflow"

import keras
import numpy as np
import tensorflow as tf
from keras import layers

from formula import (
    DISCRIMINATOR_OFFSET,
    LAYER_CASES,
    Array,
    Kind,
    LayerCase,
    TensorSpec,
    hash_word,
    latent,
    pattern,
    real_images,
)

Json = dict[str, Any]
Dtype = Literal["float32", "float64"]
Image = tuple[int, int, int]
"""Height, width, channels."""

HERE = Path(__file__).parent
STEPS = 3
FAKE_SAMPLES = 32
LAYER_SAMPLES = 8
NUDGE = 3e-7
NUDGED_RUNS = 12
ILL_CONDITIONED = 1e-3
ZERO_GRADIENT = 1e-12


# --- Layouts -----------------------------------------------------------------------------


def to_keras(kind: Kind, value: Array) -> Array:
    """From the PyTorch layout to Keras'."""
    match kind:
        case "linear":
            return value.transpose(1, 0)
        case "conv" | "conv_transpose":
            # [out, in, h, w] -> [h, w, in, out]; [in, out, h, w] -> [h, w, out, in].
            return value.transpose(2, 3, 1, 0)
        case _:
            return value


def to_torch(kind: Kind, value: Array) -> Array:
    """From Keras' layout to PyTorch's."""
    match kind:
        case "linear":
            return value.transpose(1, 0)
        case "conv" | "conv_transpose":
            return value.transpose(3, 2, 0, 1)
        case _:
            return value


def nchw(images: Array) -> Array:
    return images.transpose(0, 3, 1, 2)


def nhwc(images: Array) -> Array:
    return images.transpose(0, 2, 3, 1)


def use_dtype(dtype: Dtype) -> None:
    keras.config.set_floatx(dtype)
    # The policy of new layers is remembered from the first one made.
    keras.config.set_dtype_policy(dtype)


def check_conventions() -> None:
    """Holds Keras' convolutions to tiny results worked out by hand."""

    def count_up(side: int) -> Array:
        return np.arange(1, side * side + 1, dtype=np.float32).reshape(side, side)

    def apply(layer: keras.Layer, image: Array, kernel: Array) -> Array:
        layer.build((1, *image.shape, 1))
        layer.kernel.assign(kernel[:, :, None, None])
        return np.asarray(layer(image[None, :, :, None]))[0, :, :, 0]

    # A transposed convolution adds a copy of the unflipped kernel for each input pixel.
    valid = layers.Conv2DTranspose(1, 3, strides=2, padding="valid", use_bias=False)
    np.testing.assert_array_equal(
        apply(valid, count_up(2), count_up(3)),
        [
            [1, 2, 5, 4, 6],
            [4, 5, 14, 10, 12],
            [10, 14, 36, 24, 30],
            [12, 15, 34, 20, 24],
            [21, 24, 55, 32, 36],
        ],
    )
    # With kernel 4 and stride 2, "same" crops one pixel on every side: PyTorch's padding=1.
    same = layers.Conv2DTranspose(1, 4, strides=2, padding="same", use_bias=False)
    np.testing.assert_array_equal(
        apply(same, count_up(2), count_up(4)),
        [[6, 17, 20, 14], [16, 42, 52, 34], [32, 82, 92, 58], [30, 69, 76, 44]],
    )
    # And in the forward direction it pads one pixel on every side, again PyTorch's padding=1.
    conv = layers.Conv2D(1, 4, strides=2, padding="same", use_bias=False)
    np.testing.assert_array_equal(apply(conv, count_up(4), count_up(4)), [[696, 732], [732, 696]])


# --- Networks ----------------------------------------------------------------------------


def snapshot(variable: keras.Variable) -> Array:
    """A copy that later training leaves alone."""
    return np.array(keras.ops.convert_to_numpy(variable))


Named = tuple[str | None, keras.Layer]
"""A layer and the PyTorch-style prefix of its tensors, if it has any."""


@dataclass(frozen=True)
class Tensor:
    spec: TensorSpec
    variable: keras.Variable

    def load(self) -> None:
        self.variable.assign(to_keras(self.spec.kind, self.spec.initial()))

    def nudge(self, rng: np.random.Generator) -> None:
        """Moves the value by about float32's relative precision."""
        noise = rng.standard_normal(self.variable.shape)
        self.variable.assign(snapshot(self.variable) * (1.0 + NUDGE * noise))

    def value(self) -> Array:
        return to_torch(self.spec.kind, snapshot(self.variable))


class Network:
    """A Keras model whose tensors are listed in PyTorch's order."""

    def __init__(self, inputs: tuple[int, ...], stack: Sequence[Named], offset: int = 0) -> None:
        self.model = keras.Sequential([keras.Input(inputs), *(layer for _, layer in stack)])
        self.tensors = list(self._name_tensors(stack, offset))
        assert len(self.tensors) == len(self.model.weights)
        for tensor in self.tensors:
            tensor.load()

    @staticmethod
    def _name_tensors(stack: Sequence[Named], offset: int) -> Iterator[Tensor]:
        number = offset
        for prefix, layer in stack:
            for suffix, kind, variable in layer_tensors(layer):
                assert prefix is not None
                shape = to_torch(kind, snapshot(variable)).shape
                yield Tensor(TensorSpec(f"{prefix}.{suffix}", shape, kind, number), variable)
                number += 1

    @property
    def trainable(self) -> list[Tensor]:
        return [tensor for tensor in self.tensors if tensor.spec.trainable]

    @property
    def variables(self) -> list[keras.Variable]:
        return [tensor.variable for tensor in self.trainable]

    def __call__(self, inputs: Array | tf.Tensor) -> tf.Tensor:
        """A training pass: batch statistics, which also move the running ones."""
        return self.model(inputs, training=True)

    def without_moving_statistics(self, inputs: tf.Tensor) -> tf.Tensor:
        """A training pass that leaves the running statistics as they were."""
        running = [tensor.variable for tensor in self.tensors if not tensor.spec.trainable]
        saved = [snapshot(variable) for variable in running]
        outputs = self(inputs)
        for variable, value in zip(running, saved, strict=True):
            variable.assign(value)
        return outputs

    def gradients_to_torch(self, gradients: Iterable[tf.Tensor]) -> dict[str, Array]:
        return {
            tensor.spec.name: to_torch(tensor.spec.kind, np.asarray(gradient))
            for tensor, gradient in zip(self.trainable, gradients, strict=True)
        }

    def values(self) -> dict[str, Array]:
        return {tensor.spec.name: tensor.value() for tensor in self.tensors}


def layer_tensors(layer: keras.Layer) -> Iterator[tuple[str, Kind, keras.Variable]]:
    """A layer's tensors in PyTorch's order: suffix of the name, kind, variable."""
    match layer:
        case layers.BatchNormalization():
            yield "weight", "gamma", layer.gamma
            yield "bias", "beta", layer.beta
            yield "running_mean", "running_mean", layer.moving_mean
            yield "running_var", "running_var", layer.moving_variance
            return
        case layers.Dense():
            yield "weight", "linear", layer.kernel
        case layers.Conv2DTranspose():
            yield "weight", "conv_transpose", layer.kernel
        case layers.Conv2D():
            yield "weight", "conv", layer.kernel
        case _:
            return
    if layer.use_bias:
        yield "bias", "bias", layer.bias


# --- Losses and optimisers ---------------------------------------------------------------

Loss = Callable[[tf.Tensor], tf.Tensor]


def bce_to_one(logits: tf.Tensor) -> tf.Tensor:
    return keras.losses.binary_crossentropy(
        tf.ones_like(logits), logits, from_logits=True, axis=None
    )


def bce_to_zero(logits: tf.Tensor) -> tf.Tensor:
    return keras.losses.binary_crossentropy(
        tf.zeros_like(logits), logits, from_logits=True, axis=None
    )


def log_one_minus_sigmoid(logits: tf.Tensor) -> tf.Tensor:
    """The minimax loss of the generator: mean log(1 - sigmoid(x))."""
    return tf.reduce_mean(-tf.math.softplus(logits))


class Optimizer(Protocol):
    def apply(self, network: Network, gradients: Sequence[tf.Tensor]) -> None: ...


class KerasAdam:
    """Keras' own Adam: epsilon is added before the bias correction of the root.

    Keras takes plain Python betas through float32 whatever the float type, which shifts
    1 - 0.999 by 1.3e-5 of itself; tensors keep the float64 run exact.
    """

    def __init__(self, lr: float, beta1: float, beta2: float, eps: float) -> None:
        self._inner = keras.optimizers.Adam(lr, epsilon=eps)
        dtype = keras.config.floatx()
        self._inner.beta_1 = keras.ops.convert_to_tensor(beta1, dtype=dtype)
        self._inner.beta_2 = keras.ops.convert_to_tensor(beta2, dtype=dtype)

    def apply(self, network: Network, gradients: Sequence[tf.Tensor]) -> None:
        self._inner.apply(gradients, network.variables)


class TorchAdam:
    """PyTorch's Adam: p -= lr * m_hat / (sqrt(v_hat) + eps)."""

    def __init__(self, lr: float, beta1: float, beta2: float, eps: float) -> None:
        self._lr, self._beta1, self._beta2, self._eps = lr, beta1, beta2, eps
        self._step = 0
        self._moments: list[tuple[Array, Array]] = []

    def apply(self, network: Network, gradients: Sequence[tf.Tensor]) -> None:
        self._step += 1
        arrays = [np.asarray(gradient) for gradient in gradients]
        if not self._moments:
            self._moments = [(np.zeros_like(g), np.zeros_like(g)) for g in arrays]
        correction1 = 1.0 - self._beta1**self._step
        correction2 = 1.0 - self._beta2**self._step
        for variable, g, (m, v) in zip(network.variables, arrays, self._moments, strict=True):
            m += (1.0 - self._beta1) * (g - m)
            v += (1.0 - self._beta2) * (g * g - v)
            root = np.sqrt(v / correction2) + self._eps
            variable.assign(snapshot(variable) - self._lr * (m / correction1) / root)


# --- Cases -------------------------------------------------------------------------------


@dataclass(frozen=True)
class AdamConfig:
    formula: Literal["keras", "pytorch"]
    lr: float
    beta1: float
    beta2: float
    eps: float

    def build(self) -> Optimizer:
        adam = KerasAdam if self.formula == "keras" else TorchAdam
        return adam(self.lr, self.beta1, self.beta2, self.eps)


@dataclass(frozen=True)
class Config:
    name: str
    batch: int
    latent: int
    image: Image
    update: Literal["simultaneous", "alternating"]
    generator_loss: Literal["non_saturating", "minimax"]
    adam: AdamConfig
    network: dict[str, Any]
    """What the networks' builder needs to know."""


@dataclass(frozen=True)
class Case:
    config: Config
    generator: Callable[[Config], list[Named]]
    discriminator: Callable[[Config], list[Named]]

    def build(self) -> tuple[Network, Network]:
        config = self.config
        return (
            Network((config.latent,), self.generator(config)),
            Network(config.image, self.discriminator(config), DISCRIMINATOR_OFFSET),
        )


def batch_norm(config: Config) -> keras.Layer:
    return layers.BatchNormalization(
        momentum=config.network["norm_momentum"], epsilon=config.network["norm_epsilon"]
    )


def leaky_relu(config: Config) -> keras.Layer:
    """LeakyReLU with an exact slope: TensorFlow's own holds it as a float32 even for float64."""
    slope = config.network["leaky_slope"]
    return layers.Activation(lambda x: keras.ops.maximum(x, slope * x))


def blog_generator(config: Config) -> list[Named]:
    return [
        ("linear", layers.Dense(3 * 3 * 512)),
        (None, layers.Reshape((3, 3, 512))),
        ("conv1", layers.Conv2DTranspose(256, 3, strides=2)),
        (None, layers.ReLU()),
        ("norm1", batch_norm(config)),
        ("conv2", layers.Conv2DTranspose(128, 2, strides=2)),
        (None, layers.ReLU()),
        ("norm2", batch_norm(config)),
        ("conv3", layers.Conv2DTranspose(64, 2, strides=2)),
        (None, layers.Activation("tanh")),
        ("pixel", layers.Dense(1)),
    ]


def blog_discriminator(config: Config) -> list[Named]:
    return [
        ("conv1", layers.Conv2D(64, 4, strides=2)),
        (None, layers.ReLU()),
        ("norm1", batch_norm(config)),
        ("conv2", layers.Conv2D(128, 4, strides=3)),
        (None, layers.ReLU()),
        ("norm2", batch_norm(config)),
        ("conv3", layers.Conv2D(256, 4, strides=3)),
        (None, layers.ReLU()),
        (None, layers.Flatten()),
        ("linear", layers.Dense(1)),
    ]


def dcgan_generator(config: Config) -> list[Named]:
    c = config.network["base_channels"]
    return [
        ("linear", layers.Dense(7 * 7 * 2 * c, use_bias=False)),
        (None, layers.Reshape((7, 7, 2 * c))),
        ("norm", batch_norm(config)),
        (None, layers.ReLU()),
        ("convs.0", layers.Conv2DTranspose(c, 4, strides=2, padding="same", use_bias=False)),
        ("norms.0", batch_norm(config)),
        (None, layers.ReLU()),
        ("output", layers.Conv2DTranspose(1, 4, strides=2, padding="same")),
        (None, layers.Activation("tanh")),
    ]


def dcgan_discriminator(config: Config) -> list[Named]:
    c = config.network["base_channels"]
    return [
        ("input", layers.Conv2D(c, 4, strides=2, padding="same")),
        (None, leaky_relu(config)),
        ("convs.0", layers.Conv2D(2 * c, 4, strides=2, padding="same", use_bias=False)),
        ("norms.0", batch_norm(config)),
        (None, leaky_relu(config)),
        (None, layers.Flatten()),
        ("linear", layers.Dense(1)),
    ]


def mlp_generator(config: Config) -> list[Named]:
    stack: list[Named] = []
    for index, size in enumerate(config.network["generator_hidden"]):
        stack += [(f"hidden.{index}", layers.Dense(size)), (None, layers.ReLU())]
    # With one channel, NCHW and NHWC images have the same flat order.
    return [
        *stack,
        ("output", layers.Dense(math.prod(config.image))),
        (None, layers.Activation("tanh")),
        (None, layers.Reshape(config.image)),
    ]


def mlp_discriminator(config: Config) -> list[Named]:
    stack: list[Named] = [(None, layers.Flatten())]
    for index, size in enumerate(config.network["discriminator_hidden"]):
        stack += [(f"hidden.{index}", layers.Dense(size)), (None, leaky_relu(config))]
    return [*stack, ("output", layers.Dense(1))]


CASES = (
    Case(
        Config(
            name="blog",
            batch=8,
            latent=100,
            image=(28, 28, 1),
            update="simultaneous",
            generator_loss="non_saturating",
            adam=AdamConfig("keras", 1e-4, 0.9, 0.999, 1e-7),
            network={"norm_momentum": 0.99, "norm_epsilon": 1e-3},
        ),
        blog_generator,
        blog_discriminator,
    ),
    Case(
        Config(
            name="dcgan",
            batch=6,
            latent=16,
            image=(28, 28, 1),
            update="alternating",
            generator_loss="non_saturating",
            adam=AdamConfig("pytorch", 2e-4, 0.5, 0.999, 1e-8),
            network={
                "base_channels": 8,
                "leaky_slope": 0.2,
                "norm_momentum": 0.9,
                "norm_epsilon": 1e-5,
            },
        ),
        dcgan_generator,
        dcgan_discriminator,
    ),
    Case(
        Config(
            name="mlp",
            batch=6,
            latent=16,
            image=(28, 28, 1),
            update="simultaneous",
            generator_loss="minimax",
            adam=AdamConfig("pytorch", 2e-4, 0.5, 0.999, 1e-8),
            network={
                "generator_hidden": [32, 48],
                "discriminator_hidden": [48, 32],
                "leaky_slope": 0.2,
            },
        ),
        mlp_generator,
        mlp_discriminator,
    ),
)


# --- Training steps ----------------------------------------------------------------------


@dataclass(frozen=True)
class Step:
    """What one training step computed, before anything is reported."""

    fake: tf.Tensor
    logits: dict[str, tf.Tensor]
    d_loss: tf.Tensor
    g_loss: tf.Tensor
    d_gradients: list[tf.Tensor]
    g_gradients: list[tf.Tensor]


@dataclass(frozen=True)
class Trainer:
    generator: Network
    discriminator: Network
    g_optimizer: Optimizer
    d_optimizer: Optimizer
    generator_loss: Loss

    def simultaneous(self, z: Array, real: Array) -> Step:
        """Both gradients come from one pass, before either network moves."""
        with tf.GradientTape(persistent=True) as tape:
            fake = self.generator(z)
            on_fake = self.discriminator(fake)
            on_real = self.discriminator(real)
            g_loss = self.generator_loss(on_fake)
            d_loss = bce_to_zero(on_fake) + bce_to_one(on_real)
        g_gradients = tape.gradient(g_loss, self._tracked(self.generator))
        d_gradients = tape.gradient(d_loss, self._tracked(self.discriminator))
        self.g_optimizer.apply(self.generator, g_gradients)
        self.d_optimizer.apply(self.discriminator, d_gradients)
        logits = {"fake": on_fake, "real": on_real}
        return Step(fake, logits, d_loss, g_loss, d_gradients, g_gradients)

    def alternating(self, z: Array, real: Array) -> Step:
        """The discriminator moves first; the same fakes then face the new one."""
        with tf.GradientTape() as g_tape:
            fake = self.generator(z)
        detached = tf.stop_gradient(fake)
        with tf.GradientTape() as d_tape:
            on_fake = self.discriminator(detached)
            on_real = self.discriminator(real)
            d_loss = bce_to_zero(on_fake) + bce_to_one(on_real)
        d_gradients = d_tape.gradient(d_loss, self._tracked(self.discriminator))
        self.d_optimizer.apply(self.discriminator, d_gradients)

        with tf.GradientTape() as image_tape:
            image_tape.watch(detached)
            on_fake_again = self.discriminator.without_moving_statistics(detached)
            g_loss = self.generator_loss(on_fake_again)
        image_gradient = image_tape.gradient(g_loss, detached)
        g_gradients = g_tape.gradient(fake, self._tracked(self.generator), image_gradient)
        self.g_optimizer.apply(self.generator, g_gradients)
        logits = {"fake": on_fake, "real": on_real, "fake_for_generator": on_fake_again}
        return Step(fake, logits, d_loss, g_loss, d_gradients, g_gradients)

    @staticmethod
    def _tracked(network: Network) -> list[tf.Variable]:
        return [variable.value for variable in network.variables]


# --- Reports -----------------------------------------------------------------------------


def norm(values: Array) -> float:
    return float(np.linalg.norm(values.astype(np.float64).ravel()))


def summary(spec: TensorSpec, values: Array) -> dict[str, float]:
    return {"norm": norm(values), "projection": spec.project(values)}


def spread(count: int, wanted: int) -> list[int]:
    """`wanted` indices from the first to the last of `count`, evenly spread."""
    return [index * (count - 1) // (wanted - 1) for index in range(wanted)]


def samples(values: Array, wanted: int) -> list[list[float]]:
    flat = values.ravel()
    return [[index, float(flat[index])] for index in spread(flat.size, wanted)]


def report_tensors(
    network: Network, gradients: dict[str, Array], before: dict[str, Array]
) -> list[Json]:
    rows = []
    after = network.values()
    for spec in (tensor.spec for tensor in network.tensors):
        row: Json = {"name": spec.name}
        if spec.trainable:
            row["gradient"] = summary(spec, gradients[spec.name])
        row["value"] = summary(spec, after[spec.name])
        row["update"] = summary(spec, after[spec.name] - before[spec.name])
        rows.append(row)
    return rows


def first_trainer(case: Case, dtype: Dtype, nudge_seed: int | None) -> Trainer:
    """Networks with the formula's tensors, nudged where a seed is given, and new optimizers."""
    use_dtype(dtype)
    config = case.config
    generator, discriminator = case.build()
    if nudge_seed is not None:
        rng = np.random.default_rng(nudge_seed)
        for tensor in (*generator.tensors, *discriminator.tensors):
            tensor.nudge(rng)
    return Trainer(
        generator,
        discriminator,
        config.adam.build(),
        config.adam.build(),
        bce_to_one if config.generator_loss == "non_saturating" else log_one_minus_sigmoid,
    )


def step_inputs(config: Config, index: int, dtype: Dtype) -> tuple[Array, Array]:
    """Noise, and real images in Keras' layout, for step number `index`."""
    height, width, channels = config.image
    z = latent(index, (config.batch, config.latent)).astype(dtype)
    real = real_images(index, (config.batch, channels, height, width)).astype(dtype)
    return z, nhwc(real)


def run_case(case: Case, dtype: Dtype, nudge_seed: int | None = None) -> Json:
    config = case.config
    trainer = first_trainer(case, dtype, nudge_seed)
    generator, discriminator = trainer.generator, trainer.discriminator
    advance = getattr(trainer, config.update)

    fake_report: Json = {}
    steps = []
    for index in range(STEPS):
        g_before, d_before = generator.values(), discriminator.values()
        step: Step = advance(*step_inputs(config, index, dtype))
        assert step.fake.dtype == dtype
        if index == 0:
            fake = nchw(np.asarray(step.fake))
            fake_report = {
                "samples": samples(fake, FAKE_SAMPLES),
                "mean": float(fake.mean(dtype=np.float64)),
                "std": float(fake.std(dtype=np.float64)),
            }
        g_gradients = generator.gradients_to_torch(step.g_gradients)
        d_gradients = discriminator.gradients_to_torch(step.d_gradients)
        steps.append(
            {
                "logits": {
                    name: [float(x) for x in np.asarray(logits).ravel()]
                    for name, logits in step.logits.items()
                },
                "d_loss": float(step.d_loss),
                "g_loss": float(step.g_loss),
                "generator": report_tensors(generator, g_gradients, g_before),
                "discriminator": report_tensors(discriminator, d_gradients, d_before),
            }
        )
    return {
        "case": config.name,
        "config": {**asdict(config), "steps": STEPS},
        "tensors": {
            "generator": [asdict(tensor.spec) for tensor in generator.tensors],
            "discriminator": [asdict(tensor.spec) for tensor in discriminator.tensors],
        },
        "fake": fake_report,
        "steps": steps,
    }


# --- How exact the numbers are -----------------------------------------------------------


@dataclass(frozen=True)
class Difference:
    quantity: str
    step: int
    tensor: str
    relative: float


def tensor_differences(step: int, network: str, low: Json, high: Json) -> Iterator[Difference]:
    """Differences of norms and projections, both relative to the float64 norm."""
    tensor = f"{network}.{high['name']}"
    running = "gradient" not in high
    for what in ("gradient", "value", "update"):
        if what not in high:
            continue
        scale = high[what]["norm"]
        for number in ("norm", "projection"):
            relative = abs(low[what][number] - high[what][number]) / scale
            quantity = f"running_{what}_{number}" if running else f"{what}_{number}"
            yield Difference(quantity, step, tensor, relative)


def case_differences(low: Json, high: Json) -> Iterator[Difference]:
    std = high["fake"]["std"]
    for (_, a), (_, b) in zip(low["fake"]["samples"], high["fake"]["samples"], strict=True):
        yield Difference("fake_samples_over_std", 0, "", abs(a - b) / std)
    for number in ("mean", "std"):
        gap = abs(low["fake"][number] - high["fake"][number])
        yield Difference(f"fake_{number}_over_std", 0, "", gap / std)
    for index, (a, b) in enumerate(zip(low["steps"], high["steps"], strict=True)):
        for name, logits in b["logits"].items():
            gaps = np.abs(np.subtract(a["logits"][name], logits))
            relative = float(gaps.max() / np.abs(logits).max())
            yield Difference(f"logits_{name}_over_largest", index, "", relative)
        for loss in ("d_loss", "g_loss"):
            yield Difference(loss, index, "", abs(a[loss] - b[loss]) / abs(b[loss]))
        for network in ("generator", "discriminator"):
            for low_row, high_row in zip(a[network], b[network], strict=True):
                yield from tensor_differences(index, network, low_row, high_row)


def largest(differences: Iterable[Difference]) -> Json:
    table: Json = {}
    for difference in differences:
        per_step = table.setdefault(difference.quantity, {})
        key = str(difference.step)
        per_step[key] = max(per_step.get(key, 0.0), difference.relative)
    return {quantity: list(per_step.values()) for quantity, per_step in table.items()}


def ill_conditioned(differences: Iterable[Difference]) -> list[Json]:
    """What differs so much that float32 alone cannot hold it, worst first."""
    worst: dict[tuple[str, int, str], Difference] = {}
    for difference in differences:
        key = (difference.quantity, difference.step, difference.tensor)
        if difference.relative > max(ILL_CONDITIONED, worst[key].relative if key in worst else 0):
            worst[key] = difference
    return [asdict(d) for d in sorted(worst.values(), key=lambda d: -d.relative)]


def zero_gradients(report: Json) -> Iterator[Json]:
    """Tensors whose gradient is zero but for rounding, as before a BatchNorm."""
    for index, step in enumerate(report["steps"]):
        for network in ("generator", "discriminator"):
            rows = [row for row in step[network] if "gradient" in row]
            limit = ZERO_GRADIENT * max(row["gradient"]["norm"] for row in rows)
            for row in rows:
                if row["gradient"]["norm"] <= limit:
                    yield {"step": index, "tensor": f"{network}.{row['name']}"}


def golden_case(case: Case) -> Json:
    """The float64 report, and how far it moves in float32 or under a nudge.

    Pre-activations close to a ReLU's kink and gradients close to Adam's epsilon make some
    numbers jump at a touch, which one float32 run may happen to miss. So the case also runs
    several times in float64 with its starting tensors moved by a relative `NUDGE`.
    """
    high = run_case(case, "float64")
    differences = list(case_differences(run_case(case, "float32"), high))
    nudged = [
        difference
        for seed in range(NUDGED_RUNS)
        for difference in case_differences(run_case(case, "float64", seed), high)
    ]
    return {
        **high,
        "float32_differences": largest(differences),
        "nudged_differences": largest(nudged),
        "ill_conditioned": ill_conditioned([*differences, *nudged]),
        "zero_gradients": list(zero_gradients(high)),
    }


# --- Lone layers -------------------------------------------------------------------------


def run_layer(case: LayerCase, dtype: Dtype) -> Json:
    use_dtype(dtype)
    inputs = tf.constant(nhwc(case.input().astype(dtype)))
    kind: Kind = "conv_transpose" if case.transposed else "conv"
    make = layers.Conv2DTranspose if case.transposed else layers.Conv2D
    layer = make(case.cout, case.k, strides=case.s, padding="valid")
    layer.build(inputs.shape)
    layer.kernel.assign(to_keras(kind, case.weight()))
    layer.bias.assign(case.bias())

    # PyTorch's padding, spelt out: crop what a transposed convolution writes outside the
    # image, pad what a convolution reads outside it.
    edges = [[0, 0], [case.p, case.p], [case.p, case.p], [0, 0]]
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        if case.transposed:
            # Where the stride is beyond the kernel, Keras adds pixels at the far edges that got nothing.
            ends = [(side - 1) * case.s + case.k - case.p for side in inputs.shape[1:3]]
            outputs = layer(inputs)[:, case.p : ends[0], case.p : ends[1]]
        else:
            outputs = layer(tf.pad(inputs, edges))
    shape = (case.BATCH, case.cout, outputs.shape[1], outputs.shape[2])
    output = TensorSpec("output", shape, kind, case.OUTPUT)
    upstream = pattern(case.OUTPUT, math.prod(shape)).reshape(shape).astype(dtype)
    sources = [inputs, layer.kernel.value, layer.bias.value]
    by_input, by_weight, by_bias = tape.gradient(outputs, sources, tf.constant(nhwc(upstream)))

    assert outputs.dtype == dtype
    values = nchw(np.asarray(outputs))
    return {
        **asdict(case),
        "output_shape": list(output.shape),
        "samples": samples(values, LAYER_SAMPLES),
        "output": plain_summary(case.OUTPUT, values),
        "input_gradient": plain_summary(case.INPUT_GRADIENT, nchw(np.asarray(by_input))),
        "weight_gradient": plain_summary(
            case.WEIGHT_GRADIENT, to_torch(kind, np.asarray(by_weight))
        ),
        "bias_gradient": plain_summary(case.BIAS_GRADIENT, np.asarray(by_bias)),
    }


def plain_summary(number: int, values: Array) -> dict[str, float]:
    """Norm, and projection onto the pattern of tensor `number` itself."""
    flat = values.astype(np.float64).ravel()
    return {"norm": norm(values), "projection": float(np.dot(flat, pattern(number, flat.size)))}


def layer_differences(low: Json, high: Json) -> Iterator[Difference]:
    for what in ("output", "input_gradient", "weight_gradient", "bias_gradient"):
        for number in ("norm", "projection"):
            gap = abs(low[what][number] - high[what][number])
            yield Difference(f"{what}_{number}", 0, "", gap / high[what]["norm"])


def golden_layers() -> Json:
    rows = [(run_layer(case, "float32"), run_layer(case, "float64")) for case in LAYER_CASES]
    differences = [d for low, high in rows for d in layer_differences(low, high)]
    return {
        "formula": [formula_sample(t, i) for t in (0, 7, 500, 1100, 3513) for i in (0, 1, 4607)],
        "layers": [high for _, high in rows],
        "float32_differences": {key: values[0] for key, values in largest(differences).items()},
    }


def formula_sample(number: int, index: int) -> Json:
    word = hash_word(number, np.array([index], dtype=np.uint64))
    return {"t": number, "i": index, "x": int(word[0]), "u": float(pattern(number, index + 1)[-1])}


# --- Output ------------------------------------------------------------------------------


def rounded(value: Any) -> Any:
    """The same JSON value with nine significant digits."""
    match value:
        case float():
            return float(f"{value:.9g}")
        case dict():
            return {key: rounded(item) for key, item in value.items()}
        case list() | tuple():
            return [rounded(item) for item in value]
        case _:
            return value


def write_json(name: str, report: Json) -> None:
    path = HERE / f"{name}.json"
    path.write_text(render(rounded(report)) + "\n", encoding="utf-8")
    print(f"{path.name}: {path.stat().st_size / 1000:.0f} kB")


def render(value: Any, indent: int = 0) -> str:
    """Indented JSON in which whatever fits on a line stays on one."""
    flat = json.dumps(value, allow_nan=False)
    if len(flat) + 2 * indent <= 100 or not isinstance(value, dict | list):
        return flat
    margin = "  " * (indent + 1)
    if isinstance(value, dict):
        items = [f"{json.dumps(key)}: {render(item, indent + 1)}" for key, item in value.items()]
        left, right = "{", "}"
    else:
        items = [render(item, indent + 1) for item in value]
        left, right = "[", "]"
    body = ",\n".join(margin + item for item in items)
    return f"{left}\n{body}\n{'  ' * indent}{right}"


def main() -> None:
    check_conventions()
    write_json("layers", golden_layers())
    for case in CASES:
        write_json(case.config.name, golden_case(case))


if __name__ == "__main__":
    main()
