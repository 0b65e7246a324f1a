"""Residual networks after R3GAN by PyTorch in float64: the functions that `objectives.py` penalizes, and for
`resnet.json` generators and a conditional discriminator.

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
from formula import LATENT_NUMBER, REAL_NUMBER, fan_sum, pattern
from torch import Tensor

torch.set_default_dtype(torch.float64)
BASE, MOST, EXPANSION, LATENT, BATCH, SIDE = 2, 4, 2, 3, 4, 16
WIDTHS = (BASE, MOST, MOST)
CLASSES = 3
LABELS = torch.tensor([2, 0, 1, 2])
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


def discriminator_shapes(pixels: int, conditional: bool = False) -> Shapes:
    shapes: Shapes = {"input.weight": (BASE, 1), "input.bias": (BASE,)}
    for stage, width in enumerate(WIDTHS):
        shapes |= block_shapes(f"blocks.{stage}", width)
    return shapes | {
        "transitions.0.channels.weight": (MOST, BASE),
        "basis": (MOST, pixels),
        "linear.weight": (1, MOST),
        "linear.bias": (1,),
    } | ({"class_head.weight": (CLASSES, MOST)} if conditional else {})


def discriminator(p: Parameters, images: Tensor) -> Tensor:
    x = at_pixels(images, p["input.weight"], p["input.bias"])
    x = block(p, "blocks.0", x)
    x = block(p, "blocks.1", at_pixels(halve(x), p["transitions.0.channels.weight"]))
    x = block(p, "blocks.2", halve(x))
    features = (x.flatten(2) * p["basis"]).sum(2)
    logits = F.linear(features, p["linear.weight"], p["linear.bias"])
    if "class_head.weight" in p:
        logits = logits + (features * F.embedding(LABELS, p["class_head.weight"])).sum(1, keepdim=True)
    return logits


def generator_shapes(pixels: int, conditional: bool = False) -> Shapes:
    shapes: Shapes = {
        "linear.weight": (MOST, LATENT),
        "linear.bias": (MOST,),
    }
    if conditional:
        shapes |= {"class_features.weight": (CLASSES, MOST)}
    shapes |= {"basis": (MOST, pixels)}
    for stage, width in enumerate(reversed(WIDTHS)):
        shapes |= block_shapes(f"blocks.{stage}", width)
    return shapes | {
        "transitions.1.channels.weight": (BASE, MOST),
        "output.weight": (1, BASE),
        "output.bias": (1,),
    }


def generator(p: Parameters, z: Tensor) -> Tensor:
    weights = F.linear(z, p["linear.weight"], p["linear.bias"])
    if "class_features.weight" in p:
        weights = weights + F.embedding(LABELS, p["class_features.weight"])
    side = math.isqrt(p["basis"].shape[1])
    x = (weights[:, :, None] * p["basis"]).view(-1, MOST, side, side)
    x = block(p, "blocks.0", x)
    x = block(p, "blocks.1", double(x))
    x = block(p, "blocks.2", double(at_pixels(x, p["transitions.1.channels.weight"])))
    return at_pixels(x, p["output.weight"], p["output.bias"])


def patterned(number: int, scale: float, shape: tuple[int, ...]) -> Tensor:
    values = torch.tensor(scale * pattern(number, math.prod(shape)))
    return values.to(torch.float32).to(torch.float64).reshape(shape)


def rounded(tensor: Tensor) -> list[float]:
    return [float(f"{value:.9g}") for value in tensor.flatten().tolist()]


def initial(first: int, shapes: Shapes) -> Parameters:
    p: Parameters = {}
    for index, (name, shape) in enumerate(shapes.items()):
        scale = 0.05 if len(shape) == 1 else math.sqrt(6 / fan_sum(shape))
        p[name] = patterned(first + index, scale, shape).requires_grad_()
    return p


def by_parameters(loss: Tensor, p: Parameters) -> dict[str, list[float]]:
    found = torch.autograd.grad(loss, list(p.values()), allow_unused=True)
    return {
        name: rounded(torch.zeros_like(p[name]) if gradient is None else gradient)
        for name, gradient in zip(p, found)
    }


def generator_case(side: int, conditional: bool) -> dict[str, object]:
    p = initial(0, generator_shapes((side // 4) ** 2, conditional))
    images = generator(p, patterned(LATENT_NUMBER, 1.7, (BATCH, LATENT)))
    weights = patterned(PROJECTION, 1.0, (BATCH, 1, side, side))
    return {
        "image": [1, side, side],
        "conditional": conditional,
        "images": rounded(images.detach()),
        "gradients": by_parameters((images * weights).sum(), p),
    }


def projection_case(side: int) -> dict[str, object]:
    """A discriminator that is given the class, and R1 of it."""
    p = initial(500, discriminator_shapes((side // 4) ** 2, conditional=True))
    real = patterned(REAL_NUMBER, 1.0, (BATCH, 1, side, side)).requires_grad_()
    logits = discriminator(p, real)
    (gradient,) = torch.autograd.grad(logits.sum(), real, create_graph=True)
    penalty = 0.5 * gradient.flatten(1).square().sum(1).mean()
    return {
        "image": [1, side, side],
        "logits": rounded(logits.detach()),
        "penalty": penalty.item(),
        "penalty_gradients": by_parameters(penalty, p),
        "gradients": by_parameters(F.softplus(-discriminator(p, real)).mean(), p),
    }


def main() -> None:
    document = {
        "settings": {
            "latent_size": LATENT,
            "base_channels": BASE,
            "most_channels": MOST,
            "expansion": EXPANSION,
        },
        "generators": [
            generator_case(16, conditional=False),
            generator_case(28, conditional=True),
        ],
        "projection": projection_case(28),
    }
    print(json.dumps(document, indent=None, separators=(",", ":")))


if __name__ == "__main__":
    main()
