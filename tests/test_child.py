"""A program that a daemon starts is heard where it complains, and never left behind."""

import asyncio
import sys
from pathlib import Path

import pytest

from common.child import complaint


def run(text: str, s_max: float = 20.0, environment: dict[str, str] | None = None) -> str | None:
    return asyncio.run(complaint(sys.executable, "-c", text, s_max=s_max, environment=environment))


def test_what_it_says_is_a_complaint_only_where_it_fails() -> None:
    assert run("import sys; sys.stderr.write('of no account'); print('nor this')") is None
    assert run("import sys, os; sys.exit(os.environ['WHY'] + '\\n')", environment={"WHY": "no room"}) == "no room"
    assert run("raise SystemExit(3)") == ""


def test_one_that_takes_too_long_is_killed(tmp_path: Path) -> None:
    with pytest.raises(TimeoutError):
        run("import sys; sys.stdin.read(); import time; time.sleep(60)", s_max=0.2)


def test_one_whose_caller_goes_is_killed(tmp_path: Path) -> None:
    started = tmp_path / "pid"
    text = f"import os, time; open({str(started)!r}, 'w').write(str(os.getpid())); time.sleep(60)"

    async def goes() -> None:
        running = asyncio.create_task(complaint(sys.executable, "-c", text, s_max=20.0))
        while not started.exists() or not started.read_text():
            await asyncio.sleep(0.01)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    asyncio.run(goes())
    assert not Path(f"/proc/{started.read_text()}").exists()
