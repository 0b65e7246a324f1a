"""Makes the pictures beside this file with Pillow, pypng and tifffile, and what they are to look like with Pillow.

python3 -m venv venv && venv/bin/pip install numpy pillow pypng tifffile && venv/bin/python crates/data/tests/own/make.py
"""

from pathlib import Path

import numpy as np
import png
import tifffile
from PIL import Image, ImageDraw, ImageOps

HERE = Path(__file__).parent
BACKGROUND = (10, 200, 90)
WIDTH, HEIGHT = 24, 16


def colours(width: int, height: int) -> Image.Image:
    """Gradients, and shapes that show which way is up."""
    x = np.linspace(0, 255, width)[None, :]
    y = np.linspace(0, 255, height)[:, None]
    planes = [x + 0 * y, y + 0 * x, 255 - (x + y) / 2]
    picture = Image.fromarray(np.stack(planes, axis=-1).astype(np.uint8), "RGB")
    draw = ImageDraw.Draw(picture)
    draw.rectangle([1, 1, width // 4, height // 3], fill=(250, 20, 30))
    draw.ellipse([width // 2, height // 2, width - 3, height - 3], fill=(20, 40, 220))
    return picture


def over(picture: Image.Image) -> Image.Image:
    """Laid over the background."""
    rgba = picture.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", rgba.size, BACKGROUND + (255,)), rgba).convert("RGB")


def main() -> None:
    expected: dict[str, np.ndarray] = {}

    def keep(name: str, picture: Image.Image) -> None:
        expected[name] = np.asarray(picture.convert("RGB"))

    rgb = colours(WIDTH, HEIGHT)
    grey = rgb.convert("L")
    alpha = Image.fromarray(np.tile(np.linspace(0, 255, WIDTH).astype(np.uint8), (HEIGHT, 1)), "L")
    rgba = rgb.copy()
    rgba.putalpha(alpha)
    grey_alpha = grey.copy()
    grey_alpha.putalpha(alpha)
    palette = rgb.quantize(16)

    for ending in ["png", "bmp", "tiff"]:
        rgb.save(HERE / f"rgb.{ending}")
        keep(f"rgb.{ending}", rgb)
        grey.save(HERE / f"grey.{ending}")
        keep(f"grey.{ending}", grey)
    rgb.save(HERE / "lzw.tiff", compression="tiff_lzw")
    keep("lzw.tiff", rgb)
    rgb.convert("CMYK").save(HERE / "cmyk.tiff")
    keep("cmyk.tiff", rgb.convert("CMYK"))
    rgba.save(HERE / "rgba.png")
    keep("rgba.png", over(rgba))
    grey_alpha.save(HERE / "la.png")
    keep("la.png", over(grey_alpha))
    palette.save(HERE / "palette.png")
    keep("palette.png", palette)
    palette.save(HERE / "holes.png", transparency=3)
    keep("holes.png", over(Image.open(HERE / "holes.png")))
    rgb.save(HERE / "rgb.webp", lossless=True)
    keep("rgb.webp", rgb)
    rgba.save(HERE / "rgba.webp", lossless=True, exact=True)
    keep("rgba.webp", over(rgba))

    deep = np.asarray(grey).astype(np.uint16) * 257
    png.from_array(deep.tolist(), "L;16").save(str(HERE / "grey16.png"))
    keep("grey16.png", grey)
    deep = np.asarray(rgb).astype(np.uint16) * 257
    png.from_array(deep.reshape(HEIGHT, -1).tolist(), "RGB;16").save(str(HERE / "rgb16.png"))
    keep("rgb16.png", rgb)
    tifffile.imwrite(HERE / "rgb16.tiff", deep, photometric="rgb")
    keep("rgb16.tiff", rgb)

    # Two frames: the first counts.
    palette.save(HERE / "two.gif", save_all=True, append_images=[Image.new("P", rgb.size)])
    keep("two.gif", Image.open(HERE / "two.gif"))

    # Formats that lose something: what Pillow reads in them.
    rgb.save(HERE / "rgb.jpg", quality=95, subsampling=0)
    grey.save(HERE / "grey.jpg", quality=95)
    rgb.convert("CMYK").save(HERE / "cmyk.jpg", quality=95, subsampling=0)
    rgb.save(HERE / "lossy.webp", quality=90)
    for name in ["rgb.jpg", "grey.jpg", "cmyk.jpg", "lossy.webp"]:
        keep(name, Image.open(HERE / name))
    for orientation in range(2, 9):
        name = f"orientation-{orientation}.jpg"
        exif = Image.Exif()
        exif[0x0112] = orientation
        rgb.save(HERE / name, quality=95, subsampling=0, exif=exif)
        keep(name, ImageOps.exif_transpose(Image.open(HERE / name)))
    np.savez_compressed(HERE / "expected.npz", **expected)

    # Pillow's filters.
    large = colours(97, 61)
    noise = np.random.default_rng(1).integers(-40, 41, (61, 97, 3))
    large = Image.fromarray(np.clip(np.asarray(large).astype(int) + noise, 0, 255).astype(np.uint8), "RGB")
    large.save(HERE / "large.png")
    lanczos = Image.Resampling.LANCZOS
    np.savez_compressed(
        HERE / "fitted.npz",
        crop=np.asarray(large.crop((18, 0, 79, 61)).resize((32, 32), lanczos)),
        pad=np.asarray(ImageOps.pad(large, (32, 32), lanczos, color=BACKGROUND)),
        stretch=np.asarray(large.resize((32, 32), lanczos)),
        larger=np.asarray(large.resize((128, 128), lanczos)),
    )


if __name__ == "__main__":
    main()
