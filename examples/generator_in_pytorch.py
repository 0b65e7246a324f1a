"""Opens a ganvas checkpoint in PyTorch: the same generator, the same images.

    ganvas generate RUN --count 16 --out digits.npy --save-noise z.npy
    python examples/generator_in_pytorch.py RUN/checkpoints/step-003750 z.npy digits.npy

loads the weights (the averaged ones where there are some, as `ganvas generate` does), makes images of the noise, and prints the
largest difference from those that ganvas made. Needs Python 3.11 and torch.
"""

import ast
import json
import math
import pathlib
import sys
import tomllib

import torch
from torch import nn


def floats(data, shape):
    """Little-endian 32-bit floats in C order."""
    return torch.frombuffer(bytearray(data), dtype=torch.float32).reshape(shape)


def npy(path):
    """A .npy file of version 1.0: magic, the length of a Python literal, the literal, the numbers."""
    data = path.read_bytes()
    start = 10 + int.from_bytes(data[8:10], "little")
    return floats(data[start:], ast.literal_eval(data[10:start].decode())["shape"])


def safetensors(path):
    """A safetensors file by hand: the length of a JSON header, the header, the numbers."""
    data = path.read_bytes()
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + length])
    tensors = {}
    for name, entry in header.items():
        if name != "__metadata__":
            start, end = entry["data_offsets"]
            tensors[name] = floats(data[8 + length + start : 8 + length + end], entry["shape"])
    return tensors


def features(rows, height, width):
    """A feature vector laid out (y, x, channel), as Keras has it, as images."""
    return rows.view(len(rows), height, width, -1).permute(0, 3, 1, 2)


