"""Places, contacts, files, and whatever else comes."""

from __future__ import annotations

from typing import Any

import pytest

from shared.dialog.events import Place, ReceivedFile, SharedContact
from shared.scenario.inputs import NO_LIMITS, Limits
from tests.scenario.inputs.answers import take

PHOTO = ReceivedFile("image", reference="AgAC", content_type="image/jpeg", size=1000)
DOCUMENT = ReceivedFile("file", "BQAC", "passport.pdf", "application/pdf", 5000, "m-1")
IVAN = SharedContact("79990000000", "Ivan", "Petrov", own=True)


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (Place(55.75, 37.61), {"latitude": 55.75, "longitude": 37.61}),
        (Place(-90, 180, " Café\x00 "), {"latitude": -90.0, "longitude": 180.0, "title": "Café"}),
        (Place(0, 0, "\ud800"), {"latitude": 0.0, "longitude": 0.0}),
        (Place(90.1, 0), "!not_location"),
        (Place(0, -180.5), "!not_location"),
        (Place(float("nan"), 0), "!not_location"),
        (Place(0, float("inf")), "!not_location"),
        (None, "!not_location"),
    ],
)
def test_a_place(place: Place | None, value: Any) -> None:
    assert take("location", content="location", place=place) == value


def test_a_place_is_not_typed() -> None:
    assert take("location", "55.75, 37.61") == "!not_location"


@pytest.mark.parametrize(
    ("contact", "limits", "value"),
    [
        (IVAN, NO_LIMITS, {"phone": "+79990000000", "first_name": "Ivan", "last_name": "Petrov"}),
        (SharedContact("+12025550123"), NO_LIMITS, {"phone": "+12025550123", "first_name": ""}),
        (SharedContact("112", "\ud800SOS"), NO_LIMITS, {"phone": "112", "first_name": "SOS"}),
        (SharedContact("", "Ivan"), NO_LIMITS, "!not_contact"),
        (IVAN, Limits(own=True), {"phone": "+79990000000", "first_name": "Ivan", "last_name": "Petrov"}),
        (SharedContact("+12025550123"), Limits(own=True), "!not_own_contact"),
        (SharedContact("+12025550123"), Limits(own=False), {"phone": "+12025550123", "first_name": ""}),
        (None, Limits(own=True), "!not_contact"),
    ],
)
def test_a_contact(contact: SharedContact | None, limits: Limits, value: Any) -> None:
    assert take("contact", limits=limits, content="contact", contact=contact) == value


def test_a_file_of_the_library_is_known_by_its_id() -> None:
    assert take("media", " My passport ", content="file", file=DOCUMENT) == {
        "media_id": "m-1",
        "type": "file",
        "file_name": "passport.pdf",
        "size": 5000,
        "caption": "My passport",
    }


def test_any_other_file_keeps_what_its_platform_knows_it_by() -> None:
    assert take("media", content="image", file=PHOTO) == {
        "media_id": None,
        "type": "image",
        "file_name": "",
        "size": 1000,
        "caption": "",
        "reference": "AgAC",
    }


@pytest.mark.parametrize(
    ("file", "limits", "fits"),
    [
        (PHOTO, Limits(accept=["image"]), True),
        (PHOTO, Limits(accept=["file", "video"]), False),
        (DOCUMENT, Limits(accept=["file"]), True),
        (DOCUMENT, Limits(accept=["image"]), False),
        (ReceivedFile("file", content_type="image/png"), Limits(accept=["image"]), True),
        (ReceivedFile("file", content_type="image/png"), Limits(accept=["video"]), False),
        (PHOTO, Limits(max_bytes=1000), True),
        (PHOTO, Limits(max_bytes=999), False),
        (ReceivedFile("image"), Limits(max_bytes=1), True),
        (None, NO_LIMITS, False),
    ],
)
def test_limits_of_a_file(file: ReceivedFile | None, limits: Limits, *, fits: bool) -> None:
    assert (take("media", limits=limits, content="image", file=file) != "!not_media") is fits


@pytest.mark.parametrize(("most", "is_list"), [(None, False), (1, False), (2, True), (10, True)])
def test_several_files_come_as_a_list(most: int | None, *, is_list: bool) -> None:
    value = take("media", limits=Limits(max=most), content="image", file=PHOTO)
    assert isinstance(value, list) is is_list


def test_what_a_platform_tells_of_a_file_is_made_safe() -> None:
    odd = ReceivedFile("file", "\ud800r", "\x00a.txt", size=-5)
    found = take("media", content="file", file=odd)
    assert (found["reference"], found["file_name"], found["size"]) == ("r", "a.txt", 0)


@pytest.mark.parametrize(
    ("sent", "value"),
    [
        ({"text": " Hi "}, "Hi"),
        ({"text": ""}, "!not_text"),
        (
            {"place": Place(1, 2), "content": "location"},
            {"type": "location", "latitude": 1.0, "longitude": 2.0},
        ),
        (
            {"contact": IVAN, "content": "contact"},
            {"type": "contact", "phone": "+79990000000", "first_name": "Ivan", "last_name": "Petrov"},
        ),
        ({"content": "sticker"}, {"type": "sticker"}),
        ({"content": "unsupported"}, {"type": "unsupported"}),
        ({"content": "unsupported", "text": "caption"}, "caption"),
        ({"place": Place(200, 0), "content": "location"}, {"type": "location"}),
    ],
)
def test_anything(sent: dict[str, Any], value: Any) -> None:
    assert take("any", **sent) == value


def test_anything_may_be_a_file_with_a_caption() -> None:
    found = take("any", "My passport", content="file", file=DOCUMENT)
    assert (found["type"], found["caption"]) == ("file", "My passport")
