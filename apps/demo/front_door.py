"""Post to this instance's own front door over HTTP, as any sender would, and try again until it is acknowledged."""

import time
from dataclasses import dataclass
from typing import Any

import msgspec
import urllib3
from django.conf import settings

LONGEST_PAUSE_S = 2.0


class Refused(Exception):
    """The front door will not take this post, however often it comes: its status, and the word and sentence that it gives."""

    def __init__(self, status: int, word: str, detail: str) -> None:
        super().__init__(f"{status} {word}: {detail}")
        self.status, self.word = status, word


class Rejection(msgspec.Struct):
    index: int | None
    reason: str
    detail: str = ""
    quarantined: bool = False


class Refusal(msgspec.Struct):
    error: str
    detail: str = ""


class Receipt(msgspec.Struct):
    """What the front door has committed of a post."""

    receipt: str
    accepted: int
    rejected: list[Rejection] = []


@dataclass(frozen=True)
class Door:
    """The way in for one source. `origin` is the word that its posts carry."""

    address: str
    key: str
    origin: str


class Poster:
    """Keeps connections open. `retries` counts what had to be sent again."""

    def __init__(self) -> None:
        patience = urllib3.Timeout(connect=5, read=30)
        self.pool = urllib3.PoolManager(maxsize=4, retries=False, timeout=patience, ca_certs=settings.TLS_AUTHORITY)
        self.retries = 0

    def post(self, door: Door, body: Any, *, patience_s: float | None = None) -> Receipt:
        """Send until acknowledged. Raises Refused at once for what is wrong with the post, and TimeoutError after
        `patience_s` seconds (None: never) in which the front door was away or full."""
        payload = msgspec.json.encode(body)
        begun, pause = time.monotonic(), 0.05
        while True:
            receipt, wait = self._once(door, payload)
            if receipt is not None:
                return receipt
            if patience_s is not None and time.monotonic() - begun > patience_s:
                raise TimeoutError(f"{door.address} has not acknowledged a post for {patience_s:.0f} s")
            self.retries += 1
            time.sleep(wait or pause)
            pause = min(pause * 2, LONGEST_PAUSE_S)

    def _once(self, door: Door, payload: bytes) -> tuple[Receipt | None, float]:
        """Return the receipt, or None and how long to wait (0: choose yourself)."""
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {door.key}", "X-RTCC-Origin": door.origin}
        try:
            answer = self.pool.request("POST", door.address, body=payload, headers=headers)
        except urllib3.exceptions.HTTPError:
            return None, 0.0
        if answer.status == 202:
            return msgspec.json.decode(answer.data, type=Receipt), 0.0
        if answer.status == 429 or answer.status >= 500:
            return None, min(float(answer.headers.get("Retry-After") or 0), LONGEST_PAUSE_S)
        raise refusal(answer.status, answer.data)


def refusal(status: int, body: bytes) -> Refused:
    try:
        said = msgspec.json.decode(body, type=Refusal)
    except msgspec.DecodeError:
        return Refused(status, "unknown", body[:300].decode(errors="replace"))
    return Refused(status, said.error, said.detail)
