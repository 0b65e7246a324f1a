"""Losses and gradient penalties by PyTorch in float64, for `objectives.json`.

    pip install torch==2.9.0 numpy
    python tests/reference/objectives.py > tests/reference/objectives.json

Penalties are differentiated twice (`create_graph=True`). Weights and images are those of
`formula.py`; the names and shapes of the weights are those of our networks.
"""

from __future__ import annotations

import json
import math
from typing import Any, Callable

import resnet
import torch
import torch.nn.functional as F
from formula import DISCRIMINATOR_OFFSET, REAL_NUMBER, fan_sum, pattern
from torch import Tensor

torch.set_default_dtype(torch.float64)
REAL_LOGITS, FAKE_LOGITS = 3, 5
BATCH = 4

Parameters = dict[str, Tensor]
Network = Callable[[Parameters, Tensor], Tensor]


def patterned(number: int, scale: float, shape: tuple[int, ...]) -> Tensor:
    """As our tests have it: rounded to float32 once."""
    values = torch.tensor(scale * pattern(number, math.prod(shape)))
    return values.to(torch.float32).to(torch.float64).reshape(shape)


def rounded(tensor: Tensor) -> list[float]:
    return [float(f"{value:.9g}") for value in tensor.flatten().tolist()]


# Losses, each as its paper writes it.


def softplus_mean(x: Tensor) -> Tensor:
    return F.softplus(x).mean()


def cycled(x: Tensor, count: int) -> Tensor:
    return x[torch.arange(count) % len(x)]


def losses(name: str, real: Tensor, fake: Tensor) -> tuple[Tensor, Tensor]:
    """The discriminator's and the generator's."""
    match name:
        case "non-saturating":
            return softplus_mean(-real) + softplus_mean(fake), softplus_mean(-fake)
        case "minimax":
            return softplus_mean(-real) + softplus_mean(fake), -softplus_mean(fake)
        case "hinge":
            return F.relu(1 - real).mean() + F.relu(1 + fake).mean(), -fake.mean()
        case "least-squares":
            ones, zeros = torch.ones_like, torch.zeros_like
            of_d = 0.5 * F.mse_loss(real, ones(real)) + 0.5 * F.mse_loss(fake, zeros(fake))
            return of_d, 0.5 * F.mse_loss(fake, ones(fake))
        case "wasserstein":
            return fake.mean() - real.mean(), -fake.mean()
        case "relativistic":
            pairs = max(len(real), len(fake))
            difference = cycled(real, pairs) - cycled(fake, pairs)
            return softplus_mean(-difference), softplus_mean(difference)
        case "relativistic-average":
            bce = F.binary_cross_entropy_with_logits
            real_c, fake_c = real - fake.mean(), fake - real.mean()
            one, zero = torch.ones_like, torch.zeros_like
            of_d = bce(real_c, one(real_c)) + bce(fake_c, zero(fake_c))
            return of_d, bce(fake_c, one(fake_c)) + bce(real_c, zero(real_c))
    raise ValueError(name)


LOSSES = (
    "non-saturating",
    "minimax",
    "hinge",
    "least-squares",
    "wasserstein",
    "relativistic",
    "relativistic-average",
)


def loss_case(name: str) -> dict[str, object]:
    real = patterned(700, 2.5, (REAL_LOGITS, 1)).requires_grad_()
    fake = patterned(701, 2.5, (FAKE_LOGITS, 1)).requires_grad_()
    of_d, of_g = losses(name, real, fake)
    by_real, by_fake = torch.autograd.grad(of_d, (real, fake), retain_graph=True)
    (of_generator,) = torch.autograd.grad(of_g, fake)
    return {
        "loss": name,
        "discriminator": of_d.item(),
        "by_real": rounded(by_real),
        "by_fake": rounded(by_fake),
        "generator": of_g.item(),
        "generator_by_fake": rounded(of_generator),
    }


SMOOTHING = 0.1


def smoothing_case() -> dict[str, object]:
    """Real images have the label 0.9 (Salimans et al., 2016)."""
    real = patterned(700, 2.5, (REAL_LOGITS, 1)).requires_grad_()
    fake = patterned(701, 2.5, (FAKE_LOGITS, 1)).requires_grad_()
    bce = F.binary_cross_entropy_with_logits
    loss = bce(real, torch.full_like(real, 1 - SMOOTHING)) + bce(fake, torch.zeros_like(fake))
    by_real, by_fake = torch.autograd.grad(loss, (real, fake))
    return {"loss": loss.item(), "by_real": rounded(by_real), "by_fake": rounded(by_fake)}


