import time
from pathlib import Path
from typing import Any, Self
from uuid import NAMESPACE_URL, uuid5

import httpx
import jwt

from infra.local.errors import StartError

DEMO_ACCOUNT_ID = str(uuid5(NAMESPACE_URL, "https://parley.example/demo"))
TOKEN_DAYS = 365
PATIENCE = 3


def admin_token(jwt_secret: str, account_id: str = DEMO_ACCOUNT_ID) -> str:
    """A token such as Supabase Auth gives to an admin of the account."""
    now = int(time.time())
    claims = {
        "sub": str(uuid5(NAMESPACE_URL, "https://parley.example/demo/admin")),
        "aud": "authenticated",
        "role": "authenticated",
        "iat": now,
        "exp": now + TOKEN_DAYS * 86400,
        "app_metadata": {"accounts": {account_id: "admin"}},
    }
    return jwt.encode(claims, jwt_secret, algorithm="HS256")


class AdminApi:
    """The few calls of the admin API that setting up a bot takes."""

    def __init__(self, api_url: str, token: str) -> None:
        self._client = httpx.Client(
            base_url=api_url,
            headers={"Authorization": f"Bearer {token}"},
            timeout=60,
            trust_env=False,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def find(self, path: str) -> dict[str, Any] | None:
        response = self._asked(path)
        return None if response.status_code == httpx.codes.NOT_FOUND else _read(response)

    def get(self, path: str) -> dict[str, Any]:
        return _read(self._asked(path))

    def post(self, path: str, body: object = None) -> dict[str, Any]:
        return _read(self._client.post(path, json=body))

    def upload(self, path: str, file: Path) -> dict[str, Any]:
        return _read(self._client.post(path, files={"file": (file.name, file.read_bytes())}))

    def _asked(self, path: str) -> httpx.Response:
        """A Lambda that starts may take longer than the gateway waits; the next call finds it there."""
        for _ in range(PATIENCE):
            response = self._client.get(path)
            if response.status_code != httpx.codes.GATEWAY_TIMEOUT:
                break
        return response

    def put(self, path: str, body: object) -> dict[str, Any]:
        return _read(self._client.put(path, json=body))


def _read(response: httpx.Response) -> dict[str, Any]:
    if not response.is_success:
        request = response.request
        raise StartError(
            f"The admin API answered {response.status_code} to {request.method} {request.url.path}:"
            f" {response.text[:1000]}"
        )
    answer: dict[str, Any] = response.json() if response.content else {}
    return answer
