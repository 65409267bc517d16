"""What `parrotlet-edge page` does: serves the page to phones without a board, until it is told to stop."""

import logging
import signal
import sys

import sdnotify

from common.errors import DaemonError
from common.settings import Loaded
from common.supervision import Supervision
from edge.board.log_lines import start_logging
from edge.console import Console
from edge.page.page import Page
from edge.page.visitors import Visitors
from edge.settings import EdgeSettings

logger = logging.getLogger(__name__)

LOOK_S = 0.5
SIGNALS = frozenset({signal.SIGTERM, signal.SIGINT})


def serve_page(loaded: Loaded[EdgeSettings]) -> None:
    """Until SIGTERM or SIGINT. SettingsError if it cannot start; DaemonError if a part of it died."""
    start_logging(loaded.settings.log.level, Console(sys.stdout))
    supervision = Supervision(sdnotify.SystemdNotifier())
    signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    hosts = Visitors(loaded)
    with Page(loaded, hosts) as page:
        supervision.ready()
        while signal.sigtimedwait(SIGNALS, LOOK_S) is None:
            if not page.worker.alive:
                raise DaemonError(f"The page's thread died of {page.worker.error}.") from page.worker.error
            supervision.status(f"{len(hosts)} phones")
            supervision.feed()
        supervision.stopping()