# Discriminators without batch normalization.


def mlp(layers: int) -> Network:
    def network(parameters: Parameters, images: Tensor) -> Tensor:
        x = images.flatten(1)
        for layer in range(layers):
            name = f"hidden.{layer}"
            x = F.linear(x, parameters[f"{name}.weight"], parameters[f"{name}.bias"])
            x = F.leaky_relu(x, 0.2)
        return F.linear(x, parameters["output.weight"], parameters["output.bias"])

    return network


def dcgan(convs: int) -> Network:
    def network(parameters: Parameters, images: Tensor) -> Tensor:
        x = images
        for name in ["input", *(f"convs.{index}" for index in range(convs))]:
            weight, bias = parameters[f"{name}.weight"], parameters[f"{name}.bias"]
            x = F.leaky_relu(F.conv2d(x, weight, bias, stride=2, padding=1), 0.2)
        return F.linear(x.flatten(1), parameters["linear.weight"], parameters["linear.bias"])

    return network


def dcgan_shapes(image: tuple[int, int, int], base: int, convs: int) -> dict[str, tuple[int, ...]]:
    channels, height, width = image
    shapes: dict[str, tuple[int, ...]] = {
        "input.weight": (base, channels, 4, 4),
        "input.bias": (base,),
    }
    wide = base
    for index in range(convs):
        shapes[f"convs.{index}.weight"] = (2 * wide, wide, 4, 4)
        shapes[f"convs.{index}.bias"] = (2 * wide,)
        wide *= 2
    pixels = (height >> (convs + 1)) * (width >> (convs + 1))
    return shapes | {"linear.weight": (1, pixels * wide), "linear.bias": (1,)}


def with_deviation(x: Tensor) -> Tensor:
    """Minibatch standard deviation (Karras et al., 2018) as StyleGAN2 has it: groups of at most four."""
    images, channels, height, width = x.shape
    group = min(4, images)
    y = x.reshape(group, -1, channels, height, width)
    y = y - y.mean(dim=0)
    y = (y.square().mean(dim=0) + 1e-8).sqrt().mean(dim=(1, 2, 3))
    return torch.cat([x, y.repeat(group).reshape(-1, 1, 1, 1).expand(-1, 1, height, width)], dim=1)


