"""What is sent instead of written: places, contacts, files; and whatever else comes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from shared.dialog.events import MessageReceived, Place, ReceivedFile, SharedContact
from shared.scenario.inputs.limits import Limits, Surroundings, Unfit
from shared.scenario.inputs.phones import region_of, shared
from shared.scenario.inputs.texts import extract

LARGEST_SIZE = 2**63 - 1
MAX_LATITUDE = 90
MAX_LONGITUDE = 180


def location(place: Place, _limits: Limits, _surroundings: Surroundings) -> dict[str, Any] | None:
    """The place as a map; None for one that is not on the Earth."""
    if not (abs(place.latitude) <= MAX_LATITUDE and abs(place.longitude) <= MAX_LONGITUDE):
        return None
    title = extract(place.title)
    point = {"latitude": float(place.latitude), "longitude": float(place.longitude)}
    return point | ({"title": title} if title else {})


def contact(given: SharedContact, limits: Limits, surroundings: Surroundings) -> dict[str, Any] | None:
    """The contact as a map, its phone in E.164 where it can be."""
    if limits.own and not given.own:
        raise Unfit("not_own_contact")
    region = limits.region or region_of(surroundings.language())
    phone, last_name = shared(given.phone, region) or extract(given.phone), extract(given.last_name)
    named = {"phone": phone, "first_name": extract(given.first_name)}
    return named | ({"last_name": last_name} if last_name else {}) if phone else None


def media(event: MessageReceived, limits: Limits, _surroundings: Surroundings) -> Any:
    """The file as a map; in a list where more than one is asked for."""
    file = event.file
    if file is None or not _is_accepted(file, limits.accept) or file.size > (limits.max_bytes or file.size):
        return None
    several = isinstance(limits.max, int) and limits.max > 1
    return [_map_of(file, event.text)] if several else _map_of(file, event.text)


def _is_accepted(file: ReceivedFile, accepted: Sequence[str] | None) -> bool:
    """Whether it is of a type that is accepted; a picture sent as a file is a picture all the same."""
    return accepted is None or file.type in accepted or file.content_type.partition("/")[0] in accepted


def _map_of(file: ReceivedFile, caption: str) -> dict[str, Any]:
    """Until the library has the file, `reference` is what its platform knows it by."""
    found = {
        "media_id": extract(file.media_id) or None,
        "type": file.type,
        "file_name": extract(file.file_name),
        "size": max(0, min(file.size, LARGEST_SIZE)),
        "caption": extract(caption),
    }
    return found if found["media_id"] else found | {"reference": extract(file.reference)}


def anything(event: MessageReceived, limits: Limits, surroundings: Surroundings) -> Any:
    """A text as it is; of anything else a map with its `type`."""
    if event.file is not None:
        return _map_of(event.file, event.text)
    if event.place is not None and (place := location(event.place, limits, surroundings)):
        return {"type": "location"} | place
    if event.contact is not None and (person := contact(event.contact, limits, surroundings)):
        return {"type": "contact"} | person
    return extract(event.text) or (None if event.content == "text" else {"type": event.content})
