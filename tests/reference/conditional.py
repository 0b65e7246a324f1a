"""A class-conditional DCGAN by PyTorch in float64, for `conditional.json`.

    pip install torch==2.9.0 numpy
    python tests/reference/conditional.py > tests/reference/conditional.json

The generator has an embedding at its first layer and conditional batch normalization
(Dumoulin et al., 2017), the discriminator a projection (Miyato and Koyama, 2018) or an auxiliary
classifier (Odena et al., 2017). The names, shapes and order of the weights are those of our networks.
"""

from __future__ import annotations

import json
import math

import torch
import torch.nn.functional as F
from formula import LATENT_NUMBER, REAL_NUMBER, fan_sum, pattern
from torch import Tensor

torch.set_default_dtype(torch.float64)
BATCH, LATENT, CLASSES, BASE, SIDE = 4, 3, 3, 2, 16
LABELS = torch.tensor([2, 0, 1, 2])
GENERATOR, DISCRIMINATOR, PROJECTION = 0, 500, 3000

Parameters = dict[str, Tensor]


def patterned(number: int, scale: float, shape: tuple[int, ...], middle: float = 0.0) -> Tensor:
    values = torch.tensor(middle + scale * pattern(number, math.prod(shape)))
    return values.to(torch.float32).to(torch.float64).reshape(shape)


def initial(first: int, shapes: dict[str, tuple[int, ...]]) -> Parameters:
    parameters: Parameters = {}
    for index, (name, shape) in enumerate(shapes.items()):
        if len(shape) > 1:
            value = patterned(first + index, math.sqrt(6 / fan_sum(shape)), shape)
        elif name.endswith(("weight", "running_var")):
            value = patterned(first + index, 0.1, shape, 1.0)
        else:
            value = patterned(first + index, 0.05, shape)
        parameters[name] = value.requires_grad_("running" not in name)
    return parameters


def norm_shapes(name: str, channels: int) -> dict[str, tuple[int, ...]]:
    return {
        f"{name}.{part}": (channels,) for part in ("weight", "bias", "running_mean", "running_var")
    }


def affine_shapes(name: str, channels: int) -> dict[str, tuple[int, ...]]:
    return {f"{name}.{part}.weight": (CLASSES, channels) for part in ("gain", "shift")}


def level_shapes(name: str, channels: int) -> dict[str, tuple[int, ...]]:
    return (
        {f"{name}.convs.0.weight": (channels, channels, 3, 3)}
        | norm_shapes(f"{name}.norms.0", channels)
        | affine_shapes(f"{name}.affines.0", channels)
    )


GENERATOR_SHAPES: dict[str, tuple[int, ...]] = (
    {"linear.weight": (16 * 2 * BASE, LATENT)}
    | norm_shapes("norm", 2 * BASE)
    | {"convs.0.weight": (2 * BASE, BASE, 4, 4)}
    | norm_shapes("norms.0", BASE)
    | level_shapes("levels.0", 2 * BASE)
    | level_shapes("levels.1", BASE)
    | {"class_features.weight": (CLASSES, 16 * 2 * BASE)}
    | affine_shapes("affines.0", 2 * BASE)
    | affine_shapes("affines.1", BASE)
    | {"output.weight": (BASE, 1, 4, 4), "output.bias": (1,)}
)


def normalized(p: Parameters, norm: str, affine: str, x: Tensor) -> Tensor:
    x = F.batch_norm(x, None, None, p[f"{norm}.weight"], p[f"{norm}.bias"], training=True)
    gain = F.embedding(LABELS, p[f"{affine}.gain.weight"])[:, :, None, None]
    shift = F.embedding(LABELS, p[f"{affine}.shift.weight"])[:, :, None, None]
    return F.relu(x * (1 + gain) + shift)


def refined(p: Parameters, level: str, x: Tensor) -> Tensor:
    x = F.conv2d(x, p[f"{level}.convs.0.weight"], padding=1)
    return normalized(p, f"{level}.norms.0", f"{level}.affines.0", x)


def generator(p: Parameters, z: Tensor) -> Tensor:
    x = F.linear(z, p["linear.weight"]) + F.embedding(LABELS, p["class_features.weight"])
    x = normalized(p, "norm", "affines.0", x.view(-1, 2 * BASE, 4, 4))
    x = refined(p, "levels.0", x)
    x = F.conv_transpose2d(x, p["convs.0.weight"], stride=2, padding=1)
    x = normalized(p, "norms.0", "affines.1", x)
    x = refined(p, "levels.1", x)
    return torch.tanh(
        F.conv_transpose2d(x, p["output.weight"], p["output.bias"], stride=2, padding=1)
    )


FEATURES = 16 * 2 * BASE


