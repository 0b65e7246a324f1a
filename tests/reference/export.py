"""Makes images with what `ganvas export` wrote, and prints how far they are from those that ganvas made.

    ganvas export RUN --out DIR
    ganvas generate RUN --count 9 --out images.npy --save-noise z.npy
    python tests/reference/export.py DIR z.npy images.npy [CLASS]

CLASS is the class that all images were made of. Needs NumPy and what it finds of onnxruntime and torch with safetensors; prints a line for each.
"""

import importlib.util
import pathlib
import sys

import numpy as np


def has(*modules):
    return all(importlib.util.find_spec(module) for module in modules)


def with_onnxruntime(folder, z, classes):
    import onnxruntime

    session = onnxruntime.InferenceSession(folder / "generator.onnx", providers=["CPUExecutionProvider"])
    assert [output.name for output in session.get_outputs()] == ["images"]
    feed = {"z": z} if classes is None else {"z": z, "class": classes}
    assert [value.name for value in session.get_inputs()] == list(feed)
    images = session.run(None, feed)[0]
    # The batch is free.
    one = session.run(None, {name: values[:1] for name, values in feed.items()})[0]
    assert one.shape == (1, *images.shape[1:]) and np.abs(one - images[:1]).max() < 1e-5
    return images


def with_torch(folder, z, classes):
    import torch

    sys.path.insert(0, str(folder))
    import generator

    network = generator.load()
    inputs = [torch.from_numpy(values) for values in (z, classes) if values is not None]
    with torch.no_grad():
        return network(*inputs).numpy()


def main():
    folder, noise, images = map(pathlib.Path, sys.argv[1:4])
    z, expected = np.load(noise), np.load(images)
    classes = np.full(len(z), int(sys.argv[4])) if len(sys.argv) > 4 else None
    if has("onnx"):
        import onnx

        onnx.checker.check_model(onnx.load(folder / "generator.onnx"), full_check=True)
    for name, make, modules in [
        ("onnxruntime", with_onnxruntime, ["onnxruntime"]),
        ("torch", with_torch, ["torch", "safetensors"]),
    ]:
        if has(*modules):
            found = make(folder, z, classes)
            assert found.shape == expected.shape, (found.shape, expected.shape)
            difference = np.abs(found - expected).max()
            print(f"{name} {len(found)} images, largest difference {difference:.1e}")
            assert difference < 1e-5


if __name__ == "__main__":
    main()
