"""Work that is left out because it cannot change the answer: by which rule, what it is called, and where it ends."""

import hashlib
import random
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from images import pictures
from PIL import Image

from triage.content.content import Content
from triage.content.picture import hash_picture
from triage.engine.learning.pictures import PictureDesk
from triage.engine.plan import Limits, Profile, depth_of
from triage.hashsets.compile import compile_records
from triage.hashsets.importing import ImportOrder
from triage.hashsets.record import Record
from triage.hashsets.sealed import SetMeta
from triage.items.loading import LARGEST
from triage.model.digest import Digests
from triage.model.finding import SetKind
from triage.session import making
from triage.session.examination import Examination, Order, open_case
from triage.session.host import now
from triage.session.library import library_at

LARGE = (1 << 20) + 512
"""More than a file may have and be read whatever its size."""

SIZE_RULE = "size: no set holds a file of this size"


def words(length: int, seed: int = 0) -> bytes:
    return (b"%d plain words and nothing else. " % seed * (length // 20))[:length]


def noise(length: int) -> bytes:
    return random.Random(20260314).randbytes(length)


@dataclass(frozen=True)
class Ground:
    """A folder with the files of one exhibit, the library and the cases."""

    folder: Path

    @property
    def library(self) -> Path:
        return self.folder / "library"

    def put(self, **files: bytes) -> None:
        (self.folder / "source").mkdir(exist_ok=True)
        for name, data in files.items():
            (self.folder / "source" / name).write_bytes(data)

    def know(self, *records: Record, name: str = "sized") -> None:
        """Make a notable set of records."""
        meta = SetMeta(name=name, version="1", kind=SetKind.NOTABLE, date=now()[:10])
        compile_records(records, meta, making.destination(self.library))

    def know_software(self, *contents: bytes) -> None:
        """Make a set of known software."""
        listed = self.folder / "software.md5"
        listed.write_text("".join(hashlib.md5(content).hexdigest() + "\n" for content in contents))
        wish = ImportOrder(name="software", version="1", date="2026-03-14", kind=SetKind.KNOWN, form="text")
        making.import_published([listed], wish, making.destination(self.library), progress=lambda *_: None)

    def examine(self, profile: Profile = Profile.SCENE) -> "Told":
        case = self.folder / profile.value
        wish = Order(source=self.folder / "source", case=case, exhibit="A/1", library=self.library, profile=profile)
        with Examination(wish) as examination:
            list(examination.events())
        with open_case(case) as reader:
            items = {row["path"]: row for row in reader.queries.items()}
            return Told(items, list(reader.queries.findings()), reader.queries.summary("A/1"))


@dataclass(frozen=True)
class Told:
    items: dict[str, dict[str, Any]]
    findings: list[dict[str, Any]]
    summary: dict[str, Any]

    def outcome(self, name: str) -> tuple[str, str | None]:
        return self.items[name]["outcome"], self.items[name]["reason"]

    def found(self) -> set[tuple[str, str]]:
        return {(row["path"], row["match"]) for row in self.findings}

    @property
    def reasons(self) -> dict[str, str]:
        return {reason["code"]: reason["text"] for reason in self.summary["recommendation"]["reasons"]}


def record(content: bytes, *, sized: bool = True) -> Record:
    return Record(md5=hashlib.md5(content).digest(), size=len(content) if sized else None)


def looks(picture: Image.Image) -> Record:
    """Return the record of a picture of which only the appearance is known."""
    pdq = hash_picture(Content.of(pictures.png(picture)), "image/png").pdq
    assert pdq is not None
    return Record(pdq=bytes.fromhex(pdq))


@pytest.fixture
def ground(tmp_path: Path) -> Ground:
    return Ground(tmp_path)


KNOWN_LARGE = words(LARGE + 4096, 1)


def test_a_large_file_of_a_size_in_no_set_is_not_read(ground: Ground) -> None:
    held, odd = KNOWN_LARGE, words(LARGE, 2)
    ground.put(known=held, same_size=words(len(held), 3), odd=odd, small=words(1 << 20, 4), odder=words(LARGE + 1))
    ground.know(record(held))
    told = ground.examine()
    assert told.found() == {("known", "md5")}
    assert {name: told.outcome(name) for name in told.items} == {
        "known": ("examined", None),
        "same_size": ("examined", None),
        "small": ("examined", None),
        "odd": ("skipped", SIZE_RULE),
        "odder": ("skipped", SIZE_RULE),
    }
    assert (told.items["odd"]["md5"], told.items["odd"]["size"]) == (None, LARGE)
    assert told.items["same_size"]["md5"] == hashlib.md5(words(len(held), 3)).hexdigest()
    coverage = told.summary["coverage"]
    assert coverage["skipped-size-in-no-set"] == 2 * LARGE + 1
    assert coverage["examined"] == 2 * len(held) + (1 << 20)
    assert coverage["skipped"] == 0
    assert sum(coverage.values()) == told.summary["size"]
    assert told.summary["bytes_read"] < coverage["examined"] + (1 << 20)
    assert "a size that is in no loaded set: 2 items" in told.reasons["skipped-by-rule"]


def test_what_the_size_rule_leaves_out_keeps_no_result_from_being_clear(ground: Ground) -> None:
    ground.put(odd=words(LARGE, 2), other=words(1000))
    ground.know(record(KNOWN_LARGE))
    assert ground.examine().summary["recommendation"]["verdict"] == "return-indicated"


def test_a_set_without_sizes_switches_the_size_rule_off(ground: Ground) -> None:
    odd = words(LARGE, 2)
    ground.put(odd=odd, other=words(LARGE + 9, 5))
    ground.know(record(KNOWN_LARGE))
    ground.know(record(KNOWN_LARGE), record(odd, sized=False), name="unsized")
    told = ground.examine()
    assert told.found() == {("odd", "md5")}
    assert told.outcome("other") == ("examined", None)
    assert told.summary["coverage"]["skipped-size-in-no-set"] == 0


def test_a_set_of_known_software_without_sizes_does_not(ground: Ground) -> None:
    odd = words(LARGE, 2)
    ground.put(odd=odd)
    ground.know(record(KNOWN_LARGE))
    ground.know_software(odd)
    assert ground.examine().outcome("odd") == ("skipped", SIZE_RULE)


def test_every_size_counts_where_several_sets_are_loaded(ground: Ground) -> None:
    one, other = words(LARGE, 2), words(LARGE + 9, 5)
    ground.put(one=one, other=other, odd=words(LARGE + 10))
    ground.know(record(one))
    ground.know(record(other), name="second")
    told = ground.examine()
    assert told.found() == {("one", "md5"), ("other", "md5")}
    assert told.outcome("odd") == ("skipped", SIZE_RULE)


@pytest.mark.parametrize("profile", [Profile.EXACT, Profile.FULL])
def test_only_the_profile_for_the_scene_leaves_sizes_out(ground: Ground, profile: Profile) -> None:
    ground.put(odd=words(LARGE, 2))
    ground.know(record(KNOWN_LARGE))
    told = ground.examine(profile)
    assert told.outcome("odd") == ("examined", None)
    assert told.items["odd"]["md5"] == hashlib.md5(words(LARGE, 2)).hexdigest()


def test_a_large_picture_is_decoded_whatever_its_size(ground: Ground) -> None:
    scene = pictures.scene(7, (1800, 1300))
    picture = pictures.png(scene)
    assert len(picture) > LARGE
    ground.put(picture=picture)
    ground.know(record(KNOWN_LARGE), looks(pictures.resized(scene, 0.5)))
    told = ground.examine()
    assert told.found() == {("picture", "pdq")}
    assert told.outcome("picture")[0] == "examined"


def test_a_large_file_that_is_encrypted_is_told_whatever_its_size(ground: Ground) -> None:
    ground.put(marked=b"LUKS\xba\xbe\x00\x02" + words(LARGE), unmarked=noise(2 << 20), plain=words(LARGE))
    ground.know(record(KNOWN_LARGE))
    told = ground.examine()
    assert told.outcome("marked") == ("encrypted", "encrypted: LUKS2")
    assert told.outcome("unmarked") == (
        "encrypted",
        "high-entropy: noise throughout, possibly an encrypted container",
    )
    assert told.outcome("plain") == ("skipped", SIZE_RULE)
    assert told.summary["coverage"]["encrypted"] == (2 << 20) + LARGE + 8
    assert told.summary["recommendation"]["verdict"] == "not-determined"


def test_a_picture_that_is_known_software_is_not_decoded(ground: Ground) -> None:
    icon, other = pictures.jpeg(pictures.scene(1)), pictures.jpeg(pictures.scene(2))
    ground.put(icon=icon, other=other, text=b"a program's text")
    ground.know(looks(pictures.scene(3)))
    ground.know_software(icon, b"a program's text")
    told = ground.examine()
    assert told.outcome("icon") == ("skipped", "known: not decoded; known software: software")
    assert told.outcome("text") == ("examined", "known software: software")
    assert (told.items["icon"]["pdq"], told.items["icon"]["md5"]) == (None, hashlib.md5(icon).hexdigest())
    assert told.items["other"]["pdq"] is not None
    assert told.summary["coverage"]["skipped-known-file"] == len(icon)
    assert told.summary["recommendation"]["verdict"] == "return-indicated"
    assert "a known file, not decoded: 1 item" in told.reasons["skipped-by-rule"]


def test_a_picture_that_is_notable_as_well_is_decoded(ground: Ground) -> None:
    picture = pictures.jpeg(pictures.scene(1))
    ground.put(picture=picture)
    ground.know(record(picture), looks(pictures.scene(3)))
    ground.know_software(picture)
    told = ground.examine()
    assert told.found() == {("picture", "md5")}
    assert told.outcome("picture") == ("examined", "conflict: notable, yet known software in software")
    assert told.items["picture"]["pdq"] is not None


def test_the_full_profile_decodes_known_software(ground: Ground) -> None:
    icon = pictures.jpeg(pictures.scene(1))
    ground.put(icon=icon)
    ground.know(looks(pictures.scene(1)))
    ground.know_software(icon)
    told = ground.examine(Profile.FULL)
    assert told.found() == {("icon", "pdq")}
    assert told.items["icon"]["outcome"] == "examined"


@pytest.mark.parametrize("profile", Profile)
def test_every_finding_has_its_sha_256_and_no_other_item_needs_one(ground: Ground, profile: Profile) -> None:
    """The set holds no SHA-256: it is made because there is a finding."""
    alike, exact = pictures.jpeg(pictures.scene(1)), pictures.jpeg(pictures.scene(2))
    files = {
        "alike": alike,
        "exact": exact,
        "text": b"a known text",
        "huge": words(LARGEST + 77),
        "locked": b"Salted__" + words(5000),
        "nothing": b"a text that nobody knows",
        "unlike": pictures.jpeg(pictures.scene(3)),
    }
    ground.put(**files)
    known = [files[name] for name in ("exact", "text", "huge", "locked")]
    ground.know(*map(record, known), looks(pictures.brighter(pictures.scene(1), 1.1)))
    told = ground.examine(profile)
    by_digest = {(name, "md5") for name in ("exact", "text", "huge", "locked")}
    assert told.found() == by_digest | (set() if profile is Profile.EXACT else {("alike", "pdq")})
    for path, _ in told.found():
        assert told.items[path]["sha256"] == hashlib.sha256(files[path]).hexdigest()
    others = {told.items[name]["sha256"] is None for name in ("nothing", "unlike")}
    assert others == {profile is not Profile.FULL}


@pytest.fixture
def desk(ground: Ground) -> PictureDesk:
    ground.know(looks(pictures.scene(3)))
    sets = library_at(ground.library).open_all()
    return PictureDesk(sets, depth_of(Profile.SCENE, frozenset()), Limits())


def test_equal_digests_are_decoded_once(desk: PictureDesk) -> None:
    """What comes under the same digests is not looked at: it could not even be decoded."""
    picture, digests = pictures.jpeg(pictures.scene(1)), Digests(md5="0" * 32)
    first = desk.look(Content.of(picture), "image/jpeg", digests, in_full=False)
    assert first.hashes.pdq is not None
    assert desk.look(Content.of(b"no picture"), "image/jpeg", digests, in_full=False) == first
    other = desk.look(Content.of(b"no picture"), "image/jpeg", Digests(md5="1" * 32), in_full=False)
    assert other.hashes.pdq is None


def test_without_digests_every_picture_is_decoded(desk: PictureDesk) -> None:
    one, two = (pictures.jpeg(pictures.scene(seed)) for seed in (1, 3))
    seen = [desk.look(Content.of(data), "image/jpeg", Digests(), in_full=False) for data in (one, two)]
    assert seen[0].hashes.pdq != seen[1].hashes.pdq
    assert [one.near for one in seen] == [[], ["sized"]]


def test_a_picture_that_was_estimated_is_decoded_in_full_once_it_is_a_finding(desk: PictureDesk) -> None:
    large, digests = pictures.jpeg(pictures.scene(1, (1600, 1200))), Digests(md5="0" * 32)
    estimated = desk.look(Content.of(large), "image/jpeg", digests, in_full=False)
    full = desk.look(Content.of(large), "image/jpeg", digests, in_full=True)
    assert estimated.hashes.scale > 1
    assert full.hashes == hash_picture(Content.of(large), "image/jpeg")
    assert desk.look(Content.of(b"no picture"), "image/jpeg", digests, in_full=True) == full
