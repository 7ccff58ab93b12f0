from collections.abc import Iterable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from synthetic.carvable import avi, files, saved
from synthetic.photographs import photograph, with_thumbnail

from triage.content.carving.carver import DEFAULT_LIMITS, Carved, CarvingLimits, Progress, carve
from triage.content.carving.stretch import BLOCK

SAMPLES = files(1)
NAMES = tuple(SAMPLES)
SECTOR = 512
OFF = 777  # no multiple of a sector


def noise(length: int, seed: int = 0) -> bytes:
    return np.random.default_rng(seed).bytes(length)


def carved(data: bytes, step: int = SECTOR, limits: CarvingLimits = DEFAULT_LIMITS) -> list[Carved]:
    return [one for one in events(data, step, limits) if isinstance(one, Carved)]


def events(data: bytes, step: int = SECTOR, limits: CarvingLimits = DEFAULT_LIMITS) -> list[Carved | Progress]:
    def read(offset: int, length: int) -> bytes:
        assert 0 <= offset < offset + length <= len(data)
        return data[offset : offset + length]

    return list(carve(read, len(data), limits, step=step))


def whole(offset: int, name: str) -> Carved:
    data, media_type = SAMPLES[name]
    return Carved(offset, len(data), media_type, whole=True)


def in_sectors(parts: Iterable[bytes]) -> bytes:
    return b"".join(part.ljust(-(-len(part) // SECTOR) * SECTOR, b"\0") for part in parts)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(("start", "step"), [(0, SECTOR), (3 * SECTOR, SECTOR), (OFF, 1)])
@pytest.mark.parametrize("garbage", [0, 1, 5000])
def test_a_file_is_found_with_its_exact_length(name: str, start: int, step: int, garbage: int) -> None:
    assert carved(noise(start) + SAMPLES[name][0] + noise(garbage), step) == [whole(start, name)]


@pytest.mark.parametrize("name", NAMES)
def test_zeros_behind_a_file_are_not_its_own(name: str) -> None:
    assert carved(SAMPLES[name][0] + bytes(5000)) == [whole(0, name)]


def test_at_sectors_a_file_elsewhere_is_not_looked_for() -> None:
    assert carved(noise(OFF) + SAMPLES["png"][0]) == []


def test_files_in_one_stretch_come_in_order_of_offset() -> None:
    data = in_sectors(SAMPLES[name][0] for name in NAMES)
    found = carved(data)
    assert [(one.length, one.media_type) for one in found] == [
        (len(SAMPLES[name][0]), SAMPLES[name][1]) for name in NAMES
    ]
    assert [one.offset for one in found] == sorted(one.offset for one in found)
    assert carved(data, 1) == found


@pytest.mark.parametrize("step", [1, SECTOR])
def test_files_back_to_back_are_each_found(step: int) -> None:
    data, expected = b"", []
    for name in NAMES:
        expected.append(whole(len(data), name))
        data += SAMPLES[name][0]
    found = {one.offset: one for one in carved(data, step)}
    near = [one for one in expected if one.offset in found or step == 1]
    assert [found[one.offset] for one in near] == near
    assert found[0] == expected[0]
    assert found[expected[1].offset] == expected[1]


@pytest.mark.parametrize("name", NAMES)
def test_a_file_across_blocks_is_found(name: str) -> None:
    for start, step in ((BLOCK - SECTOR, SECTOR), (BLOCK - 3, 1), (BLOCK - 33, 1)):
        data = bytes(start) + SAMPLES[name][0] + bytes(100)
        assert carved(data, step) == [whole(start, name)]


@pytest.mark.parametrize("name", NAMES)
def test_a_file_cut_off_is_never_whole_and_never_longer_than_what_is_left(name: str) -> None:
    data, media_type = SAMPLES[name]
    lengths = sorted({*range(40), *range(0, len(data), max(1, len(data) // 40)), *range(len(data) - 20, len(data))})
    found = {length: carved(data[:length]) for length in lengths}
    for length, ones in found.items():
        assert not any(one.whole for one in ones if one.offset == 0 and one.length > length)
        assert all(one.offset + one.length <= length for one in ones)
        assert not any(one.whole for one in ones if one.offset == 0 and one.media_type == media_type)
    first = found[lengths[-1]][0]
    assert (first.offset, first.length, first.media_type) == (0, len(data) - 1, media_type)
    assert first.reason == "cut off by the end of the stretch"


def test_a_photograph_broken_in_its_pixels_is_sound_up_to_there_and_its_thumbnail_is_found() -> None:
    thumbnail = saved(photograph(3, (160, 120)), "JPEG")
    data = with_thumbnail(photograph(2, (640, 480)), thumbnail=thumbnail)
    kept = -(-len(data) * 2 // 3 // SECTOR) * SECTOR
    first, second = carved(data[:kept] + noise(100_000))
    assert (first.offset, first.whole, first.media_type) == (0, False, "image/jpeg")
    assert kept - 2 <= first.length < kept + 2000
    assert second == Carved(data.index(thumbnail), len(thumbnail), "image/jpeg", whole=True)
    assert carved(data) == [Carved(0, len(data), "image/jpeg", whole=True)]


def test_a_file_that_overwrites_the_middle_of_another_is_found() -> None:
    film, photo = bytearray(SAMPLES["png"][0]), SAMPLES["baseline"][0]
    film[20 * SECTOR : 20 * SECTOR + len(photo)] = photo
    first, second = carved(bytes(film))
    assert (first.offset, first.whole, first.reason) == (0, False, "the checksum of a chunk is wrong")
    assert second == whole(20 * SECTOR, "baseline")


def test_a_whole_file_hides_what_lies_inside_it() -> None:
    inner = SAMPLES["baseline"][0]
    outer = avi(inner)
    assert carved(outer, 1) == [Carved(0, len(outer), "video/x-msvideo", whole=True)]
    held = b"\xff\xd8\xff\xe1" + (len(inner) + 2).to_bytes(2, "big") + inner + inner[2:]
    assert carved(held, 1) == [Carved(0, len(held), "image/jpeg", whole=True)]


def test_a_second_picture_right_behind_the_first_is_found_at_sectors_too() -> None:
    first, second = SAMPLES["baseline"], SAMPLES["progressive"]
    assert carved(first[0] + second[0]) == [whole(0, "baseline"), whole(len(first[0]), "progressive")]


@pytest.mark.parametrize("step", [1, SECTOR])
def test_noise_holds_no_file(step: int) -> None:
    assert carved(noise(16 << 20, seed=3), step) == []


@pytest.mark.parametrize("fill", [b"\0", b"\xff", b"\xff\xd8\xff", b"BM\0\0", b"RIFF", b"\0\0\0\x18ftyp", b"GIF89a"])
def test_a_pattern_holds_no_whole_file(fill: bytes) -> None:
    found = carved(fill * ((100 << 10) // len(fill)), 1)
    assert not any(one.whole for one in found)


def test_progress_covers_the_stretch() -> None:
    data = bytes(BLOCK) + SAMPLES["png"][0] + bytes(2 * BLOCK)
    happened = events(data)
    assert [one.examined for one in happened if isinstance(one, Progress)] == [BLOCK, 2 * BLOCK, 3 * BLOCK, len(data)]
    assert happened[1] == whole(BLOCK, "png")
    assert events(b"") == []


@pytest.mark.parametrize("name", ["streamed", "avi", "lossless", "bmp"])
def test_a_file_in_a_sector_that_the_lengths_of_another_pass_over_is_found(name: str) -> None:
    outer, media_type = SAMPLES[name]
    inner = with_thumbnail(photograph(8, (160, 120)))
    at = 10 * SECTOR
    data = outer[:at] + inner + outer[at + len(inner) :]
    for step in (1, SECTOR):
        assert carved(data, step) == [
            Carved(0, len(outer), media_type, whole=True),
            Carved(at, len(inner), "image/jpeg", whole=True),
        ]
        cut = data[:at] + inner[:-1000] + noise(1000) + data[at + len(inner) :]
        found = carved(cut, step)
        assert [(one.offset, one.whole) for one in found[:3]] == [
            (0, True),
            (at, False),
            (at + inner.rindex(b"\xff\xd8"), True),
        ]


def test_a_film_is_not_searched_for_its_frames() -> None:
    film = avi(b"".join(b"00dc" + SAMPLES["grey"][0] for _ in range(20)))
    assert carved(film + bytes(SECTOR), 1) == [Carved(0, len(film), "video/x-msvideo", whole=True)]


def test_a_stretch_that_ends_early_is_examined_as_far_as_it_goes() -> None:
    photo = SAMPLES["baseline"][0]
    data = bytes(BLOCK) + photo[:-10]
    *found, last = carve(lambda offset, length: data[offset : offset + length], 5 * BLOCK)
    assert last == Progress(len(data))
    assert found[1] == Carved(BLOCK, len(photo) - 10, "image/jpeg", False, "cut off by the end of the stretch")


def test_a_medium_that_gives_other_bytes_the_second_time_raises_nothing() -> None:
    data = in_sectors([SAMPLES["long"][0], bytes(12 * BLOCK), SAMPLES["png"][0]])
    seen: set[int] = set()

    def read(offset: int, length: int) -> bytes:
        if offset in seen:
            return bytes(length)
        seen.add(offset)
        return data[offset : offset + length]

    for step in (1, SECTOR):
        seen.clear()
        *_, last = carve(read, len(data), step=step)
        assert last == Progress(len(data))


@pytest.mark.parametrize("step", [0, 2, 4096])
def test_another_step_is_refused(step: int) -> None:
    with pytest.raises(ValueError, match="every byte or every 512"):
        carve(lambda _offset, _length: b"", 0, step=step)


def test_the_number_of_files_is_limited_and_what_was_not_examined_is_said() -> None:
    data = in_sectors([SAMPLES["bits"][0]] * 5)
    *found, last = events(data, limits=CarvingLimits(found=3))
    assert len(found) == 3
    assert last == Progress(3 * len(data) // 5, "no more than 3 files are looked for")
    assert len(carved(data, limits=CarvingLimits(found=5))) == 5


def test_a_file_longer_than_the_limit_is_not_whole() -> None:
    data, _ = SAMPLES["mp4"]
    (found,) = carved(data, limits=CarvingLimits(longest=5000))
    assert (found.whole, found.reason) == (False, "longer than 5000 bytes")


@pytest.mark.parametrize("name", ["png", "animated", "restarts"])
def test_a_file_that_costs_more_than_its_budget_is_not_whole(name: str) -> None:
    data, media_type = SAMPLES[name]
    (found,) = (one for one in carved(data, limits=CarvingLimits(followed=3000)) if one.offset == 0)
    assert (found.media_type, found.whole) == (media_type, False)
    assert found.reason == "not followed to its end within a budget of 3000 bytes"


def test_false_heads_without_end_cost_no_more_than_the_budget() -> None:
    head = SAMPLES["png"][0][:33] + (1 << 30).to_bytes(4, "big") + b"IDAT"
    data = in_sectors([head]) * 4000
    taken = 0

    def read(offset: int, length: int) -> bytes:
        nonlocal taken
        taken += length
        return data[offset : offset + length]

    limits = CarvingLimits(followed=BLOCK, share=1)
    *_, last = carve(read, 1 << 40, limits)
    assert last == Progress(len(data))
    assert taken < 6 * BLOCK


def test_the_budget_of_the_whole_stretch_ends_the_search_and_says_so() -> None:
    picture = SAMPLES["png"][0]
    data = in_sectors([picture[:-4] + bytes(4)] * 50)
    *found, last = events(data, limits=CarvingLimits(followed=len(picture) * 2, share=0))
    assert 1 <= len(found) <= 3
    assert isinstance(last, Progress)
    assert last.examined < len(data)
    assert last.reason == "the budget for following files was used up"


PIECES = st.one_of(
    st.binary(max_size=300),
    st.sampled_from([SAMPLES[name][0][:1500] for name in NAMES]),
    st.sampled_from([SAMPLES[name][0] for name in ("grey", "bits", "lossy")]),
)


@settings(max_examples=150)
@given(pieces=st.lists(PIECES, max_size=6), cut=st.integers(0, 2000), step=st.sampled_from([1, SECTOR]))
def test_any_bytes_are_carved_without_an_error_and_within_their_bounds(
    pieces: list[bytes], cut: int, step: int
) -> None:
    data = b"".join(pieces)[cut:]
    happened = events(data, step)
    found = [one for one in happened if isinstance(one, Carved)]
    assert all(0 <= one.offset < one.offset + one.length <= len(data) for one in found)
    assert [one.offset for one in found] == sorted({one.offset for one in found})
    assert all(bool(one.reason) != one.whole for one in found)
    for one in found:
        inside = range(one.offset + 1, one.offset + one.length)
        assert not one.whole or not any(other.offset in inside for other in found if other.offset % SECTOR)
    if data:
        assert happened[-1] == Progress(len(data))


@settings(max_examples=150)
@given(name=st.sampled_from(NAMES), harm=st.binary(min_size=1, max_size=40), place=st.floats(0, 1))
def test_a_harmed_file_raises_nothing(name: str, harm: bytes, place: float) -> None:
    data = bytearray(SAMPLES[name][0])
    at = int(place * len(data))
    data[at : at + len(harm)] = harm
    for one in carved(bytes(data), 1):
        assert 0 < one.length <= len(data) - one.offset
