"""Three updates of each optimizer by PyTorch in float64, for `optimizers.json`.

    pip install torch==2.9.0 numpy
    python tests/reference/optimizers.py > tests/reference/optimizers.json

Weights and gradients are those of `formula.py`; gradients are clipped by `clip_grad_norm_` where a case
says so, and weights cut as WGAN's are.
"""

from __future__ import annotations

import json
import math
from typing import Callable, Iterable

import torch
from formula import pattern
from torch import Tensor

torch.set_default_dtype(torch.float64)
SHAPES = {"weight": (3, 4), "bias": (3,)}
RATE = 0.01

Make = Callable[[Iterable[Tensor]], torch.optim.Optimizer]


def patterned(number: int, shape: tuple[int, ...]) -> Tensor:
    values = torch.tensor(pattern(number, math.prod(shape)))
    return values.to(torch.float32).to(torch.float64).reshape(shape)


CASES: dict[str, tuple[dict[str, object], Make, float, float]] = {
    "adam": (
        {"kind": "adam", "beta1": 0.5, "beta2": 0.9},
        lambda p: torch.optim.Adam(p, lr=RATE, betas=(0.5, 0.9)),
        0.0,
        0.0,
    ),
    "adamw": (
        {"kind": "adamw", "beta1": 0.5, "beta2": 0.9, "weight_decay": 0.1},
        lambda p: torch.optim.AdamW(p, lr=RATE, betas=(0.5, 0.9), weight_decay=0.1),
        0.0,
        0.0,
    ),
    "rmsprop": (
        {"kind": "rmsprop", "beta2": 0.9},
        lambda p: torch.optim.RMSprop(p, lr=RATE, alpha=0.9),
        0.0,
        0.0,
    ),
    "rmsprop with momentum": (
        {"kind": "rmsprop", "beta2": 0.9, "momentum": 0.7},
        lambda p: torch.optim.RMSprop(p, lr=RATE, alpha=0.9, momentum=0.7),
        0.0,
        0.0,
    ),
    "sgd": ({"kind": "sgd"}, lambda p: torch.optim.SGD(p, lr=RATE), 0.0, 0.0),
    "sgd with momentum": (
        {"kind": "sgd", "momentum": 0.7},
        lambda p: torch.optim.SGD(p, lr=RATE, momentum=0.7),
        0.0,
        0.0,
    ),
    "clipped": (
        {"kind": "sgd", "clip_gradients": 0.5},
        lambda p: torch.optim.SGD(p, lr=RATE),
        0.5,
        0.0,
    ),
    "clipped where nothing is above": (
        {"kind": "sgd", "clip_gradients": 50.0},
        lambda p: torch.optim.SGD(p, lr=RATE),
        50.0,
        0.0,
    ),
    "cut": (
        {"kind": "rmsprop", "beta2": 0.9, "clip_weights": 0.3},
        lambda p: torch.optim.RMSprop(p, lr=RATE, alpha=0.9),
        0.0,
        0.3,
    ),
}


def case(name: str) -> dict[str, object]:
    settings, make, clip, cut = CASES[name]
    parameters = {
        part: patterned(index, shape).requires_grad_()
        for index, (part, shape) in enumerate(SHAPES.items())
    }
    optimizer = make(parameters.values())
    norms = []
    for update in range(3):
        for index, (part, shape) in enumerate(SHAPES.items()):
            parameters[part].grad = patterned(100 * (update + 1) + index, shape)
        norm = torch.nn.utils.clip_grad_norm_(parameters.values(), clip if clip else math.inf)
        norms.append(norm.item())
        optimizer.step()
        if cut:
            with torch.no_grad():
                for tensor in parameters.values():
                    tensor.clamp_(-cut, cut)
    after = {
        part: [float(f"{value:.9g}") for value in tensor.detach().flatten().tolist()]
        for part, tensor in parameters.items()
    }
    return {"name": name, "settings": settings, "after": after, "norms": norms}


def main() -> None:
    print(json.dumps([case(name) for name in CASES], indent=None, separators=(",", ":")))


if __name__ == "__main__":
    main()
