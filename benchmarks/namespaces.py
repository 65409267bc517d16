"""Namespaces of Linux, in which a trial has a network and file systems of its own, without root; see unshare(1)."""

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from typing import NoReturn

WAIT_S = 60.0


def why_no_namespace(kinds: str, *programs: str) -> str | None:
    """Why a namespace of these kinds (options of unshare) cannot be had here, or a program is missing; a sentence."""
    for program in ("unshare", *programs):
        if shutil.which(program) is None:
            return f"{program} is not installed."
    tried = subprocess.run(["unshare", kinds, "true"], capture_output=True, text=True, check=False)
    return f"A namespace cannot be made here: {tried.stderr.strip()}" if tried.returncode else None


def in_namespace(kinds: str, module: str, arguments: Sequence[str]) -> NoReturn:
    """Runs a benchmark again in namespaces of its own, in place of this process."""
    os.execvp("unshare", ["unshare", kinds, sys.executable, "-m", module, *arguments])


def run(*command: str) -> None:
    """A command that must succeed."""
    subprocess.run(command, check=True, capture_output=True, timeout=WAIT_S)
