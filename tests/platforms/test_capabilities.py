from __future__ import annotations

import pytest

from shared.platforms import PLATFORMS, adapter_for
from shared.platforms.base import Capabilities, MediaLimits

CAN = Capabilities(
    max_text=1,
    max_buttons=1,
    max_button_label=1,
    media={
        "image": MediaLimits(10, frozenset({"image/png"}), max_sides=100, max_ratio=4),
        "audio": MediaLimits(10),
        "file": MediaLimits(20),
    },
)


@pytest.mark.parametrize(
    ("file", "shown"),
    [
        pytest.param(("image", "image/png", 10, 80, 20), "image", id="up to the limits"),
        pytest.param(("image", "image/png", 10, 20, 80), "image", id="up to the limits, upright"),
        pytest.param(("image",), "image", id="of which nothing is known"),
        pytest.param(("image", "Image/PNG ; q=1"), "image", id="whose type has parameters"),
        pytest.param(("image", "image/png", 11), "file", id="too large"),
        pytest.param(("image", "image/png", 10, 51, 50), "file", id="too wide and high"),
        pytest.param(("image", "image/png", 10, 81, 19), "file", id="too long for its height"),
        pytest.param(("image", "image/png", 10, 19, 81), "file", id="too high for its width"),
        pytest.param(("image", "image/png", 10, 81, 0), "image", id="of which one side is not known"),
        pytest.param(("image", "image/gif"), "file", id="of another type"),
        pytest.param(("audio", "audio/x-anything"), "audio", id="where any type will do"),
        pytest.param(("video", "video/mp4", 1), "file", id="which is shown nowhere"),
        pytest.param(("image", "image/png", 21), "", id="too large for a file too"),
        pytest.param(("file", "text/plain", 20), "file", id="a file"),
        pytest.param(("file", "text/plain", 21), "", id="a file too large"),
    ],
)
def test_a_file_is_shown_as_what_it_is_or_as_a_file_or_not(file: tuple[str, ...], shown: str) -> None:
    assert CAN.shown_as(*file) == shown  # type: ignore[arg-type]


def test_where_nothing_is_shown_only_the_address_can_be_told() -> None:
    assert Capabilities(max_text=1, max_buttons=1, max_button_label=1).shown_as("image") == ""


@pytest.mark.parametrize("platform", PLATFORMS)
def test_every_messenger_takes_a_jpeg_and_a_document(platform: str) -> None:
    """What is too large or of another kind is made one of these."""
    can = adapter_for(platform).capabilities
    assert can.shown_as("image", "image/jpeg", 1_000_000) == "image"
    assert can.shown_as("file", "application/pdf", 50_000_000) == "file"
