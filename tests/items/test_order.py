"""What is looked at first: folders of people before those of systems, drawn pictures before the rest."""

import tomllib
from collections import Counter
from dataclasses import replace
from importlib import resources
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triage.items.order import LARGE, LOOK, STEPS, Order, Tier, _tier_of_folder, promoted
from triage.model.address import Address
from triage.model.item import Item, ItemKind
from triage.model.placing import Placed

VOLUME = Address("volume", "1048576")
SEED = b"a seed for tests"

PLACES = [
    # Windows
    ("Users/ann/Downloads/a.bin", Tier.USER_PICTURES),
    ("Users/ann/OneDrive/Pictures/2019/a.bin", Tier.USER_PICTURES),
    ("USERS/ANN/DESKTOP/A.BIN", Tier.USER_PICTURES),
    ("Documents and Settings/ann/Eigene Dateien/Eigene Bilder/a.bin", Tier.USER_PICTURES),
    ("Windows.old/Users/ann/Pictures/a.bin", Tier.USER_PICTURES),
    ("Users/ann/Downloads/eMule/Incoming/a.bin", Tier.USER_PICTURES),
    ("eMule/Incoming/a.bin", Tier.FILE_SHARING),
    ("Users/ann/AppData/Roaming/Signal/attachments.noindex/00/a", Tier.MESSAGING),
    ("Users/ann/AppData/Roaming/Apple Computer/MobileSync/Backup/0af/00/00ab", Tier.MESSAGING),
    ("$Recycle.Bin/S-1-5-21/$R00.bin", Tier.RECYCLE_BIN),
    ("Users/ann/AppData/Local/Microsoft/Windows/Explorer/thumbcache_256.db", Tier.THUMBNAILS),
    ("Users/ann/AppData/Local/Browser/Cache/f_000001", Tier.USER_FILES),
    ("Windows/System32/a.dll", Tier.SYSTEM),
    ("Windows/Web/Pictures/a.jpg", Tier.SYSTEM),
    ("Program Files (x86)/Program/Downloads/a.bin", Tier.SYSTEM),
    ("Windows.old/Windows/a.bin", Tier.SYSTEM),
    ("pagefile.sys", Tier.OTHER),
    ("$OrphanFiles/OrphanFile-77", Tier.OTHER),
    # Linux
    ("home/ann/Bilder/a.bin", Tier.USER_PICTURES),
    ("home/ann/Vidéos/a.bin", Tier.USER_PICTURES),
    ("home/ann/.local/share/Trash/files/a", Tier.RECYCLE_BIN),
    ("home/ann/.local/share/program/a", Tier.USER_FILES),
    ("home/ann/.cache/thumbnails/large/00ff.bin", Tier.THUMBNAILS),
    ("root/a", Tier.USER_FILES),
    ("usr/share/doc/a", Tier.SYSTEM),
    ("srv/data/usr/share/a", Tier.OTHER),
    # macOS, which stores an accent apart from its letter
    ("Users/ann/Pictures/Photos Library.photoslibrary/originals/0/a", Tier.USER_PICTURES),
    ("home/ann/Vide\u0301os/a.bin", Tier.USER_PICTURES),
    ("Users/ann/Library/Messages/Attachments/00/a", Tier.MESSAGING),
    ("System/Library/Desktop Pictures/a.heic", Tier.SYSTEM),
    # telephones
    ("media/0/DCIM/Camera/a.bin", Tier.USER_PICTURES),
    ("data/media/0/Android/media/com.whatsapp/WhatsApp/Media/a.bin", Tier.MESSAGING),
    ("private/var/mobile/Media/DCIM/100APPLE/a.bin", Tier.USER_PICTURES),
    ("private/var/mobile/Media/PhotoData/Thumbnails/a", Tier.THUMBNAILS),
    ("private/var/mobile/Library/SMS/Attachments/a", Tier.MESSAGING),
    # a folder of a name is meant, not a file, and not a name that only begins so
    ("Images/a", Tier.OTHER),
    ("home/ann/Images/a", Tier.USER_PICTURES),
    ("pictures", Tier.OTHER),
    ("downloads-not/a", Tier.OTHER),
    ("/Users/ann/a", Tier.USER_FILES),
]


