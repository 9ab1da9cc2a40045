"""The web chat: its page calls us, so there is nobody to be told."""

from __future__ import annotations

from collections.abc import Sequence

from shared.connecting.base import Answered, Reading, Step
from shared.connecting.menus import Menus
from shared.credential import Credential
from shared.platforms.base import Response


class WebchatConnector:
    """Fulfils `Connector`, without a call."""

    def connecting(
        self,
        credential: Credential,  # noqa: ARG002 (others need them)
        webhook_url: str,  # noqa: ARG002
        menus: Menus | None,  # noqa: ARG002
    ) -> tuple[Step, ...]:
        return ()

    def disconnecting(self, credential: Credential) -> tuple[Step, ...]:  # noqa: ARG002
        return ()

    def listing(
        self,
        credential: Credential,  # noqa: ARG002
        menus: Menus,  # noqa: ARG002
        former: Sequence[str],  # noqa: ARG002
    ) -> tuple[Step, ...]:
        return ()

    def read(self, response: Response) -> Reading:  # noqa: ARG002
        return Reading(Answered.DONE)