def deviating(packing: int) -> Network:
    """Two convolutions, then how much the images of a group differ."""

    def network(parameters: Parameters, images: Tensor) -> Tensor:
        x = images.reshape(BATCH // packing, packing, 16, 24)
        for name in ["input", "convs.0"]:
            weight, bias = parameters[f"{name}.weight"], parameters[f"{name}.bias"]
            x = F.leaky_relu(F.conv2d(x, weight, bias, stride=2, padding=1), 0.2)
        x = with_deviation(x).flatten(1)
        return F.linear(x, parameters["linear.weight"], parameters["linear.bias"])

    return network


def deviating_shapes(packing: int) -> dict[str, tuple[int, ...]]:
    return dcgan_shapes((packing, 16, 24), 2, 1) | {"linear.weight": (1, 4 * 6 * 5)}


def layer_normed(parameters: Parameters, images: Tensor) -> Tensor:
    """One convolution, then one with layer normalization over channels and pixels."""
    x = F.conv2d(images, parameters["input.weight"], parameters["input.bias"], stride=2, padding=1)
    x = F.leaky_relu(x, 0.2)
    x = F.conv2d(x, parameters["convs.0.weight"], stride=2, padding=1)
    x = F.group_norm(x, 1, parameters["norms.0.weight"], parameters["norms.0.bias"], eps=1e-5)
    x = F.leaky_relu(x, 0.2)
    return F.linear(x.flatten(1), parameters["linear.weight"], parameters["linear.bias"])


def layer_normed_shapes() -> dict[str, tuple[int, ...]]:
    plain = dcgan_shapes((1, 16, 24), 2, 1)
    return {
        "input.weight": plain["input.weight"],
        "input.bias": plain["input.bias"],
        "convs.0.weight": plain["convs.0.weight"],
        "norms.0.weight": (4,),
        "norms.0.bias": (4,),
        "linear.weight": plain["linear.weight"],
        "linear.bias": plain["linear.bias"],
    }


class Spectral:
    """`torch.nn.utils.parametrizations.spectral_norm` as a function of weights and vectors."""

    def __init__(self, parameters: Parameters) -> None:
        self.parameters = parameters
        self.after: dict[str, Tensor] = {}

    def __call__(self, name: str) -> Tensor:
        weight = self.parameters[f"{name}.weight"]
        flat = weight.flatten(1)
        with torch.no_grad():
            v = self.parameters[f"{name}.spectral.v"]
            u = F.normalize(flat @ v, dim=0, eps=1e-12)
            v = F.normalize(flat.T @ u, dim=0, eps=1e-12)
            self.after |= {f"{name}.spectral.u": u, f"{name}.spectral.v": v}
        return weight / (u @ (flat @ v))


def spectral(parameters: Parameters, images: Tensor) -> Tensor:
    weight = Spectral(parameters)
    x = F.conv2d(images, weight("input"), parameters["input.bias"], stride=2, padding=1)
    x = F.leaky_relu(x, 0.2)
    x = F.conv2d(x, weight("convs.0"), parameters["convs.0.bias"], stride=2, padding=1)
    x = F.leaky_relu(x, 0.2)
    return F.linear(x.flatten(1), weight("linear"), parameters["linear.bias"])


def spectral_shapes() -> dict[str, tuple[int, ...]]:
    shapes: dict[str, tuple[int, ...]] = {}
    for name, shape in dcgan_shapes((1, 16, 24), 2, 1).items():
        shapes[name] = shape
        if name.endswith("bias"):
            layer = name.removesuffix(".bias")
            weight = shapes[f"{layer}.weight"]
            shapes[f"{layer}.spectral.u"] = (weight[0],)
            shapes[f"{layer}.spectral.v"] = (math.prod(weight[1:]),)
    return shapes


def mlp_shapes(inputs: int, hidden: tuple[int, ...]) -> dict[str, tuple[int, ...]]:
    shapes: dict[str, tuple[int, ...]] = {}
    for layer, outputs in enumerate(hidden):
        shapes[f"hidden.{layer}.weight"] = (outputs, inputs)
        shapes[f"hidden.{layer}.bias"] = (outputs,)
        inputs = outputs
    return shapes | {"output.weight": (1, inputs), "output.bias": (1,)}


def norms(gradient: Tensor) -> Tensor:
    return gradient.flatten(1).norm(dim=1)


PENALTIES: dict[str, Callable[[Tensor], Tensor]] = {
    "r1": lambda gradient: 0.5 * norms(gradient).square().mean(),
    "gradient": lambda gradient: (norms(gradient) - 1).square().mean(),
}

# What public bug reports have had instead of the above.
WRONG: dict[str, dict[str, Callable[[Tensor], Tensor]]] = {
    "r1": {
        "norm over channels": lambda gradient: 0.5 * gradient.norm(dim=1).square().mean(),
        "norm over the batch": lambda gradient: 0.5 * gradient.norm().square(),
        "norm not squared": lambda gradient: 0.5 * norms(gradient).mean(),
        "no half": lambda gradient: norms(gradient).square().mean(),
        "no gradient": lambda gradient: 0.5 * norms(gradient.detach()).square().mean(),
    },
    "gradient": {
        "norm over channels": lambda gradient: (gradient.norm(dim=1) - 1).square().mean(),
        "norm over the batch": lambda gradient: (gradient.norm() - 1).square(),
        "1 not subtracted": lambda gradient: norms(gradient).square().mean(),
        "no gradient": lambda gradient: (norms(gradient.detach()) - 1).square().mean(),
    },
}


def penalty_case(
    network: str,
    settings: dict[str, object],
    image: tuple[int, int, int],
    shapes: dict[str, tuple[int, ...]],
    function: Network,
    packing: int = 1,
) -> dict[str, object]:
    parameters: Parameters = {}
    for index, (name, shape) in enumerate(shapes.items()):
        one_dimension = 1.0 if "spectral" in name else 0.05
        scale = one_dimension if len(shape) == 1 else math.sqrt(6 / fan_sum(shape))
        values = patterned(DISCRIMINATOR_OFFSET + index, scale, shape)
        if name.startswith("norms") and name.endswith("weight"):
            values = (values + 1).to(torch.float32).to(torch.float64)
        parameters[name] = values.requires_grad_("spectral" not in name)
    images = patterned(REAL_NUMBER, 1.0, (BATCH, *image)).requires_grad_()

    def input_gradient() -> Tensor:
        logits = function(parameters, images)
        (gradient,) = torch.autograd.grad(logits.sum(), images, create_graph=True)
        return gradient

    def of(penalty: Callable[[Tensor], Tensor]) -> dict[str, Any]:
        value = penalty(input_gradient())
        named = [(name, tensor) for name, tensor in parameters.items() if tensor.requires_grad]
        if value.requires_grad:
            tensors = [tensor for _, tensor in named]
            found = torch.autograd.grad(value, tensors, allow_unused=True)
        else:
            found = [None] * len(named)
        zeros = torch.zeros_like
        return {
            "value": value.item(),
            "gradients": {
                name: rounded(zeros(tensor) if gradient is None else gradient)
                for (name, tensor), gradient in zip(named, found)
            },
        }

    def lengths(found: dict[str, Any]) -> dict[str, Any]:
        """The norm of each gradient: enough to tell a wrong one."""
        gradients = found["gradients"].items()
        return {"value": found["value"], "lengths": {name: math.hypot(*values) for name, values in gradients}}

    iterated = Spectral(parameters)
    for name in shapes:
        if name.endswith("spectral.u"):
            iterated(name.removesuffix(".spectral.u"))
    return {
        "network": network,
        "settings": settings,
        "image": image,
        "logits": rounded(function(parameters, images).detach()),
        "buffers": {name: rounded(tensor) for name, tensor in iterated.after.items()},
        "input_gradient": rounded(input_gradient().detach()),
        "penalties": {name: of(penalty) for name, penalty in PENALTIES.items()},
        # As an objective has them, of the images that a logit is of together.
        "packing": packing,
        "of_logits": of(lambda gradient: PENALTIES["r1"](gradient.reshape(BATCH // packing, -1))),
        "wrong": {
            name: {mistake: lengths(of(penalty)) for mistake, penalty in mistakes.items()}
            for name, mistakes in WRONG.items()
        },
    }


def main() -> None:
    penalties = [
        penalty_case(
            "mlp",
            {"hidden_sizes": [5, 7]},
            (1, 6, 5),
            # The discriminator has the generator's widths in reverse order.
            mlp_shapes(30, (7, 5)),
            mlp(2),
        ),
        penalty_case(
            "dcgan",
            {"base_channels": 2},
            (1, 28, 28),
            dcgan_shapes((1, 28, 28), 2, 1),
            dcgan(1),
        ),
        penalty_case(
            "dcgan",
            {"base_channels": 2},
            (3, 16, 24),
            dcgan_shapes((3, 16, 24), 2, 1),
            dcgan(1),
        ),
        penalty_case(
            "dcgan",
            {"base_channels": 2, "discriminator_normalization": "layer"},
            (1, 16, 24),
            layer_normed_shapes(),
            layer_normed,
        ),
        penalty_case(
            "dcgan",
            {"base_channels": 2, "discriminator_normalization": "spectral"},
            (1, 16, 24),
            spectral_shapes(),
            spectral,
        ),
        penalty_case(
            "dcgan",
            {"base_channels": 2, "packing": 2},
            (1, 16, 24),
            dcgan_shapes((2, 16, 24), 2, 1),
            lambda p, images: dcgan(1)(p, images.reshape(BATCH // 2, 2, 16, 24)),
            packing=2,
        ),
        penalty_case(
            "dcgan",
            {"base_channels": 2, "minibatch_stddev": True},
            (1, 16, 24),
            deviating_shapes(1),
            deviating(1),
        ),
        penalty_case(
            "dcgan",
            {"base_channels": 2, "packing": 2, "minibatch_stddev": True},
            (1, 16, 24),
            deviating_shapes(2),
            deviating(2),
            packing=2,
        ),
        penalty_case(
            "resnet",
            {"base_channels": 2, "most_channels": 4, "expansion": 2},
            (1, 16, 16),
            resnet.discriminator_shapes(pixels=16),
            resnet.discriminator,
        ),
        penalty_case(
            "resnet",
            {"base_channels": 2, "most_channels": 4, "expansion": 2},
            (1, 28, 28),
            resnet.discriminator_shapes(pixels=49),
            resnet.discriminator,
        ),
    ]
    document = {
        "losses": [loss_case(name) for name in LOSSES],
        "smoothing": smoothing_case(),
        "penalties": penalties,
    }
    print(json.dumps(document, indent=None, separators=(",", ":")))


if __name__ == "__main__":
    main()
