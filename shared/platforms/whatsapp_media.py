"""Giving WhatsApp a file ahead of the messages that show it, by its id. Pure."""

from __future__ import annotations

from shared.credential import Credential
from shared.platforms.answers import decoded
from shared.platforms.base import Attachment, Delivery, Outcome, Request, Response
from shared.platforms.whatsapp_answers import sort_of_number

PART = "file"
"""What the form calls the file."""


class WhatsAppUploads:
    """`POST /{phone_number_id}/media`, and what comes of it."""

    def __init__(self, api_url: str = "https://graph.facebook.com", api_version: str = "v25.0") -> None:
        self._api_url = f"{api_url.rstrip('/')}/{api_version}"

    def render(self, attachment: Attachment, credential: Credential) -> Request:
        return Request(
            f"{self._api_url}/{credential.settings['phone_number_id']}/media",
            {"messaging_product": "whatsapp", "type": attachment.content_type},
            {"authorization": f"Bearer {credential.settings['access_token']}"},
            attachments=(attachment,),
        )

    def interpret(self, response: Response) -> Delivery:
        """The id is in `file_ids`; a refusal is sorted as one of a message."""
        file_id = decoded(response).get("id")
        if isinstance(file_id, str) and file_id:
            return Delivery(Outcome.SENT, file_ids=(file_id,))
        return sort_of_number(response)