class Blog(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(100, 3 * 3 * 512)
        self.conv1, self.norm1 = nn.ConvTranspose2d(512, 256, 3, 2), nn.BatchNorm2d(256, eps=1e-3)
        self.conv2, self.norm2 = nn.ConvTranspose2d(256, 128, 2, 2), nn.BatchNorm2d(128, eps=1e-3)
        self.conv3, self.pixel = nn.ConvTranspose2d(128, 64, 2, 2), nn.Linear(64, 1)

    def forward(self, z):
        x = features(self.linear(z), 3, 3)
        x = self.norm1(self.conv1(x).relu())
        x = self.norm2(self.conv2(x).relu())
        return self.pixel(self.conv3(x).tanh().permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


def norm(kind, channels):
    """What follows a layer."""
    match kind:
        case "batch":
            return nn.BatchNorm2d(channels)
        case "layer":
            return nn.GroupNorm(1, channels)
    return nn.Identity()


class Level(nn.Module):
    """The 3x3 convolutions of one size."""

    def __init__(self, kind, count, channels):
        super().__init__()
        bias = kind == "none"
        self.convs = nn.ModuleList(nn.Conv2d(channels, channels, 3, 1, 1, bias=bias) for _ in range(count))
        self.norms = nn.ModuleList(norm(kind, channels) for _ in range(count))

    def forward(self, x):
        for conv, norm in zip(self.convs, self.norms):
            x = norm(conv(x)).relu()
        return x


class Dcgan(nn.Module):
    def __init__(self, model, shape):
        super().__init__()
        latent, base = model["latent_size"], model["base_channels"]
        kind, count = model["generator_normalization"], model["generator_convolutions"]
        bias = kind == "none"
        channels, height, width = shape
        # As often as both sides can be halved and leave 4 pixels.
        halves = lambda levels: all(side % 2**levels == 0 and side >> levels >= 4 for side in (height, width))
        levels = next(levels for levels in (4, 3, 2) if halves(levels))
        self.start = height >> levels, width >> levels
        widest = base << (levels - 1)
        widths = [widest >> level for level in range(1, levels)]
        self.linear = nn.Linear(latent, self.start[0] * self.start[1] * widest, bias=bias)
        self.norm = norm(kind, widest)
        self.convs = nn.ModuleList(nn.ConvTranspose2d(2 * w, w, 4, 2, 1, bias=bias) for w in widths)
        self.norms = nn.ModuleList(norm(kind, w) for w in widths)
        self.levels = nn.ModuleList(Level(kind, count, w) for w in [widest, *widths])
        self.output = nn.ConvTranspose2d(base, channels, 4, 2, 1)

    def forward(self, z):
        x = self.norm(self.linear(z).view(len(z), -1, *self.start)).relu()
        x = self.levels[0](x)
        for conv, norm, level in zip(self.convs, self.norms, self.levels[1:]):
            x = level(norm(conv(x)).relu())
        return self.output(x).tanh()


def at_pixels(layer, x):
    return layer(x.movedim(1, -1)).movedim(-1, 1)


class Block(nn.Module):
    def __init__(self, width, inside):
        super().__init__()
        self.expand = nn.Linear(width, inside)
        self.conv = nn.Conv2d(inside, inside, 3, 1, 1)
        self.project = nn.Linear(inside, width, bias=False)

    def forward(self, x):
        leaky = nn.functional.leaky_relu
        y = leaky(at_pixels(self.expand, x), 0.2)
        return x + at_pixels(self.project, leaky(self.conv(y), 0.2))


class Transition(nn.Module):
    """Other channels, where they differ, and bilinear doubling."""

    def __init__(self, before, after):
        super().__init__()
        self.channels = nn.Identity() if before == after else nn.Linear(before, after, bias=False)

    def forward(self, x):
        x = at_pixels(self.channels, x)
        taps = torch.tensor([1.0, 3.0, 3.0, 1.0]) / 4
        kernel = (taps[:, None] * taps).expand(x.shape[1], 1, 4, 4)
        return nn.functional.conv_transpose2d(x, kernel, stride=2, padding=1, groups=x.shape[1])


class Resnet(nn.Module):
    def __init__(self, model, shape):
        super().__init__()
        channels, height, width = shape
        halves = lambda times: all(side % 2**times == 0 and side >> times >= 4 for side in (height, width))
        times = next(times for times in range(8, 1, -1) if halves(times))
        self.start = height >> times, width >> times
        base, most = model["base_channels"], max(model["most_channels"], model["base_channels"])
        widths = [min(base << time, most) for time in range(times, -1, -1)]
        self.per_stage = model["blocks"]
        self.linear = nn.Linear(model["latent_size"], widths[0])
        self.basis = nn.Parameter(torch.empty(widths[0], self.start[0] * self.start[1]))
        of_stage = lambda width: [Block(width, width * model["expansion"]) for _ in range(self.per_stage)]
        self.blocks = nn.ModuleList(block for width in widths for block in of_stage(width))
        self.transitions = nn.ModuleList(Transition(*pair) for pair in zip(widths, widths[1:]))
        self.output = nn.Linear(widths[-1], channels)

    def forward(self, z):
        x = (self.linear(z)[:, :, None] * self.basis).unflatten(2, self.start)
        for index, block in enumerate(self.blocks):
            if index and index % self.per_stage == 0:
                x = self.transitions[index // self.per_stage - 1](x)
            x = block(x)
        return at_pixels(self.output, x)


class Mlp(nn.Module):
    def __init__(self, latent, hidden, shape):
        super().__init__()
        widths = [latent, *hidden]
        self.shape = shape
        self.hidden = nn.ModuleList(nn.Linear(*pair) for pair in zip(widths, hidden))
        self.output = nn.Linear(widths[-1], math.prod(shape))

    def forward(self, z):
        for layer in self.hidden:
            z = layer(z).relu()
        return self.output(z).tanh().view(-1, *self.shape)


def generator(checkpoint):
    """The generator of a checkpoint's folder."""
    model = tomllib.loads((checkpoint / "config.toml").read_text())["model"]
    shape = json.loads((checkpoint / "state.json").read_text())["images"]["shape"]
    assert not model.get("conditional"), "a conditional generator is given classes, too, which this script does not read"
    match model["network"]:
        case "blog":
            network = Blog()
        case "dcgan":
            network = Dcgan(model, shape)
        case "resnet":
            network = Resnet(model, shape)
        case "mlp":
            network = Mlp(model["latent_size"], model["hidden_sizes"], shape)
    averaged = checkpoint / "ema_generator.safetensors"
    weights = safetensors(averaged if averaged.exists() else checkpoint / "generator.safetensors")
    missing, unexpected = network.load_state_dict(weights, strict=False)
    # A counter that only PyTorch's own training looks at.
    missing = [name for name in missing if not name.endswith("num_batches_tracked")]
    assert not missing and not unexpected, (missing, unexpected)
    return network.eval()


def main():
    checkpoint, noise, images = map(pathlib.Path, sys.argv[1:4])
    with torch.no_grad():
        found = generator(checkpoint)(npy(noise))
    expected = npy(images)
    assert found.shape == expected.shape, (found.shape, expected.shape)
    print(f"{len(found)} images, largest difference {(found - expected).abs().max():.1e}")


if __name__ == "__main__":
    main()
