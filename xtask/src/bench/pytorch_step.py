"""Times GAN training steps in PyTorch eager, for `cargo xtask bench --with-pytorch`.

The same networks, losses and optimizers as `crates/model` and `configs/`, written as a PyTorch user writes them
(`torch.nn` layers, default memory layout, float32). Prints one JSON object.

    python pytorch_step.py --network blog --batch-size 256 [--channels-last] [--device cpu]
    python pytorch_step.py --network dcgan --image-size 64 --channels 3 --base-channels 32 --batch-size 64
"""

import argparse
import json
import resource
import sys
import time

import torch
import torch.nn.functional as F
from torch import nn

LATENT = {"blog": 100, "mlp": 64}


class Unflatten(nn.Module):
    """A feature vector laid out (y, x, channel) as an image, as Keras' Reshape has it."""

    def __init__(self, side, channels):
        super().__init__()
        self.side, self.channels = side, channels

    def forward(self, x):
        return x.view(-1, self.side, self.side, self.channels).permute(0, 3, 1, 2).contiguous()


class PerPixelLinear(nn.Linear):
    """A Dense layer over the channels of every pixel."""

    def forward(self, x):
        return super().forward(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


def blog():
    """The Keras blog post's pair (crates/model/src/networks/blog.rs)."""
    norm = lambda channels: nn.BatchNorm2d(channels, eps=1e-3, momentum=0.01)
    generator = nn.Sequential(
        nn.Linear(100, 3 * 3 * 512), Unflatten(3, 512),
        nn.ConvTranspose2d(512, 256, 3, 2), nn.ReLU(), norm(256),
        nn.ConvTranspose2d(256, 128, 2, 2), nn.ReLU(), norm(128),
        nn.ConvTranspose2d(128, 64, 2, 2), nn.Tanh(), PerPixelLinear(64, 1),
    )  # fmt: skip
    discriminator = nn.Sequential(
        nn.Conv2d(1, 64, 4, 2), nn.ReLU(), norm(64),
        nn.Conv2d(64, 128, 4, 3), nn.ReLU(), norm(128),
        nn.Conv2d(128, 256, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(256, 1),
    )  # fmt: skip
    return generator, discriminator, dict(lr=1e-4, betas=(0.9, 0.999), eps=1e-7)


def dcgan(size, channels, base, latent):
    """The DCGAN of configs/dcgan.toml for images of any size (crates/model/src/networks/dcgan.rs)."""
    levels = next(levels for levels in (4, 3, 2) if size % 2**levels == 0 and size >> levels >= 4)
    start, widths = size >> levels, [base << level for level in range(levels)]
    wide = widths[-1]
    generator = [
        nn.Linear(latent, start * start * wide, bias=False), nn.Unflatten(1, (wide, start, start)), nn.BatchNorm2d(wide), nn.ReLU(),
    ]  # fmt: skip
    for inside, outside in zip(widths[:0:-1], widths[-2::-1]):
        up = nn.ConvTranspose2d(inside, outside, 4, 2, 1, bias=False)
        generator += [up, nn.BatchNorm2d(outside), nn.ReLU()]
    generator += [nn.ConvTranspose2d(base, channels, 4, 2, 1), nn.Tanh()]
    discriminator = [nn.Conv2d(channels, base, 4, 2, 1), nn.LeakyReLU(0.2)]
    for inside, outside in zip(widths, widths[1:]):
        down = nn.Conv2d(inside, outside, 4, 2, 1, bias=False)
        discriminator += [down, nn.BatchNorm2d(outside), nn.LeakyReLU(0.2)]
    discriminator += [nn.Flatten(), nn.Linear(start * start * wide, 1)]
    return nn.Sequential(*generator), nn.Sequential(*discriminator), dict(lr=7e-4, betas=(0.5, 0.999), eps=1e-8)


def mlp():
    """The fully connected pair of configs/mlp.toml (crates/model/src/networks/mlp.rs)."""
    generator = nn.Sequential(
        nn.Linear(64, 256), nn.ReLU(), nn.Linear(256, 512), nn.ReLU(), nn.Linear(512, 784), nn.Tanh(),
        nn.Unflatten(1, (1, 28, 28)),
    )  # fmt: skip
    discriminator = nn.Sequential(
        nn.Flatten(), nn.Linear(784, 512), nn.LeakyReLU(0.2), nn.Linear(512, 256), nn.LeakyReLU(0.2), nn.Linear(256, 1)
    )
    return generator, discriminator, dict(lr=2e-4, betas=(0.5, 0.999), eps=1e-8)


def step(generator, discriminator, optimizers, real, z):
    """One simultaneous update; `crates/training/src/step/training_step.rs` does the same."""
    optimizer_g, optimizer_d = optimizers
    fake = generator(z)
    fake_logits, real_logits = discriminator(fake.detach()), discriminator(real)
    loss_d = F.softplus(-real_logits).mean() + F.softplus(fake_logits).mean()
    gradients_d = torch.autograd.grad(loss_d, list(discriminator.parameters()))
    # The generator's loss needs no gradients of the discriminator's weights.
    discriminator.requires_grad_(False)
    loss_g = F.softplus(-discriminator(fake)).mean()
    optimizer_g.zero_grad(set_to_none=True)
    loss_g.backward()
    discriminator.requires_grad_(True)
    for parameter, gradient in zip(discriminator.parameters(), gradients_d):
        parameter.grad = gradient
    optimizer_d.step()
    optimizer_g.step()
    return loss_d, loss_g


def peak_memory():
    """The most memory the process held, in bytes (Linux counts in KiB, macOS in bytes)."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--network", choices=["blog", "dcgan", "mlp"], required=True)
    parser.add_argument("--batch-size", type=int, required=True)
    parser.add_argument("--image-size", type=int, default=28, help="of dcgan")
    parser.add_argument("--channels", type=int, default=1, help="of dcgan's images")
    parser.add_argument("--base-channels", type=int, default=32, help="of dcgan")
    parser.add_argument("--latent-size", type=int, default=64, help="of dcgan")
    parser.add_argument("--warm-up", type=int, default=3)
    parser.add_argument("--steps", type=int, default=5, help="timed steps at least")
    parser.add_argument("--seconds", type=float, default=3.0, help="that the timed steps take at least")
    parser.add_argument("--channels-last", action="store_true")
    parser.add_argument("--device", default="cpu")
    arguments = parser.parse_args()

    torch.manual_seed(1)
    device = torch.device(arguments.device)
    layout = torch.channels_last if arguments.channels_last else torch.contiguous_format
    size, channels = arguments.image_size, arguments.channels
    networks = {"blog": blog, "dcgan": lambda: dcgan(size, channels, arguments.base_channels, arguments.latent_size), "mlp": mlp}
    generator, discriminator, adam = networks[arguments.network]()
    if arguments.network != "dcgan":
        assert (size, channels) == (28, 1), "blog and mlp are of 28x28 pixels here"
    latent = LATENT.get(arguments.network, arguments.latent_size)
    generator = generator.to(device, memory_format=layout).train()
    discriminator = discriminator.to(device, memory_format=layout).train()
    optimizers = [torch.optim.Adam(network.parameters(), **adam) for network in (generator, discriminator)]

    def synchronize():
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        elif device.type == "mps":
            torch.mps.synchronize()

    seconds = []
    first = None
    done = 0
    while len(seconds) < arguments.steps or sum(seconds) < arguments.seconds:
        # Made outside the time: ganvas, too, has its batches ready when a step begins.
        real = (torch.rand(arguments.batch_size, channels, size, size) * 2 - 1).to(device, memory_format=layout)
        z = torch.randn(arguments.batch_size, latent).to(device)
        synchronize()
        start = time.perf_counter()
        losses = step(generator, discriminator, optimizers, real, z)
        synchronize()
        done += 1
        if done > arguments.warm_up:
            seconds.append(time.perf_counter() - start)
        first = first or time.time()
    assert all(bool(torch.isfinite(loss)) for loss in losses), losses
    print(
        json.dumps(
            {
                "device": str(device),
                "version": torch.__version__,
                "threads": torch.get_num_threads(),
                "step_seconds": seconds,
                "first_step_at": first,
                "peak_memory_bytes": peak_memory(),
            }
        )
    )


if __name__ == "__main__":
    main()
