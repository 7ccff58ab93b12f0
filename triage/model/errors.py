"""The errors of the product, each with the exit code that the command line ends with.

DigiVanError
 |- UsageError              2  the request itself is wrong
 |- SourceError             3  the source cannot be opened or is not what was said
 |   '- SourceGoneError     3  the source was there and is there no more
 |- StoreError              4  the case or the library cannot be written or does not verify
 '- EvidenceError           -  trouble inside the evidence: recorded, never fatal to a run

A message is one line: the thing, the cause, the next step. It holds for whoever asks, so it names no option of the
command line: where another value of a part of the request would help, `field` says which.
"""


class DigiVanError(Exception):
    """Base of every error this product raises on purpose; `field` is the part of the request to say differently."""

    exit_code = 1

    def __init__(self, text: str = "", *, field: str = "") -> None:
        super().__init__(text)
        self.field = field


class UsageError(DigiVanError):
    """The request cannot be carried out as worded."""

    exit_code = 2


class SourceError(DigiVanError):
    """The source does not exist, cannot be read at all, or is not what was said."""

    exit_code = 3


class SourceGoneError(SourceError):
    """The source was taken away while it was read: nothing is known of what was asked of it since."""


class StoreError(DigiVanError):
    """Our own store (case or hash-set library) cannot be trusted or written: the run stops."""

    exit_code = 4


class EvidenceError(DigiVanError):
    """A reader met evidence that it cannot read: translated into a `Trouble` or an outcome."""
