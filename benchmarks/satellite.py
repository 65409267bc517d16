"""wyoming-satellite on a recording: processor seconds of its listening, beside which `scripts/bench board` puts ours.

    PYTHON benchmarks/satellite.py FILE     FILE: raw PCM, 16 kHz, mono, 16 bit; prints JSON

PYTHON is of a virtual environment with wyoming-satellite[silerovad] as it is published. Its own satellite runs, with
--vad and its defaults, fed by `cat` as its microphone's command, as fast as it takes it. Its timeout goes by the sound,
not by the clock. What it streams goes into a pipe; a socket would cost it more.
"""

import asyncio
import json
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

SAMPLE_RATE_HZ = 16_000
SAMPLE_BYTES = 2


async def measure(file: Path) -> dict[str, float]:
    """cpu_s of this process, start and model not counted; sent_bytes; times that it started to stream."""
    pipe = asyncio.subprocess.PIPE
    sink = await asyncio.create_subprocess_exec("wc", "-c", stdin=pipe, stdout=pipe)
    listening, over, said = _satellite(file)
    listening.set_server("sink", sink.stdin)
    began_s = time.process_time()
    # Its own stop() waits for ever; whoever runs this coroutine cancels what is left.
    running = asyncio.create_task(listening.run())
    await over.wait()
    cpu_s = time.process_time() - began_s
    running.cancel()
    sent, _ = await sink.communicate(b"")
    return {"cpu_s": cpu_s, "sent_bytes": int(sent), "onsets": said.onsets}


def _satellite(file: Path) -> tuple[Any, asyncio.Event, SimpleNamespace]:
    """The satellite, an event for the end of the file, and what is counted meanwhile."""
    # Only here: a peer that need not be installed.
    from wyoming_satellite import satellite, settings

    microphone = settings.MicSettings(command=["cat", str(file)])
    chunk_samples = microphone.samples_per_chunk
    chunks = file.stat().st_size // (chunk_samples * SAMPLE_BYTES)
    over, said = asyncio.Event(), SimpleNamespace(chunks=0, onsets=0)

    class Satellite(satellite.VadStreamingSatellite):  # type: ignore[misc]  # shipped without types
        async def event_from_mic(self, event: Any, audio_bytes: bytes | None = None) -> None:
            said.chunks += 1
            await super().event_from_mic(event, audio_bytes)
            if said.chunks >= chunks:
                over.set()

        async def trigger_streaming_start(self) -> None:
            said.onsets += 1
            await super().trigger_streaming_start()

    satellite.time = SimpleNamespace(monotonic=lambda: said.chunks * chunk_samples / SAMPLE_RATE_HZ)
    asked = settings.SatelliteSettings(
        mic=microphone,
        vad=settings.VadSettings(enabled=True),
        wake=settings.WakeSettings(),
        snd=settings.SndSettings(),
        event=settings.EventSettings(),
    )
    return Satellite(asked), over, said


if __name__ == "__main__":
    print(json.dumps(asyncio.run(measure(Path(sys.argv[1])))))
