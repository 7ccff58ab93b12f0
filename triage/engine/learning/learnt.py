"""What is learnt of a content, and what it is called when learning fails."""

from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeVar

from triage.content.members.member import Obstacle, ObstacleError
from triage.hashsets.hashset import Held
from triage.model.digest import Digests, PictureHashes
from triage.model.errors import EvidenceError, StoreError
from triage.model.item import Outcome
from triage.model.result import NO_DIGESTS
from triage.model.trouble import TroubleCode
from triage.model.video import VideoHashes

Told = TypeVar("Told")

_LONGEST = 300
_OUTCOMES = {
    TroubleCode.ENCRYPTED: Outcome.ENCRYPTED,
    TroubleCode.DAMAGED: Outcome.UNREADABLE,
    TroubleCode.UNREADABLE: Outcome.UNREADABLE,
}


class Learnt(NamedTuple):
    """What the bytes of a content told, whatever its name. `exact`: what each set holds of it, in their order.

    `opens`: it is a container that is still to be gone through.
    """

    outcome: Outcome
    reason: str | None = None
    digests: Digests = NO_DIGESTS
    digest_way: str | None = None
    media_type: str | None = None
    pictures: PictureHashes | None = None
    exact: Sequence[Held] = ()
    opens: bool = False
    video: VideoHashes | None = None


def hindered(obstacle: Obstacle) -> Learnt:
    """Return what is learnt of a content that cannot be had as it should be."""
    outcome = _OUTCOMES.get(obstacle.code, Outcome.SKIPPED)
    return Learnt(outcome=outcome, reason=f"{obstacle.code.value}: {obstacle.text}")


def guarded(learn: Callable[[], Told]) -> Told | Learnt:
    """Return what is learnt, whatever the libraries below raise over hostile bytes; StoreError comes through."""
    try:
        return learn()
    except StoreError:
        raise
    except ObstacleError as error:
        return hindered(error.obstacle)
    except EvidenceError as error:
        return Learnt(outcome=Outcome.UNREADABLE, reason=str(error))
    except Exception as error:  # noqa: BLE001
        return Learnt(outcome=Outcome.CRASHED, reason=one_line(error))


def one_line(error: Exception) -> str:
    """Return what was raised, on one line that is not too long."""
    return " ".join(f"{type(error).__name__}: {error}".split())[:_LONGEST]
