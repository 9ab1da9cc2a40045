"""Routes that take a file in a form, or JSON that announces one."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import ClassVar, Final, TypeVar

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ValidationError
from starlette.datastructures import FormData, UploadFile

from shared.admin_api.api_route import ApiRoute, Handle
from shared.admin_api.door import Bound
from shared.admin_api.json_route import JsonRoute
from shared.admin_api.problems import pointer, violations_of
from shared.errors import Invalid, TooLarge, Violation

MAX_FORM_FILE_BYTES: Final = 4 * 1024 * 1024
"""Lambda takes 6 MB of a request, and API Gateway hands forms over in base64."""

_ROOM_FOR_THE_FORM: Final = 16 * 1024
_FORM: Final = "multipart/form-data"
_PART: Final = "file"
_ADVICE: Final = "announce a larger file by a POST of JSON with its file_name, content_type and size"

B = TypeVar("B", bound=BaseModel)


class UploadRoute(JsonRoute):
    """Takes a form as it is, and reads any other body as JSON."""

    bound: ClassVar[Bound] = (MAX_FORM_FILE_BYTES + _ROOM_FOR_THE_FORM, _ADVICE)

    def get_route_handler(self) -> Handle:
        as_json, as_form = super().get_route_handler(), ApiRoute.get_route_handler(self)

        async def handle(request: Request) -> Response:
            return await (as_form if is_form(request) else as_json)(request)

        return handle


def is_form(request: Request) -> bool:
    kind = request.headers.get("content-type", "").partition(";")[0]
    return kind.strip().lower() == _FORM


@asynccontextmanager
async def read_form(request: Request) -> AsyncIterator[UploadFile]:
    """The one file of a form, until the request is answered. Raises `Invalid`, `TooLarge`."""
    async with _parsed(request) as form:
        others = [name for name in form if name != _PART]
        if others:
            raise _invalid(others[0], "There is no such field here; a form has the one part file.")
        file = form.get(_PART)
        if not isinstance(file, UploadFile):
            raise _invalid(_PART, "Send the file as the part of this name, with its file name.")
        if (file.size or 0) > MAX_FORM_FILE_BYTES:
            raise TooLarge(MAX_FORM_FILE_BYTES, _ADVICE)
        yield file


@asynccontextmanager
async def _parsed(request: Request) -> AsyncIterator[FormData]:
    """Raises `Invalid` also for a charset that nothing can be written in."""
    try:
        form = await request.form(max_files=1, max_fields=1)
    except UnicodeError:
        raise _invalid("", "Its charset is none; write its names in UTF-8.") from None
    try:
        yield form
    finally:
        await form.close()


async def read_json(request: Request, model: type[B]) -> B:
    """The body as JSON of that form. Raises `Invalid`, or what FastAPI raises for what is no JSON."""
    try:
        return model.model_validate(await request.json())
    except json.JSONDecodeError as error:
        finding = {"type": "json_invalid", "loc": ("body",), "msg": "", "ctx": {"error": error.msg}}
        raise RequestValidationError([finding]) from None
    except ValidationError as error:
        detail = "The request is not valid; every reason is listed in errors."
        raise Invalid(detail, violations_of(error)) from None


def _invalid(part: str, words: str) -> Invalid:
    return Invalid("The form is not valid.", [Violation(pointer([part] if part else []), words, "form")])
