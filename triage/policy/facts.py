"""What a recommendation is made from: facts in a case, counted."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from triage.model.blocks import BlockStratum
from triage.model.coverage import Coverage
from triage.model.event import EndedBy
from triage.model.finding import SetIdentity
from triage.model.matches import SetMatches
from triage.model.sampling import Stratum
from triage.model.trouble import TroubleCode


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """The facts of one examined exhibit.

    `coverage.items` counts items by the value of their outcome, `volumes` volumes by the state of their report.
    `files_examined` counts examined items that have content (no directories); `members_examined` of them lie in other
    files, `carved_examined` were found where no file is. `containers_waiting` are files that hold others and are still
    to be gone through. `limited_items` are those skipped because a limit was reached; `skipped_by_size` and
    `skipped_known` those skipped by a rule that knows what it leaves out: a size that no set holds, a known file;
    `undecoded_items` those skipped for any other reason, as a method of compression that is not read, and
    `undecoded_causes` the most frequent of these reasons. `not_opened` are the paths of some containers of the system
    that could not be gone through. `undecodable_pictures` are allocated pictures that no decoder could
    read, so that they were compared by digest only; `damaged_pictures` are allocated ones decoded in part;
    `incomparable_pictures` allocated ones that are whole but too small, too flat or of too low a quality to be compared
    by appearance. `undecodable_videos` and `incomparable_videos` are allocated videos to be compared of which not all
    could be decoded, and in which there is nothing to compare. `deleted_undecodable` are pictures and videos that are
    not allocated and could not be decoded, or only in part.
    `source_encrypted` names the method where the container itself is encrypted and was not opened; `source_troubles`
    are the facts known when it was opened (a missing segment, a cut file).
    `finished` is True when the run came to its own end, `ended_by` says what ended it.
    `strata` are the pictures of each tier and what a random draw of them showed. `unlisted_volumes` are those whose
    names are not all listed, None where that is not known.
    `high_entropy_files` and `high_entropy_bytes` are those of the encrypted items, and of the encrypted bytes, that
    only noise without a signature tells; 0 also where they are not told apart. `pictures` are the allocated pictures to
    be compared by appearance, decoded or not; None where they are not counted.
    `block_strata` are the parts of which blocks were sampled.
    `members_opened`, `videos_compared`, `shadows` and `carved` are what the plan looks at: what is in files that hold
    others, videos by their frames, the shadow copies of volumes, and space that belongs to no file.
    `examined_on` is the day of the examination, `set_dates` of which day a set is, by its digest; a set may be absent.
    `self_test_passed` is of the self-test before the examination, None without one; `self_test_text` says what it
    showed.
    """

    finished: bool
    profile: str
    pictures_compared: bool
    sets: tuple[SetIdentity, ...]
    sets_hold_pictures: bool
    coverage: Coverage
    files_examined: int
    members_examined: int = 0
    carved_examined: int = 0
    containers_waiting: int = 0
    matches: tuple[SetMatches, ...] = ()
    volumes: Mapping[str, int]
    troubles: Mapping[TroubleCode, int]
    limited_items: int = 0
    skipped_by_size: int = 0
    skipped_known: int = 0
    undecoded_items: int = 0
    undecoded_causes: tuple[str, ...] = ()
    not_opened: tuple[str, ...] = ()
    undecodable_pictures: int = 0
    damaged_pictures: int = 0
    incomparable_pictures: int = 0
    undecodable_videos: int = 0
    incomparable_videos: int = 0
    deleted_undecodable: int = 0
    source_encrypted: str | None = None
    source_troubles: tuple[str, ...] = ()
    strata: tuple[Stratum, ...] = ()
    ended_by: EndedBy = EndedBy.END
    unlisted_volumes: int | None = None
    high_entropy_files: int = 0
    high_entropy_bytes: int = 0
    pictures: int | None = None
    block_strata: tuple[BlockStratum, ...] = ()
    members_opened: bool = False
    videos_compared: bool = False
    shadows: bool = False
    carved: bool = False
    examined_on: date | None = None
    set_dates: Mapping[str, date] = field(default_factory=dict)
    self_test_passed: bool | None = None
    self_test_text: str | None = None