def item(path: str, *, size: int = 1000, kind: ItemKind = ItemKind.FILE, allocated: bool = True) -> Item:
    address = VOLUME.child("file", "77-128-1").child("path", "/" + path)
    return Item(address=address, kind=kind, path=path, size=size, allocated=allocated, reference="77")


def order(*, seed: bytes = SEED, removable: bool = False) -> Order:
    return Order(seed=seed, removable=removable)


def tier_of(path: str, *, removable: bool) -> Tier:
    return Tier(order(removable=removable).place(item(path)).tier)


def is_picture_name(path: str) -> bool:
    return order().place(item(path)).draw is not None


def is_video_name(path: str) -> bool:
    return order().place(item(path)).rank % STEPS == 3


def numbered(folder: str, number: int) -> list[Item]:
    return [item(f"{folder}/IMG_{index:05}.JPG") for index in range(number)]


@pytest.mark.parametrize(("path", "tier"), PLACES)
def test_a_path_is_in_the_tier_of_its_folders(path: str, tier: Tier) -> None:
    assert tier_of(path, removable=False) is tier
    assert tier_of(path, removable=True) is Tier.REMOVABLE


def test_archives_wait_but_not_longer_than_the_system() -> None:
    assert tier_of("Users/ann/Downloads/a.ZIP", removable=False) is Tier.ARCHIVES
    assert tier_of("Windows/Installer/a.cab", removable=False) is Tier.SYSTEM
    assert tier_of("a.7z", removable=False) is Tier.ARCHIVES


def test_every_tier_has_a_label_of_its_own() -> None:
    assert len({tier.label for tier in Tier}) == len(Tier)


def test_every_pattern_lifts_the_folder_that_it_names() -> None:
    fields = tomllib.loads((resources.files("triage.items") / "tiers.toml").read_text(encoding="utf-8"))
    for name, patterns in fields["tiers"].items():
        tier = Tier[name.upper().replace("-", "_")]
        for pattern in patterns:
            path = pattern.replace("~", fields["homes"][0]).replace("*", "anyone").strip("/")
            assert tier_of(f"{path.upper()}/deeper/x", removable=False) <= tier


@given(st.text(max_size=40), st.booleans())
def test_every_path_has_a_tier(path: str, removable: bool) -> None:
    assert tier_of(path, removable=removable) in Tier


def test_hostile_depth_and_names_cost_no_more_memory_than_the_bound() -> None:
    for index in range(5000):
        tier_of(f"{index}/" + "x" * 5000 + "/" + "y/" * 5000 + "z", removable=False)
    remembered = _tier_of_folder.cache_info()
    assert remembered.maxsize is not None
    assert remembered.currsize <= remembered.maxsize
    assert tier_of("\udcff\udce9/Downloads/x", removable=False) is Tier.USER_PICTURES


def test_names_of_pictures_and_videos_are_told_by_their_extension() -> None:
    assert all(is_picture_name(f"a.b/c.{end}") for end in ("jpg", "JPEG", "HeiC", "dng", "CR3", "webp"))
    assert not any(is_picture_name(name) for name in ("jpg", "a/jpg", "a.jpg/b", "a.txt", "a.", "", "a.jpg.exe"))
    assert is_picture_name("notes.txt:hidden.jpg")
    assert is_video_name("a/b.MP4")
    assert not is_video_name("a.jpg")
    assert not is_picture_name("a.mp4")


