"""Residual networks after R3GAN by PyTorch in float64: the functions that `objectives.py` penalizes, and for
`resnet.json` a generator.

    pip install torch==2.9.0 numpy
    python tests/reference/resnet.py > tests/reference/resnet.json

Halving and doubling are `upfirdn2d` with the kernel (1, 3, 3, 1), written as convolutions. The names, shapes
and order of the weights are those of our networks.
"""

from __future__ import annotations

import json
import math

import torch
import torch.nn.functional as F
from formula import LATENT_NUMBER, fan_sum, pattern
from torch import Tensor

torch.set_default_dtype(torch.float64)
BASE, MOST, EXPANSION, LATENT, BATCH, SIDE = 2, 4, 2, 3, 4, 16
WIDTHS = (BASE, MOST, MOST)
PROJECTION = 3000

Parameters = dict[str, Tensor]
Shapes = dict[str, tuple[int, ...]]


def block_shapes(name: str, width: int) -> Shapes:
    inside = width * EXPANSION
    return {
        f"{name}.expand.weight": (inside, width),
        f"{name}.expand.bias": (inside,),
        f"{name}.conv.weight": (inside, inside, 3, 3),
        f"{name}.conv.bias": (inside,),
        f"{name}.project.weight": (width, inside),
    }


def at_pixels(x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    return F.conv2d(x, weight[:, :, None, None], bias)


def block(p: Parameters, name: str, x: Tensor) -> Tensor:
    y = at_pixels(x, p[f"{name}.expand.weight"], p[f"{name}.expand.bias"])
    y = F.leaky_relu(y, 0.2)
    y = F.conv2d(y, p[f"{name}.conv.weight"], p[f"{name}.conv.bias"], padding=1)
    y = F.leaky_relu(y, 0.2)
    return x + at_pixels(y, p[f"{name}.project.weight"])


def kernel(channels: int) -> Tensor:
    taps = torch.tensor([1.0, 3.0, 3.0, 1.0])
    return (taps[:, None] * taps / 64).expand(channels, 1, 4, 4)


def halve(x: Tensor) -> Tensor:
    channels = x.shape[1]
    return F.conv2d(x, kernel(channels), stride=2, padding=1, groups=channels)


def double(x: Tensor) -> Tensor:
    channels = x.shape[1]
    return F.conv_transpose2d(x, 4 * kernel(channels), stride=2, padding=1, groups=channels)


def discriminator_shapes() -> Shapes:
    shapes: Shapes = {"input.weight": (BASE, 1), "input.bias": (BASE,)}
    for stage, width in enumerate(WIDTHS):
        shapes |= block_shapes(f"blocks.{stage}", width)
    return shapes | {
        "transitions.0.channels.weight": (MOST, BASE),
        "basis": (MOST, 16),
        "linear.weight": (1, MOST),
        "linear.bias": (1,),
    }


def discriminator(p: Parameters, images: Tensor) -> Tensor:
    x = at_pixels(images, p["input.weight"], p["input.bias"])
    x = block(p, "blocks.0", x)
    x = block(p, "blocks.1", at_pixels(halve(x), p["transitions.0.channels.weight"]))
    x = block(p, "blocks.2", halve(x))
    features = (x.flatten(2) * p["basis"]).sum(2)
    return F.linear(features, p["linear.weight"], p["linear.bias"])


def generator_shapes() -> Shapes:
    shapes: Shapes = {
        "linear.weight": (MOST, LATENT),
        "linear.bias": (MOST,),
        "basis": (MOST, 16),
    }
    for stage, width in enumerate(reversed(WIDTHS)):
        shapes |= block_shapes(f"blocks.{stage}", width)
    return shapes | {
        "transitions.1.channels.weight": (BASE, MOST),
        "output.weight": (1, BASE),
        "output.bias": (1,),
    }


def generator(p: Parameters, z: Tensor) -> Tensor:
    weights = F.linear(z, p["linear.weight"], p["linear.bias"])
    x = (weights[:, :, None] * p["basis"]).view(-1, MOST, 4, 4)
    x = block(p, "blocks.0", x)
    x = block(p, "blocks.1", double(x))
    x = block(p, "blocks.2", double(at_pixels(x, p["transitions.1.channels.weight"])))
    return at_pixels(x, p["output.weight"], p["output.bias"])


def patterned(number: int, scale: float, shape: tuple[int, ...]) -> Tensor:
    values = torch.tensor(scale * pattern(number, math.prod(shape)))
    return values.to(torch.float32).to(torch.float64).reshape(shape)


def rounded(tensor: Tensor) -> list[float]:
    return [float(f"{value:.9g}") for value in tensor.flatten().tolist()]


def main() -> None:
    p: Parameters = {}
    for index, (name, shape) in enumerate(generator_shapes().items()):
        scale = 0.05 if len(shape) == 1 else math.sqrt(6 / fan_sum(shape))
        p[name] = patterned(index, scale, shape).requires_grad_()
    images = generator(p, patterned(LATENT_NUMBER, 1.7, (BATCH, LATENT)))
    weights = patterned(PROJECTION, 1.0, (BATCH, 1, SIDE, SIDE))
    found = torch.autograd.grad((images * weights).sum(), list(p.values()))
    document = {
        "settings": {
            "latent_size": LATENT,
            "base_channels": BASE,
            "most_channels": MOST,
            "expansion": EXPANSION,
        },
        "images": rounded(images.detach()),
        "gradients": {name: rounded(gradient) for name, gradient in zip(p, found)},
    }
    print(json.dumps(document, indent=None, separators=(",", ":")))


if __name__ == "__main__":
    main()
