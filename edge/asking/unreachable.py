"""Why two ends did not come together, told by what gRPC says of it: sentences for a person."""

import time

from edge.clock import SYSTEM_CLOCK


def why_unreachable(address: str, details: str) -> str:
    """A sentence."""
    if "certificate has expired" in details:
        now = time.strftime("%Y-%m-%d %H:%M")
        sure = "" if SYSTEM_CLOCK.is_synchronised() else ", and nobody keeps that clock right"
        return f"{address}: the service's certificate has expired by this board's clock, which says {now}{sure}."
    if "WRONG_VERSION_NUMBER" in details:
        return f"{address}: what answers there speaks plain text, and this board does not."
    if "Hostname Verification" in details or "CERTIFICATE_VERIFY_FAILED" in details or "BAD_SIGNATURE" in details:
        return (
            f"{address}: what answers there is not the service that this board enrolled with. If that was set up "
            "anew: parrotlet-edge enrol"
        )
    # gRPC tells every layer that failed, in one line; the last is the one that says why.
    return f"{address}: the service cannot be reached ({details.rsplit(': ', 1)[-1].rstrip(']')})."
