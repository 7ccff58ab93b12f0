"""What the server loads before the first worker is forked: all that a worker imports, and the compiled digests."""

import signal

from triage.content import lanes
from triage.engine import worker

__all__ = ["worker"]

signal.signal(signal.SIGHUP, signal.SIG_IGN)  # a terminal that closes is the business of the run
lanes.warm()
