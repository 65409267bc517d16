"""The operator's page over a made log, without a service: pictures and tests in a browser stand on it."""

import asyncio
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cloud.operating.operators import FILE_NAME, Operators
from cloud.operating.port import may_be_reached, operating
from cloud.operating.seams import Drift, Labels, Load, Workers
from cloud.settings import CloudSettings, Domains, Operating, Storage
from common.addresses import Address

START_S_MAX = 20.0


class MadeLoad:
    """A service that is busy."""

    def load(self) -> Load:
        workers = [Workers("pocketsphinx", 4, 0, 0), Workers("whisper", 1, 1, 3)]
        return Load(
            workers, 5, 128, {"RESOURCE_EXHAUSTED": 12, "INVALID_ARGUMENT": 1}, None, 0, (), {"heard": 412, "shed": 31}
        )


def made_settings(folder: Path) -> CloudSettings:
    """Of a service that keeps its things there."""
    return CloudSettings(
        storage=Storage(state_dir=folder), domains=Domains(("home",)), operating=Operating("127.0.0.1:0")
    )


@contextmanager
def made_operator(
    settings: CloudSettings, drift: Drift | None = None, labels: Labels | None = None
) -> Iterator[tuple[str, Operators]]:
    """Meanwhile the page answers; its address, and who may open it."""
    settings.storage.state_dir.mkdir(parents=True, exist_ok=True)
    listen = Address("127.0.0.1", 0)
    scheme = "https" if may_be_reached(settings, listen) else "http"
    listening, ended = threading.Event(), threading.Event()
    port: list[int] = []

    async def serve() -> None:
        async with operating(settings, MadeLoad(), drift=drift, labels=labels) as address:
            port.append(address.port)
            listening.set()
            await asyncio.to_thread(ended.wait)

    thread = threading.Thread(target=asyncio.run, args=(serve(),))
    thread.start()
    try:
        if not listening.wait(START_S_MAX):
            raise TimeoutError("the operator's page does not come up")
        yield f"{scheme}://127.0.0.1:{port[0]}", Operators(settings.storage.state_dir / FILE_NAME)
    finally:
        ended.set()
        thread.join()


def signed_in(operators: Operators, name: str = "ada") -> tuple[str, str]:
    """Name and value of a browser's cookie."""
    return "parrotlet-operator", operators.sign_in(operators.invite(name), peer="a test").token


def now_us() -> int:
    """Microseconds since 1970."""
    return time.time_ns() // 1000