def test_tiers_come_before_steps_and_pictures_before_the_rest() -> None:
    first = order()
    steps = [
        item("Users/ann/Pictures/a.jpg"),
        item("Users/ann/Pictures/a.mp4", size=LARGE),
        item("Users/ann/Pictures/a.txt", size=LARGE),
        item("Users/ann/Pictures/a.mp4", size=LARGE + 1),
    ]
    ranks = [first.place(one).rank for one in [*steps, item("home/ann/a.jpg"), item("usr/bin/a")]]
    assert [one % STEPS for one in ranks[:4]] == [2, 3, 4, 5]
    assert all(one < other for one, other in pairwise(ranks))
    assert [one // STEPS for one in ranks] == [1, 1, 1, 1, 6, 10]


def test_what_is_carved_comes_before_the_system_and_after_every_other_folder_also_on_a_stick() -> None:
    carved = replace(item("carved/4096.jpg"), kind=ItemKind.CARVED)
    tiers = [Order(seed=b"", removable=removable).place(carved).tier for removable in (False, True)]
    assert tiers == [Tier.UNALLOCATED] * 2
    assert Tier.OTHER < Tier.UNALLOCATED < Tier.SYSTEM


def test_a_drawn_picture_goes_first_however_large_and_a_large_one_last() -> None:
    ranks: Counter[tuple[int | None, int]] = Counter()
    for one in numbered("DCIM", 2000):
        large = item(one.path, size=LARGE + 1)
        place = order().place(large)
        ranks[place.draw, place.rank % STEPS] += 1
    assert set(ranks) == {(0, 0), (1, 1), (2, 5)}


def test_draws_are_nested_shares_of_all_pictures() -> None:
    drawn = Counter(order().place(one).draw for one in numbered("DCIM", 32_000))
    assert drawn.total() == 32_000
    assert drawn[0] == pytest.approx(32_000 / 256, abs=45)  # four standard deviations
    assert drawn[0] + drawn[1] == pytest.approx(32_000 / 16, abs=175)


def test_the_same_seed_draws_the_same_and_another_one_others() -> None:
    pictures = numbered("DCIM", 2000)

    def drawn(seed: bytes) -> list[int]:
        return [index for index, one in enumerate(pictures) if order(seed=seed).place(one).draw != 2]

    assert drawn(SEED) == drawn(SEED)
    assert len(set(drawn(SEED)) & set(drawn(b"another"))) < 40  # 1 of 256 is in both by chance


def test_deleted_pictures_are_drawn_and_placed_as_live_ones_are() -> None:
    live, deleted = item("DCIM/a.jpg"), item("DCIM/a.jpg", allocated=False)
    assert order().place(live) == order().place(deleted)


def test_only_pictures_with_content_are_drawn() -> None:
    others = [
        item("DCIM/a.jpg", size=0),
        item("DCIM/a.jpg", kind=ItemKind.DIRECTORY),
        item("DCIM/a.jpg", kind=ItemKind.LINK),
        item("DCIM/a.mp4"),
    ]
    assert [order().place(one).draw for one in others] == [None] * 4


def test_a_removable_device_is_one_tier_with_the_same_steps() -> None:
    first = order(removable=True)
    drawn = next(one for one in numbered("Windows", 2000) if first.place(one).draw == 0)
    assert first.place(drawn) == Placed(tier=Tier.REMOVABLE, draw=0, rank=0)
    assert first.place(item("Windows/a.mp4")) == Placed(tier=Tier.REMOVABLE, draw=None, rank=3)


def test_a_first_look_is_for_pictures_that_can_carry_a_smaller_one() -> None:
    worth = [item("DCIM/a.JPG", size=LOOK), item("a.heic", size=LOOK), item("a.jpg", size=LOOK, allocated=False)]
    assert all(order().place(one).look for one in worth)
    others = [
        item("DCIM/a.jpg", size=LOOK - 1),
        item("DCIM/a.png", size=LOOK),
        item("DCIM/a.mp4", size=LOOK),
        item("DCIM/a.jpg", size=LOOK, kind=ItemKind.LINK),
        replace(worth[0], unlocated="its clusters are gone"),
    ]
    assert not any(order().place(one).look for one in others)


def test_a_folder_with_hits_comes_before_all_and_moves_up_when_they_double() -> None:
    ranks = [promoted(hits) for hits in range(1, 1025)]
    assert ranks[0] == -1
    assert all(later <= earlier for earlier, later in pairwise(ranks))
    assert [index + 1 for index, (one, other) in enumerate(pairwise(ranks), 1) if one != other] == [
        2**power for power in range(1, 11)
    ]
    with pytest.raises(ValueError, match="0 hits"):
        promoted(0)
