"""Rules that decide nothing: what was looked at, what was left out, and what a result can never say."""

from collections.abc import Iterator, Sequence

from triage.model.coverage import CoverageClass
from triage.model.finding import SetKind
from triage.model.item import Outcome
from triage.model.trouble import TroubleCode
from triage.policy.facts import Facts
from triage.policy.policy import Policy
from triage.policy.rule import Said, bytes_of, some, some_bytes, stated
from triage.policy.rules_demanded import set_name
from triage.policy.wording import amount, counted, listed


def looked_at(facts: Facts, _: Policy) -> Iterator[Said]:
    """Tell what was looked at, and with what."""
    looked = bytes_of(facts, CoverageClass.EXAMINED) + bytes_of(facts, CoverageClass.UNALLOCATED_EXAMINED)
    sets = [set_name(loaded) for loaded in facts.sets if loaded.kind is SetKind.NOTABLE]
    against = f" against {listed(sets)}" if sets else ""
    files = ", ".join(
        [
            counted(facts.files_examined, "file"),
            *([f"{facts.members_examined:,} of them inside others"] if facts.members_examined else []),
            *([f"{facts.carved_examined:,} of them found where no file is"] if facts.carved_examined else []),
        ]
    )
    yield stated(
        "looked-at",
        f"Examined with the profile {facts.profile}{against}: {files}, "
        f"{amount(looked)} of {amount(facts.coverage.size)}.",
    )


def skipped(facts: Facts, _: Policy) -> Iterator[Said]:
    """Tell of what rules of the profile left out."""
    by_size, known = facts.skipped_by_size, facts.skipped_known
    others = facts.coverage.items.get(Outcome.SKIPPED, 0) - by_size - known - facts.undecoded_items
    rules = (
        ("a limit", others, CoverageClass.SKIPPED),
        ("a size that is in no loaded set", by_size, CoverageClass.SKIPPED_BY_SIZE),
        ("a known file, not decoded", known, CoverageClass.SKIPPED_KNOWN),
    )
    said = [
        f"{rule}: {listed(parts)}"
        for rule, number, kind in rules
        if (parts := some(number, "item") + some_bytes(bytes_of(facts, kind)))
    ]
    if said:
        yield stated("skipped-by-rule", f"Skipped by a rule of the profile: {'; '.join(said)}.")


def pictures_not_comparable(facts: Facts, _: Policy) -> Iterator[Said]:
    """Tell of pictures that have no appearance to compare."""
    if facts.incomparable_pictures and facts.sets_hold_pictures:
        pictures = counted(facts.incomparable_pictures, "picture")
        yield stated(
            "pictures-not-comparable",
            f"Too small, too flat or of too low a quality to be compared by appearance: {pictures}.",
        )


def videos_not_comparable(facts: Facts, _: Policy) -> Iterator[Said]:
    """Tell of videos without a frame to compare."""
    if facts.incomparable_videos:
        videos = counted(facts.incomparable_videos, "video")
        yield stated("videos-not-comparable", f"Without a frame that can be compared by appearance: {videos}.")


def deleted_undecodable(facts: Facts, _: Policy) -> Iterator[Said]:
    """Tell of what is deleted and cannot be compared by appearance: often it is another file's bytes by now."""
    if facts.deleted_undecodable:
        items = counted(facts.deleted_undecodable, "item")
        yield stated("deleted-undecodable", f"Deleted pictures and videos not decoded, or only in part: {items}.")


def containers_not_opened(facts: Facts, _: Policy) -> Iterator[Said]:
    """Tell of files of the system and of programs that hold others which cannot be had."""
    recorded = facts.troubles.get(TroubleCode.NOT_OPENED, 0)
    if recorded:
        yield stated(
            TroubleCode.NOT_OPENED,
            "In folders of the operating system and of programs, files of kinds that these ship were examined as whole "
            f"files only, because they could not be gone through{_among(facts.not_opened)}: "
            f"{counted(recorded, 'recorded trouble')}.",
        )


def _among(paths: Sequence[str]) -> str:
    return f" (among them {listed(paths)})" if paths else ""


def whole_files_only(facts: Facts, _: Policy) -> Iterator[Said]:
    """Tell of what the inside of was not looked at, as the plan had it."""
    members, videos = ["archives", "documents", "mails", "disk images"], ["videos"]
    whole = [*members * (not facts.members_opened), "databases", *videos * (not facts.videos_compared)]
    said = [f"{listed(whole).capitalize()} were digested as whole files; nothing inside them was looked at."]
    if facts.members_opened:
        said.append(f"What {listed(members)} hold was looked at, but for what other reasons name.")
    if facts.videos_compared:
        said.append("Of videos some frames were compared where a loaded set can hold them.")
    if not facts.shadows:
        said.append("Earlier versions of files, where shadow copies of a volume keep any, were not looked at.")
    yield stated("whole-files-only", " ".join(said))


def known_material_only(_: Facts, __: Policy) -> Iterator[Said]:
    """Tell of what no hash set can find."""
    yield stated(
        "known-material-only",
        "Hash sets find only material that is already known; material that is in no loaded set is not found.",
    )
