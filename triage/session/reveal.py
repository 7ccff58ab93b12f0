"""The picture of a finding, shown on purpose: small, grey and blurred first, never without an entry in the ledger."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from triage.engine.workers.showing import Glance, NothingToSeeError, show
from triage.model.errors import UsageError
from triage.model.secret import NO_SECRETS, Secrets
from triage.policy.deciding import check_text
from triage.session.host import now, person
from triage.store.case import Case, CaseReader

REVEALED = "picture.revealed"  # the action of the custody event


class Level(StrEnum):
    """How much is shown, least first."""

    BLURRED = "blurred"
    SMALL = "small"
    LARGER = "larger"
    COLOUR = "colour"


_SIDES = {Level.BLURRED: 64, Level.SMALL: 64, Level.LARGER: 256, Level.COLOUR: 512}  # pixels
_BLUR = 4.0  # pixels of 64: shapes stay, faces go


@dataclass(frozen=True, slots=True, kw_only=True)
class Revealed:
    """A bitmap: rows from the top, one byte a pixel (grey) or three (red, green, blue), as `channels` says.

    At most 64 x 64 for `blurred` and `small`, 256 x 256 for `larger`, all grey; 512 x 512 for `colour`.
    """

    finding: int
    level: Level
    width: int
    height: int
    channels: int
    pixels: bytes


def reveal(
    folder: Path,
    finding: int,
    *,
    examiner: str,
    level: Level = Level.BLURRED,
    source: Path | None = None,
    secrets: Secrets = NO_SECRETS,
) -> Revealed:
    """Return the picture of a finding; who saw it is in the ledger before it is returned. Takes a second or so.

    It is decoded by a process that can only read the source; `source` is where that is now, if elsewhere, `secrets` are
    tried on encrypted volumes. Raises UsageError for a finding that the case does not hold or that shows no picture,
    SourceError where the source is not there or another, StoreError where the case cannot be written.
    """
    check_text(examiner, "the examiner's name")
    with CaseReader.open(folder) as case:
        place = case.pages.place(finding)
        record = case.exhibits.get(place.exhibit)
        assert record is not None
    glance = Glance(
        source=str((source or Path(record.info.files[0])).absolute()),
        identity=record.identity,
        volume=place.volume,
        item=place.item,
        media_type=place.media_type,
        container=place.container,
        side=_SIDES[level],
        colour=level is Level.COLOUR,
        blur=_BLUR if level is Level.BLURRED else 0.0,
        secrets=secrets,
    )
    try:
        picture = show(glance)
    except NothingToSeeError as reason:
        raise UsageError(f"finding {finding} shows no picture: {reason}; read its path and its set instead") from reason
    facts = {"finding": finding, "address": place.address, "level": level.value, "examiner": examiner}
    with Case.open(folder) as case:
        case.ledger.append(when=now(), actor=person(), action=REVEALED, subject=place.exhibit, payload=facts)
    return Revealed(
        finding=finding,
        level=level,
        width=picture.width,
        height=picture.height,
        channels=picture.channels,
        pixels=picture.pixels,
    )


def reveals(folder: Path, reference: str | None = None) -> dict[str, int]:
    """Return how many pictures each person was shown, in one exhibit or in all, whoever saw most first."""
    with CaseReader.open(folder) as case:
        return case.pages.events_by(REVEALED, "examiner", reference)
