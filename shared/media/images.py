"""Images: read by Pillow, written anew without anything but the picture, and made to fit messengers.

Pillow is dear to import and reads strangers' bytes: only the Lambda of the library imports this module.
"""

from __future__ import annotations

import io
import struct
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, Any, Final

from PIL import Image, ImageOps, ImageSequence

from shared.media.kinds import CUT_OFF, JPEG, Kind, Unfit
from shared.platforms.base import MediaLimits

MAX_PIXELS: Final = 40_000_000
"""Of one image; it takes four bytes for each, and some more while it is turned."""

MAX_PIXELS_OF_ALL_FRAMES: Final = 60_000_000

MAX_FRAMES: Final = 2_000
"""However small they are: a file of 50 MB may have millions."""

_FORMATS: Final = {"image/jpeg": "JPEG", "image/png": "PNG", "image/webp": "WEBP", "image/gif": "GIF"}
_OPTIONS: Final[dict[str, dict[str, Any]]] = {
    "JPEG": {"quality": 90},
    "PNG": {},
    "WEBP": {"quality": 90},
    "GIF": {"comment": b""},
}
_VARIANT_QUALITIES: Final = (88, 75)
_SHRINK: Final = 0.8
_LONGEST_SIDE_OF_JPEG: Final = 65_500
_MAX_PROFILE_BYTES: Final = 100_000
_DECODERS_FAIL_WITH: Final = (
    ArithmeticError,
    EOFError,
    LookupError,
    OSError,
    RuntimeError,
    SyntaxError,
    TypeError,
    ValueError,
    struct.error,
)
"""What Pillow raises on bytes that are no image, or a hostile one."""

Image.MAX_IMAGE_PIXELS = MAX_PIXELS


@dataclass(frozen=True, slots=True)
class Picture:
    """An image as it is kept, open to be read."""

    body: IO[bytes]
    content_type: str
    size: int
    width: int
    height: int
    is_animated: bool = False


def cleaned(body: IO[bytes], kind: Kind) -> Picture:
    """The image written anew: upright, and without place, camera, comments or what was hidden behind it.

    Raises `Unfit` for what cannot be read, or would take too much room.
    """
    with _read(body, kind) as image:
        format_ = _FORMATS[kind.content_type]
        if image.width * image.height > MAX_PIXELS:
            raise _too_many_pixels()
        if _moves(image):
            return _picture(image, _animation(image, format_), kind.content_type, is_animated=True)
        upright = _upright(image)
        return _picture(upright, _still(upright, image, format_), kind.content_type)


def made_to_fit(picture: Picture, limits: Mapping[str, MediaLimits]) -> dict[str, Picture]:
    """JPEGs for the messengers whose limits the picture exceeds, by messenger.

    One that moves, and a strip, go as they are: to those that do not show them, as a file.
    """
    if picture.is_animated:
        return {}
    exceeded = {
        platform: limit
        for platform, limit in limits.items()
        if not limit.take(picture.content_type, picture.size, picture.width, picture.height)
        and limit.take(JPEG.content_type, 0)
        and not limit.is_too_narrow(picture.width, picture.height)
    }
    made: dict[MediaLimits, Picture] = {}
    for limit in exceeded.values():
        if limit not in made:
            made[limit] = _fitted(picture, limit)
    return {platform: made[limit] for platform, limit in exceeded.items()}


@contextmanager
def _read(body: IO[bytes], kind: Kind) -> Iterator[Image.Image]:
    body.seek(0)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # of metadata in disorder, which is not kept
            with Image.open(body, formats=[_FORMATS[kind.content_type]]) as image:
                yield image
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise _too_many_pixels() from None
    except _DECODERS_FAIL_WITH:
        raise Unfit(CUT_OFF, "broken") from None


def _too_many_pixels() -> Unfit:
    return Unfit(
        f"The image has too many pixels: {MAX_PIXELS // 1_000_000} million are the most, and "
        f"{MAX_PIXELS_OF_ALL_FRAMES // 1_000_000} million of all frames of one that moves. Make it smaller.",
        "too_many_pixels",
    )


def _moves(image: Image.Image) -> bool:
    """Whether it is an animation. A JPEG of several is a photo and what the camera adds to it."""
    frames: int = 1 if image.format == "MPO" else getattr(image, "n_frames", 1)
    if frames > MAX_FRAMES:
        raise Unfit(f"The image has {frames} frames; {MAX_FRAMES} are the most.", "too_many_frames")
    if frames > 1 and image.width * image.height * frames > MAX_PIXELS_OF_ALL_FRAMES:
        raise _too_many_pixels()
    return frames > 1


def _upright(image: Image.Image) -> Image.Image:
    turned = ImageOps.exif_transpose(image)
    if turned.mode in {"CMYK", "YCCK", "LAB", "HSV"}:
        return turned.convert("RGB")
    return turned


def _still(upright: Image.Image, original: Image.Image, format_: str) -> bytes:
    options = _OPTIONS[format_]
    profile = original.info.get("icc_profile") if upright.mode == original.mode else None
    if profile and len(profile) <= _MAX_PROFILE_BYTES:
        options = {**options, "icc_profile": profile}
    upright.info = _kept(upright)
    return _written(upright, format_, **options)


def _animation(image: Image.Image, format_: str) -> bytes:
    loop = image.info.get("loop", 0)
    frames, durations = [], []
    for frame in ImageSequence.Iterator(image):
        frame.load()  # WebP tells how long a frame stands only then
        durations.append(int(frame.info.get("duration", 100)))
        copied = frame.convert("RGBA") if format_ != "GIF" else frame.copy()
        copied.info = _kept(frame)
        frames.append(copied)
    return _written(
        frames[0],
        format_,
        save_all=True,
        append_images=frames[1:],
        duration=durations,
        loop=loop,
        **_OPTIONS[format_],
    )


def _kept(image: Image.Image) -> dict[str | tuple[int, int], Any]:
    """What belongs to the picture, of all that its file says."""
    return {name: value for name, value in image.info.items() if name == "transparency"}


def _fitted(picture: Picture, limit: MediaLimits) -> Picture:
    """The largest JPEG, in steps, that the messenger takes."""
    picture.body.seek(0)
    with Image.open(picture.body) as image:
        opaque = _on_white(image)
    scale = min(1.0, _LONGEST_SIDE_OF_JPEG / max(opaque.size))
    if limit.max_sides:
        scale = min(scale, limit.max_sides / sum(opaque.size))
    while True:
        scaled = _scaled(opaque, scale)
        for quality in _VARIANT_QUALITIES:
            fitted = _picture(scaled, _written(scaled, "JPEG", quality=quality), JPEG.content_type)
            if limit.take(fitted.content_type, fitted.size):
                return fitted
        scale *= _SHRINK


def _on_white(image: Image.Image) -> Image.Image:
    if not image.has_transparency_data:
        return image.convert("RGB")
    layered = image.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", layered.size, "white"), layered).convert("RGB")


def _scaled(image: Image.Image, scale: float) -> Image.Image:
    if scale == 1:
        return image
    size = (max(1, int(image.width * scale)), max(1, int(image.height * scale)))
    return image.resize(size, Image.Resampling.LANCZOS)


def _written(image: Image.Image, format_: str, **options: Any) -> bytes:
    output = io.BytesIO()
    image.save(output, format_, **options)
    return output.getvalue()


def _picture(image: Image.Image, content: bytes, content_type: str, *, is_animated: bool = False) -> Picture:
    return Picture(io.BytesIO(content), content_type, len(content), image.width, image.height, is_animated)
