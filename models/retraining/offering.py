"""The candidate before some of the boards: offered by the service of this machine, with its own command.

Each board tries it before it answers by it, and beside the cloud after that; so what is asked for here is no more than
that it is not known to be worse.
"""

import shlex
import subprocess
import sys

from common.errors import DataError
from models.retraining import trained
from models.retraining.given import Given
from models.retraining.judging import IN_USE, WHOLE
from models.retraining.steps import Figures, Tell

SHARE = 0.2
"""Of the boards, where nobody says another."""
PATIENCE_S = 120.0


def offer(given: Given, why: str, tell: Tell) -> Figures:
    """Offers it; what is offered already stays so. DataError if it is worse, or the service's files cannot be used."""
    assert given.offer is not None
    folder = trained.candidate_folder(given)
    found = trained.compared(given, trained.SERVING)
    worse = next((one for one in found if one.slice in (WHOLE, IN_USE) and one.verdict == "worse"), None)
    if worse is not None:
        where = f" {worse.slice}" if worse.slice else ""
        raise DataError(
            f"No board is offered it: it errs more{where} ({100 * worse.difference:+.1f} points). {given.report} says "
            f"where. All the same: {command(given, why)}"
        )
    words = [str(folder), "--share", f"{given.offer:g}", "--why", why]
    if given.service is not None:
        words += ["--config", str(given.service)]
    run = [sys.executable, "-m", "cloud", "models", "boards", "offer", *words]
    try:
        done = subprocess.run(run, capture_output=True, text=True, timeout=PATIENCE_S)
    except subprocess.TimeoutExpired as error:
        raise DataError(f"{folder}: the service's command did not offer it within {PATIENCE_S:.0f} s.") from error
    if done.returncode:
        fault = (done.stderr.strip().splitlines() or ["the service's command failed."])[-1]
        raise DataError(f"{folder}: no board is offered it: {fault}")
    tell(done.stdout.strip())
    return {"share": given.offer}


def command(given: Given, why: str) -> str:
    """What offers it, for a person to type."""
    share = SHARE if given.offer is None else given.offer
    told = [str(trained.candidate_folder(given)), "--share", f"{share:g}", "--why", why]
    told += [] if given.service is None else ["--config", str(given.service)]
    return f"parrotlet-cloud models boards offer {shlex.join(told)}"
