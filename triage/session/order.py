"""What is to be examined, and how: said once, and carried to the process that does it."""

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Self

from triage.engine.plan import Limits, Profile, Stop
from triage.model.secret import NO_SECRETS, Secrets
from triage.policy.policy import DEFAULT
from triage.session.host import person

__all__ = ["Order", "Profile", "Stop"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What a person asked for: examine `source` as `exhibit` of the case in the folder `case`.

    `policy` is the name of a shipped policy, or a file; `secrets` are tried on encrypted volumes; `indicators` is the
    table by which names are told, None for the shipped one, `keywords` a force's own list of words. `stop` says when to
    end before the end; `trace` names a file for what the time went to.
    """

    source: Path
    case: Path
    exhibit: str
    profile: Profile = Profile.SCENE
    jobs: int = 1
    library: Path | None = None
    policy: str = DEFAULT
    secrets: Secrets = NO_SECRETS
    indicators: Path | None = None
    keywords: Path | None = None
    verify_source: bool = False
    stop: Stop = field(default_factory=Stop)
    trace: Path | None = None
    actor: str = field(default_factory=person)
    limits: Limits = field(default_factory=Limits)

    def to_the_end(self) -> Self:
        """Return the order to go on with, once what was to stop the run has stopped it."""
        return replace(self, stop=Stop())