def discriminator_shapes(head: str) -> dict[str, tuple[int, ...]]:
    shapes: dict[str, tuple[int, ...]] = {
        "input.weight": (BASE, 1, 4, 4),
        "input.bias": (BASE,),
        "convs.0.weight": (2 * BASE, BASE, 4, 4),
        "convs.0.bias": (2 * BASE,),
        "levels.0.convs.0.weight": (BASE, BASE, 3, 3),
        "levels.0.convs.0.bias": (BASE,),
        "levels.1.convs.0.weight": (2 * BASE, 2 * BASE, 3, 3),
        "levels.1.convs.0.bias": (2 * BASE,),
        "linear.weight": (1, FEATURES),
        "linear.bias": (1,),
        "class_head.weight": (CLASSES, FEATURES),
    }
    return shapes | ({"class_head.bias": (CLASSES,)} if head == "classifier" else {})


def features(p: Parameters, x: Tensor) -> Tensor:
    def conv(name: str, x: Tensor, **options: int) -> Tensor:
        return F.leaky_relu(
            F.conv2d(x, p[f"{name}.weight"], p[f"{name}.bias"], padding=1, **options), 0.2
        )

    x = conv("input", x, stride=2)
    x = conv("levels.0.convs.0", x)
    x = conv("convs.0", x, stride=2)
    return conv("levels.1.convs.0", x).flatten(1)


def rounded(tensor: Tensor) -> list[float]:
    return [float(f"{value:.9g}") for value in tensor.flatten().tolist()]


def by_parameters(loss: Tensor, p: Parameters) -> dict[str, list[float]]:
    names = [name for name, tensor in p.items() if tensor.requires_grad]
    found = torch.autograd.grad(loss, [p[name] for name in names], allow_unused=True)
    return {
        name: rounded(torch.zeros_like(p[name]) if gradient is None else gradient)
        for name, gradient in zip(names, found)
    }


def main() -> None:
    of_generator = initial(GENERATOR, GENERATOR_SHAPES)
    images = generator(of_generator, patterned(LATENT_NUMBER, 1.7, (BATCH, LATENT)))
    weights = patterned(PROJECTION, 1.0, (BATCH, 1, SIDE, SIDE))
    document: dict[str, object] = {
        "images": rounded(images.detach()),
        "generator_gradients": by_parameters((images * weights).sum(), of_generator),
    }

    real = patterned(REAL_NUMBER, 1.0, (BATCH, 1, SIDE, SIDE)).requires_grad_()
    p = initial(DISCRIMINATOR, discriminator_shapes("projection"))
    f = features(p, real)
    logits = F.linear(f, p["linear.weight"], p["linear.bias"])
    logits = logits + (f * F.embedding(LABELS, p["class_head.weight"])).sum(1, keepdim=True)
    (gradient,) = torch.autograd.grad(logits.sum(), real, create_graph=True)
    penalty = 0.5 * gradient.flatten(1).square().sum(1).mean()
    document["projection"] = {
        "logits": rounded(logits.detach()),
        "gradients": by_parameters(F.softplus(-logits).mean(), p),
        "penalty": penalty.item(),
        "penalty_gradients": by_parameters_again(p, real),
    }

    p = initial(DISCRIMINATOR, discriminator_shapes("classifier"))
    (gradient,) = torch.autograd.grad(unconditional(p, real).sum(), real, create_graph=True)
    penalty = 0.5 * gradient.flatten(1).square().sum(1).mean()
    f = features(p, real)
    logits = F.linear(f, p["linear.weight"], p["linear.bias"])
    read = F.linear(f, p["class_head.weight"], p["class_head.bias"])
    class_loss = F.cross_entropy(read, LABELS)
    # What the generator minimizes with Wasserstein's loss and the classes at half their weight.
    of_generator_loss = -logits.mean() + 0.5 * class_loss
    (by_images,) = torch.autograd.grad(of_generator_loss, real, retain_graph=True)
    document["classifier"] = {
        "logits": rounded(logits.detach()),
        "class_loss": class_loss.item(),
        "gradients": by_parameters(class_loss, p),
        "generator_loss": of_generator_loss.item(),
        "generator_by_images": rounded(by_images),
        "penalty": penalty.item(),
        "penalty_gradients": by_parameters(penalty, p),
    }
    print(json.dumps(document, indent=None, separators=(",", ":")))


def unconditional(p: Parameters, real: Tensor) -> Tensor:
    return F.linear(features(p, real), p["linear.weight"], p["linear.bias"])


def by_parameters_again(p: Parameters, real: Tensor) -> dict[str, list[float]]:
    """The R1 penalty's gradients, by double backpropagation through a graph of its own."""
    f = features(p, real)
    logits = F.linear(f, p["linear.weight"], p["linear.bias"])
    logits = logits + (f * F.embedding(LABELS, p["class_head.weight"])).sum(1, keepdim=True)
    (gradient,) = torch.autograd.grad(logits.sum(), real, create_graph=True)
    return by_parameters(0.5 * gradient.flatten(1).square().sum(1).mean(), p)


if __name__ == "__main__":
    main()
