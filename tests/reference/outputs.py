"""Reads with NumPy and Pillow what `ganvas generate` and `ganvas interpolate` wrote, and compares the forms with each other.

    for form in npy npz idx.gz; do ganvas generate RUN --seeds 0-11 --out DIR/images.$form; done
    ganvas generate RUN --seeds 0-11 --out DIR/images/
    ganvas generate RUN --seeds 0-11 --grid 4x3 --out DIR/images.png
    for form in gif apng npy; do ganvas interpolate RUN --seeds 3,7 --steps 5 --out DIR/way.$form; done
    python tests/reference/outputs.py DIR

Needs NumPy and Pillow; prints a line for each form.
"""

import gzip
import pathlib
import struct
import sys

import numpy as np
from PIL import Image, ImageSequence


def as_bytes(floats):
    """[count, channels, height, width], -1 black and 1 white, as bytes with channels last, rounded as ganvas does (`denormalize`)."""
    one, two = np.float32(1), np.float32(2)
    brightness = ((np.moveaxis(floats, 1, 3) + one) / two).clip(0, 1) * np.float32(255)
    return np.floor(brightness.astype(np.float64) + 0.5).astype(np.uint8)


def same(what, found, expected):
    assert found.shape == expected.shape, f"{what}: {found.shape}, expected {expected.shape}"
    differing = (found != expected).sum()
    assert differing == 0, f"{what}: {differing} of {found.size} bytes differ"
    print(f"{what}: {found.shape}, the same")


def near(what, found, expected, most):
    """As `same`, but for a difference of `most` on average."""
    assert found.shape == expected.shape, f"{what}: {found.shape}, expected {expected.shape}"
    difference = np.abs(found.astype(int) - expected.astype(int)).mean()
    assert difference <= most, f"{what}: differs by {difference} on average"
    print(f"{what}: {found.shape}, differs by {difference:.4f} on average")


def pixels(image, channels):
    return np.asarray(image.convert("L" if channels == 1 else "RGB")).reshape(image.height, image.width, channels)


def idx(path):
    data = gzip.decompress(path.read_bytes())
    zeros, kind, axes = struct.unpack(">HBB", data[:4])
    assert (zeros, kind) == (0, 8)
    shape = struct.unpack(f">{axes}I", data[4 : 4 + 4 * axes])
    return np.frombuffer(data[4 + 4 * axes :], np.uint8).reshape(shape)


def tiles(grid, count, columns, height, width):
    """The images of a grid, whose gaps are as wide around it as between its images, each of which is enlarged alike."""
    rows = -(-count // columns)
    gap = next(
        gap
        for gap in range(9)
        if (grid.shape[0] - gap) % rows == 0 and ((grid.shape[0] - gap) // rows - gap) % height == 0
        and ((grid.shape[1] - gap) // columns - gap) % width == 0
    )
    scale = ((grid.shape[1] - gap) // columns - gap) // width
    places = [(gap + (i // columns) * (height * scale + gap), gap + (i % columns) * (width * scale + gap)) for i in range(count)]
    return np.stack([grid[y : y + height * scale : scale, x : x + width * scale : scale] for y, x in places])


def main():
    folder = pathlib.Path(sys.argv[1])
    floats = np.load(folder / "images.npy")
    assert floats.dtype == np.float32
    expected = as_bytes(floats)
    count, height, width, channels = expected.shape
    same("images.npz", np.load(folder / "images.npz")["arr_0"], expected)
    if channels == 1:
        same("images.idx.gz", idx(folder / "images.idx.gz").reshape(expected.shape), expected)
    files = sorted((folder / "images").glob("*.png"))
    assert [file.name for file in files] == [f"seed{seed:04}.png" for seed in range(count)]
    same("images/", np.stack([pixels(Image.open(file), channels) for file in files]), expected)
    grid = pixels(Image.open(folder / "images.png"), channels)
    same("images.png", tiles(grid, count, 4, height, width), expected)

    way = as_bytes(np.load(folder / "way.npy"))
    for name in ["way.gif", "way.apng"]:
        moving = Image.open(folder / name)
        assert moving.is_animated and moving.info["loop"] == 0
        frames = [tiles(pixels(frame, channels), 1, 1, height, width) for frame in ImageSequence.Iterator(moving)]
        # It goes on to the first image again, in a larger batch, whose images are the same but for rounding. A palette has all shades of grey, and not all
        # colours.
        most = 8 if channels == 3 and name == "way.gif" else 0.001
        near(name, np.concatenate(frames)[: len(way)], way, most)


if __name__ == "__main__":
    main()
