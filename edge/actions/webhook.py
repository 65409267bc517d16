"""An address that actions are posted to, as a sink: signed, and tried again by the same key while somebody wants it."""

import random
import threading
import time
from collections.abc import Callable

import msgspec

from common.errors import ActionError
from common.post import PostError, post, trusted
from common.signature import read_secret, signed
from edge.actions.action import Action
from edge.actions.patterns import matches
from edge.settings import Webhook as WebhookSettings

PAUSE_S_FIRST = 0.5
PAUSE_S_MAX = 10.0

AGAIN = frozenset({408, 425, 429, *range(500, 600)})
"""Statuses that say: not now. Others say: never."""


class Webhook:
    """`close` ends its pauses."""

    def __init__(
        self,
        settings: WebhookSettings,
        *,
        clock: Callable[[], float] = time.monotonic,
        draw: Callable[[float, float], float] = random.uniform,
    ) -> None:
        self.name = settings.name
        self._settings = settings
        self._clock = clock
        self._draw = draw
        self._closing = threading.Event()

    def close(self) -> None:
        self._closing.set()

    def wants(self, name: str) -> bool:
        return matches(name, self._settings.actions)

    def preview(self, action: Action) -> str:
        how = "signed" if self._settings.secret_file else "not signed"
        return f"POST {self._settings.url} ({how}): {body_of(action).decode()}"

    def run(self, action: Action, left_s: float) -> None:
        """Whoever answers may see the same key twice, where its answer was lost; it does it once."""
        until_s = self._clock() + left_s
        body, key = body_of(action), f"{action.utterance_id}.{self.name}"
        secret = read_secret(self._settings.secret_file) if self._settings.secret_file else None
        context = trusted(self._settings.ca_file) if self._settings.url.startswith("https:") else None
        pause_s = PAUSE_S_FIRST
        while True:
            headers = {"content-type": "application/json", "idempotency-key": key, "user-agent": "parrotlet-edge"}
            if secret is not None:
                headers |= signed(key, int(time.time()), body, secret)
            timeout_s = min(self._settings.try_s_max, max(0.1, until_s - self._clock()))
            try:
                status = post(self._settings.url, body, headers, timeout_s, context)
            except PostError as error:
                why = str(error)
            else:
                if 200 <= status < 300:
                    return
                why = f"it answered with status {status}"
                if status not in AGAIN:
                    redirect = "; redirects are not followed" if 300 <= status < 400 else ""
                    raise ActionError(f"{self.name}: {why}{redirect}.")
            rest_s = self._draw(pause_s / 2, pause_s)
            if self._clock() + rest_s >= until_s:
                raise ActionError(f"{self.name}: {why}; nobody wants it any more.")
            if self._closing.wait(rest_s):
                raise ActionError(f"{self.name}: {why}; the board stops.")
            pause_s = min(2 * pause_s, PAUSE_S_MAX)


def body_of(action: Action) -> bytes:
    """JSON; keys stay, new ones may come."""
    return msgspec.json.encode(action)
