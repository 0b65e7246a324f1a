"""Holds the reference numbers to a second implementation, in plain numpy.

What this proves: `blog.json`, `dcgan.json`, `mlp.json` and `layers.json` do not rest on a
misreading of Keras. Here the networks, their gradients and both kinds of Adam are written out
by hand in float64 and straight in the PyTorch layout, with convolutions as sums over kernel
taps; only the starting numbers (`formula.py`) and the shape of the report are shared with
`golden.py`.

How to run, from the root of the repository, with any Python that has numpy:

    python3 tests/reference/numpy_check.py

It prints the largest relative difference per kind of number and fails above 1e-7.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from formula import (
    DISCRIMINATOR_OFFSET,
    F64,
    LAYER_CASES,
    Kind,
    LayerCase,
    TensorSpec,
    latent,
    pattern,
    real_images,
)

Json = dict[str, Any]
Backward = Callable[[F64], F64]
Layer = Callable[["Net", F64], tuple[F64, Backward]]
"""Maps the input to the output and to a function from output to input gradients."""

HERE = Path(__file__).parent
TOLERANCE = 1e-7


# --- Networks ----------------------------------------------------------------------------


@dataclass
class Net:
    layers: list[Layer]
    specs: list[TensorSpec]
    values: dict[str, F64]
    gradients: dict[str, F64] = field(default_factory=dict)
    moving: bool = True
    """Whether passes move the running statistics."""

    def forward(self, x: F64) -> tuple[F64, Backward]:
        backwards: list[Backward] = []
        for layer in self.layers:
            x, backward = layer(self, x)
            backwards.append(backward)

        def back(gradient: F64) -> F64:
            for backward in reversed(backwards):
                gradient = backward(gradient)
            return gradient

        return x, back

    def clear(self) -> None:
        self.gradients = {s.name: np.zeros(s.shape) for s in self.specs if s.trainable}


def network(
    layers: list[Layer], shapes: list[tuple[str, tuple[int, ...], Kind]], offset: int
) -> Net:
    specs = [
        TensorSpec(name, shape, kind, offset + number)
        for number, (name, shape, kind) in enumerate(shapes)
    ]
    net = Net(layers, specs, {spec.name: spec.initial().astype(np.float64) for spec in specs})
    net.clear()
    return net


# --- Layers ------------------------------------------------------------------------------


def correlate(x: F64, w: F64, stride: int, pad: int) -> F64:
    """A convolution, w[out, in, h, w]: a sum over the kernel's taps."""
    x = np.pad(x, ((0, 0), (0, 0), (pad, pad), (pad, pad)))
    k = w.shape[2]
    height, width = ((size - k) // stride + 1 for size in x.shape[2:])
    y = np.zeros((x.shape[0], w.shape[0], height, width))
    for ky in range(k):
        for kx in range(k):
            taps = x[:, :, ky : ky + stride * height : stride, kx : kx + stride * width : stride]
            taps = taps[:, :, :height, :width]
            y += np.einsum("bihw,oi->bohw", taps, w[:, :, ky, kx], optimize=True)
    return y


def scatter(x: F64, w: F64, stride: int, pad: int, size: tuple[int, int]) -> F64:
    """A transposed convolution, w[in, out, h, w]: a copy of the kernel for each pixel."""
    k = w.shape[2]
    height, width = x.shape[2:]
    y = np.zeros((x.shape[0], w.shape[1], size[0] + 2 * pad, size[1] + 2 * pad))
    for ky in range(k):
        for kx in range(k):
            copies = np.einsum("bihw,io->bohw", x, w[:, :, ky, kx], optimize=True)
            rows = slice(ky, ky + stride * (height - 1) + 1, stride)
            columns = slice(kx, kx + stride * (width - 1) + 1, stride)
            y[:, :, rows, columns] += copies
    return y[:, :, pad : pad + size[0], pad : pad + size[1]]


def tap_products(small: F64, large: F64, k: int, stride: int, pad: int) -> F64:
    """Kernel gradient [channels of small, of large, h, w] of either kind of convolution."""
    large = np.pad(large, ((0, 0), (0, 0), (pad, pad), (pad, pad)))
    height, width = small.shape[2:]
    gradient = np.zeros((small.shape[1], large.shape[1], k, k))
    for ky in range(k):
        for kx in range(k):
            rows = slice(ky, ky + stride * (height - 1) + 1, stride)
            columns = slice(kx, kx + stride * (width - 1) + 1, stride)
            gradient[:, :, ky, kx] = np.einsum(
                "bihw,bohw->io", small, large[:, :, rows, columns], optimize=True
            )
    return gradient


def add_bias(net: Net, name: str, y: F64) -> F64:
    bias = net.values.get(f"{name}.bias")
    return y if bias is None else y + bias[:, None, None]


def keep_bias_gradient(net: Net, name: str, gradient: F64) -> None:
    if f"{name}.bias" in net.values:
        net.gradients[f"{name}.bias"] += gradient.sum((0, 2, 3))


def conv(name: str, stride: int, pad: int = 0) -> Layer:
    def layer(net: Net, x: F64) -> tuple[F64, Backward]:
        w = net.values[f"{name}.weight"]
        y = add_bias(net, name, correlate(x, w, stride, pad))

        def backward(gradient: F64) -> F64:
            net.gradients[f"{name}.weight"] += tap_products(gradient, x, w.shape[2], stride, pad)
            keep_bias_gradient(net, name, gradient)
            return scatter(gradient, w, stride, pad, x.shape[2:])

        return y, backward

    return layer


def conv_transpose(name: str, stride: int, pad: int = 0) -> Layer:
    def layer(net: Net, x: F64) -> tuple[F64, Backward]:
        w = net.values[f"{name}.weight"]
        k = w.shape[2]
        height, width = ((size - 1) * stride - 2 * pad + k for size in x.shape[2:])
        y = add_bias(net, name, scatter(x, w, stride, pad, (height, width)))

        def backward(gradient: F64) -> F64:
            net.gradients[f"{name}.weight"] += tap_products(x, gradient, k, stride, pad)
            keep_bias_gradient(net, name, gradient)
            return correlate(gradient, w, stride, pad)

        return y, backward

    return layer


def linear(name: str) -> Layer:
    def layer(net: Net, x: F64) -> tuple[F64, Backward]:
        w = net.values[f"{name}.weight"]
        y = x @ w.T
        bias = net.values.get(f"{name}.bias")
        if bias is not None:
            y = y + bias

        def backward(gradient: F64) -> F64:
            net.gradients[f"{name}.weight"] += gradient.T @ x
            if bias is not None:
                net.gradients[f"{name}.bias"] += gradient.sum(0)
            return gradient @ w

        return y, backward

    return layer


def linear_per_pixel(name: str) -> Layer:
    """A dense layer over the channels of every pixel."""

    def layer(net: Net, x: F64) -> tuple[F64, Backward]:
        batch, channels, height, width = x.shape
        rows = x.transpose(0, 2, 3, 1).reshape(-1, channels)
        y, back = linear(name)(net, rows)

        def backward(gradient: F64) -> F64:
            flat = gradient.transpose(0, 2, 3, 1).reshape(-1, gradient.shape[1])
            return back(flat).reshape(batch, height, width, channels).transpose(0, 3, 1, 2)

        return y.reshape(batch, height, width, -1).transpose(0, 3, 1, 2), backward

    return layer


def batch_norm(name: str, momentum: float, epsilon: float) -> Layer:
    def layer(net: Net, x: F64) -> tuple[F64, Backward]:
        gamma, beta = net.values[f"{name}.weight"], net.values[f"{name}.bias"]
        axes = (0, 2, 3)
        count = x.size // x.shape[1]
        mean = x.mean(axes)
        centred = x - mean[:, None, None]
        variance = (centred**2).mean(axes)
        scale = 1.0 / np.sqrt(variance + epsilon)
        unit = centred * scale[:, None, None]
        if net.moving:
            for statistic, now in (("running_mean", mean), ("running_var", variance)):
                old = net.values[f"{name}.{statistic}"]
                net.values[f"{name}.{statistic}"] = momentum * old + (1.0 - momentum) * now

        def backward(gradient: F64) -> F64:
            by_gamma, by_beta = (gradient * unit).sum(axes), gradient.sum(axes)
            net.gradients[f"{name}.weight"] += by_gamma
            net.gradients[f"{name}.bias"] += by_beta
            inner = gradient - (by_beta[:, None, None] + unit * by_gamma[:, None, None]) / count
            by_input: F64 = inner * (gamma * scale)[:, None, None]
            return by_input

        return unit * gamma[:, None, None] + beta[:, None, None], backward

    return layer


def relu(slope: float = 0.0) -> Layer:
    def layer(_: Net, x: F64) -> tuple[F64, Backward]:
        factor = np.where(x > 0.0, 1.0, slope)
        return x * factor, lambda gradient: gradient * factor

    return layer


def tanh(_: Net, x: F64) -> tuple[F64, Backward]:
    y: F64 = np.tanh(x)
    return y, lambda gradient: gradient * (1.0 - y * y)


def to_image(channels: int, height: int, width: int) -> Layer:
    """Rows laid out (height, width, channels) become NCHW images."""

    def layer(_: Net, x: F64) -> tuple[F64, Backward]:
        y = x.reshape(-1, height, width, channels).transpose(0, 3, 1, 2)
        return y, lambda gradient: gradient.transpose(0, 2, 3, 1).reshape(x.shape)

    return layer


def to_rows(_: Net, x: F64) -> tuple[F64, Backward]:
    """NCHW images become rows laid out (height, width, channels)."""
    batch, channels, height, width = x.shape

    def backward(gradient: F64) -> F64:
        return gradient.reshape(batch, height, width, channels).transpose(0, 3, 1, 2)

    return x.transpose(0, 2, 3, 1).reshape(batch, -1), backward


# --- The cases' networks -----------------------------------------------------------------

Shapes = list[tuple[str, tuple[int, ...], Kind]]


def kernel(name: str, kind: Kind, *shape: int) -> Shapes:
    return [(f"{name}.weight", shape, kind)]


def bias(name: str, size: int) -> Shapes:
    return [(f"{name}.bias", (size,), "bias")]


def norm_tensors(name: str, size: int) -> Shapes:
    return [
        (f"{name}.weight", (size,), "gamma"),
        (f"{name}.bias", (size,), "beta"),
        (f"{name}.running_mean", (size,), "running_mean"),
        (f"{name}.running_var", (size,), "running_var"),
    ]


def blog_networks() -> tuple[Net, Net]:
    generator = network(
        [
            linear("linear"),
            to_image(512, 3, 3),
            conv_transpose("conv1", 2),
            relu(),
            batch_norm("norm1", 0.99, 1e-3),
            conv_transpose("conv2", 2),
            relu(),
            batch_norm("norm2", 0.99, 1e-3),
            conv_transpose("conv3", 2),
            tanh,
            linear_per_pixel("pixel"),
        ],
        [
            *kernel("linear", "linear", 4608, 100),
            *bias("linear", 4608),
            *kernel("conv1", "conv_transpose", 512, 256, 3, 3),
            *bias("conv1", 256),
            *norm_tensors("norm1", 256),
            *kernel("conv2", "conv_transpose", 256, 128, 2, 2),
            *bias("conv2", 128),
            *norm_tensors("norm2", 128),
            *kernel("conv3", "conv_transpose", 128, 64, 2, 2),
            *bias("conv3", 64),
            *kernel("pixel", "linear", 1, 64),
            *bias("pixel", 1),
        ],
        0,
    )
    discriminator = network(
        [
            conv("conv1", 2),
            relu(),
            batch_norm("norm1", 0.99, 1e-3),
            conv("conv2", 3),
            relu(),
            batch_norm("norm2", 0.99, 1e-3),
            conv("conv3", 3),
            relu(),
            to_rows,
            linear("linear"),
        ],
        [
            *kernel("conv1", "conv", 64, 1, 4, 4),
            *bias("conv1", 64),
            *norm_tensors("norm1", 64),
            *kernel("conv2", "conv", 128, 64, 4, 4),
            *bias("conv2", 128),
            *norm_tensors("norm2", 128),
            *kernel("conv3", "conv", 256, 128, 4, 4),
            *bias("conv3", 256),
            *kernel("linear", "linear", 1, 256),
            *bias("linear", 1),
        ],
        DISCRIMINATOR_OFFSET,
    )
    return generator, discriminator


def dcgan_networks() -> tuple[Net, Net]:
    generator = network(
        [
            linear("linear"),
            to_image(16, 7, 7),
            batch_norm("norm", 0.9, 1e-5),
            relu(),
            conv_transpose("convs.0", 2, 1),
            batch_norm("norms.0", 0.9, 1e-5),
            relu(),
            conv_transpose("output", 2, 1),
            tanh,
        ],
        [
            *kernel("linear", "linear", 7 * 7 * 16, 16),
            *norm_tensors("norm", 16),
            *kernel("convs.0", "conv_transpose", 16, 8, 4, 4),
            *norm_tensors("norms.0", 8),
            *kernel("output", "conv_transpose", 8, 1, 4, 4),
            *bias("output", 1),
        ],
        0,
    )
    discriminator = network(
        [
            conv("input", 2, 1),
            relu(0.2),
            conv("convs.0", 2, 1),
            batch_norm("norms.0", 0.9, 1e-5),
            relu(0.2),
            to_rows,
            linear("linear"),
        ],
        [
            *kernel("input", "conv", 8, 1, 4, 4),
            *bias("input", 8),
            *kernel("convs.0", "conv", 16, 8, 4, 4),
            *norm_tensors("norms.0", 16),
            *kernel("linear", "linear", 1, 7 * 7 * 16),
            *bias("linear", 1),
        ],
        DISCRIMINATOR_OFFSET,
    )
    return generator, discriminator


def mlp_networks() -> tuple[Net, Net]:
    def shapes(*sizes: int) -> Shapes:
        names = [*(f"hidden.{index}" for index in range(len(sizes) - 2)), "output"]
        found: Shapes = []
        for name, fan_in, fan_out in zip(names, sizes, sizes[1:], strict=False):
            found += [*kernel(name, "linear", fan_out, fan_in), *bias(name, fan_out)]
        return found

    generator = network(
        [
            linear("hidden.0"),
            relu(),
            linear("hidden.1"),
            relu(),
            linear("output"),
            tanh,
            to_image(1, 28, 28),
        ],
        shapes(16, 32, 48, 784),
        0,
    )
    discriminator = network(
        [to_rows, linear("hidden.0"), relu(0.2), linear("hidden.1"), relu(0.2), linear("output")],
        shapes(784, 48, 32, 1),
        DISCRIMINATOR_OFFSET,
    )
    return generator, discriminator


# --- Losses and Adam ---------------------------------------------------------------------


def sigmoid(x: F64) -> F64:
    y: F64 = 1.0 / (1.0 + np.exp(-x))
    return y


def softplus_mean(x: F64) -> tuple[float, F64]:
    """Mean of log(1 + exp(x)), and its gradient."""
    return float(np.logaddexp(0.0, x).mean()), sigmoid(x) / x.size


def to_zero(logits: F64) -> tuple[float, F64]:
    return softplus_mean(logits)


def to_one(logits: F64) -> tuple[float, F64]:
    loss, gradient = softplus_mean(-logits)
    return loss, -gradient


def minimax(logits: F64) -> tuple[float, F64]:
    loss, gradient = softplus_mean(logits)
    return -loss, -gradient


@dataclass
class Adam:
    lr: float
    beta1: float
    beta2: float
    eps: float
    keras_epsilon: bool
    """Keras adds epsilon to the root before its bias correction, PyTorch after."""
    step: int = 0
    first: dict[str, F64] = field(default_factory=dict)
    second: dict[str, F64] = field(default_factory=dict)

    def apply(self, net: Net) -> None:
        self.step += 1
        correction1 = 1.0 - self.beta1**self.step
        correction2 = 1.0 - self.beta2**self.step
        epsilon = self.eps / math.sqrt(correction2) if self.keras_epsilon else self.eps
        for name, g in net.gradients.items():
            m = self.beta1 * self.first.get(name, 0.0) + (1.0 - self.beta1) * g
            v = self.beta2 * self.second.get(name, 0.0) + (1.0 - self.beta2) * g * g
            self.first[name], self.second[name] = m, v
            root = np.sqrt(v / correction2) + epsilon
            net.values[name] = net.values[name] - self.lr * (m / correction1) / root


# --- Training ----------------------------------------------------------------------------


@dataclass(frozen=True)
class Case:
    name: str
    networks: Callable[[], tuple[Net, Net]]
    batch: int
    latent: int
    alternating: bool
    generator_loss: Callable[[F64], tuple[float, F64]]
    adam: Callable[[], Adam]


CASES = (
    Case(
        "blog",
        blog_networks,
        8,
        100,
        False,
        to_one,
        lambda: Adam(1e-4, 0.9, 0.999, 1e-7, keras_epsilon=True),
    ),
    Case(
        "dcgan",
        dcgan_networks,
        6,
        16,
        True,
        to_one,
        lambda: Adam(2e-4, 0.5, 0.999, 1e-8, keras_epsilon=False),
    ),
    Case(
        "mlp",
        mlp_networks,
        6,
        16,
        False,
        minimax,
        lambda: Adam(2e-4, 0.5, 0.999, 1e-8, keras_epsilon=False),
    ),
)


def tensor_rows(net: Net, before: dict[str, F64]) -> list[Json]:
    rows = []
    for spec in net.specs:
        numbers = {
            "gradient": net.gradients.get(spec.name),
            "value": net.values[spec.name],
            "update": net.values[spec.name] - before[spec.name],
        }
        row: Json = {"name": spec.name}
        for what, values in numbers.items():
            if values is not None:
                norm = float(np.sqrt((values**2).sum()))
                row[what] = {"norm": norm, "projection": spec.project(values)}
        rows.append(row)
    return rows


def run_case(case: Case) -> tuple[F64, list[Json], tuple[Net, Net]]:
    """The first fakes, the steps' reports and the trained networks."""
    generator, discriminator = case.networks()
    g_adam, d_adam = case.adam(), case.adam()
    first_fake: F64 | None = None
    steps: list[Json] = []
    for index in range(3):
        z = latent(index, (case.batch, case.latent)).astype(np.float64)
        real = real_images(index, (case.batch, 1, 28, 28)).astype(np.float64)
        g_before, d_before = dict(generator.values), dict(discriminator.values)
        generator.clear()
        discriminator.clear()

        fake, back_to_latent = generator.forward(z)
        first_fake = fake if first_fake is None else first_fake
        on_fake, back_from_fake = discriminator.forward(fake)
        on_real, back_from_real = discriminator.forward(real)
        fake_loss, fake_gradient = to_zero(on_fake)
        real_loss, real_gradient = to_one(on_real)
        back_from_fake(fake_gradient)
        back_from_real(real_gradient)
        logits = {"fake": on_fake.ravel(), "real": on_real.ravel()}

        d_gradients = dict(discriminator.gradients)
        if case.alternating:
            d_adam.apply(discriminator)
            discriminator.moving = False
            on_fake, back_from_fake = discriminator.forward(fake)
            discriminator.moving = True
            logits["fake_for_generator"] = on_fake.ravel()
        g_loss, logit_gradient = case.generator_loss(on_fake)
        discriminator.clear()
        back_to_latent(back_from_fake(logit_gradient))
        discriminator.gradients = d_gradients
        g_adam.apply(generator)
        if not case.alternating:
            d_adam.apply(discriminator)

        steps.append(
            {
                "logits": logits,
                "d_loss": fake_loss + real_loss,
                "g_loss": g_loss,
                "generator": tensor_rows(generator, g_before),
                "discriminator": tensor_rows(discriminator, d_before),
            }
        )
    assert first_fake is not None
    return first_fake, steps, (generator, discriminator)


# --- Comparison --------------------------------------------------------------------------

Difference = tuple[str, float]


def summary_difference(ours: Json, golden: Json) -> float:
    gaps = (float(abs(ours[key] - golden[key])) for key in ("norm", "projection"))
    return max(gaps) / float(golden["norm"])


def compare_case(case: Case, golden: Json) -> Iterator[Difference]:
    fake, steps, nets = run_case(case)
    for name, net in zip(("generator", "discriminator"), nets, strict=True):
        listed = [(row["name"], tuple(row["shape"])) for row in golden["tensors"][name]]
        assert listed == [(spec.name, spec.shape) for spec in net.specs]
    for index, value in golden["fake"]["samples"]:
        yield "fake", abs(float(fake.ravel()[index]) - value) / golden["fake"]["std"]
    yield "fake", abs(float(fake.mean()) - golden["fake"]["mean"]) / golden["fake"]["std"]
    yield "fake", abs(float(fake.std()) / golden["fake"]["std"] - 1.0)
    for ours, wanted in zip(steps, golden["steps"], strict=True):
        assert ours["logits"].keys() == wanted["logits"].keys()
        for name, logits in wanted["logits"].items():
            gap = np.abs(ours["logits"][name] - logits).max()
            yield "logits", float(gap / np.abs(logits).max())
        for loss in ("d_loss", "g_loss"):
            yield "losses", abs(ours[loss] / wanted[loss] - 1.0)
        for net_name in ("generator", "discriminator"):
            for row, wanted_row in zip(ours[net_name], wanted[net_name], strict=True):
                assert row.keys() == wanted_row.keys() and row["name"] == wanted_row["name"]
                for what in row.keys() - {"name"}:
                    yield what, summary_difference(row[what], wanted_row[what])


def compare_layer(case: LayerCase, golden: Json) -> Iterator[Difference]:
    make = conv_transpose if case.transposed else conv
    net = Net(
        [make("layer", case.s, case.p)],
        [],
        {
            "layer.weight": case.weight().astype(np.float64),
            "layer.bias": case.bias().astype(np.float64),
        },
    )
    net.gradients = {name: np.zeros_like(value) for name, value in net.values.items()}
    outputs, backward = net.forward(case.input().astype(np.float64))
    assert list(outputs.shape) == golden["output_shape"]
    for index, value in golden["samples"]:
        yield "samples", abs(float(outputs.ravel()[index]) - value) / float(outputs.std())
    upstream = pattern(case.OUTPUT, outputs.size).reshape(outputs.shape)
    found = {
        "output": (case.OUTPUT, outputs),
        "input_gradient": (case.INPUT_GRADIENT, backward(upstream)),
        "weight_gradient": (case.WEIGHT_GRADIENT, net.gradients["layer.weight"]),
        "bias_gradient": (case.BIAS_GRADIENT, net.gradients["layer.bias"]),
    }
    for what, (number, values) in found.items():
        flat = values.ravel()
        ours = {
            "norm": float(np.sqrt((flat**2).sum())),
            "projection": float(flat @ pattern(number, flat.size)),
        }
        yield what, summary_difference(ours, golden[what])


def compare_layers(golden: Json) -> Iterator[Difference]:
    for case, row in zip(LAYER_CASES, golden["layers"], strict=True):
        yield from compare_layer(case, row)


def load(name: str) -> Json:
    report: Json = json.loads((HERE / f"{name}.json").read_text(encoding="utf-8"))
    return report


def main() -> None:
    comparisons = {"layers": compare_layers(load("layers"))}
    for case in CASES:
        comparisons[case.name] = compare_case(case, load(case.name))
    worst = 0.0
    for name, differences in comparisons.items():
        table: dict[str, float] = {}
        for what, relative in differences:
            table[what] = max(table.get(what, 0.0), relative)
        print(f"{name}:", ", ".join(f"{what} {value:.1e}" for what, value in table.items()))
        worst = max(worst, *table.values())
    if not worst <= TOLERANCE:
        raise SystemExit(f"the implementations differ by {worst:.1e}")


if __name__ == "__main__":
    main()
