import pytest

from triage.session.remains import told


@pytest.mark.parametrize(
    ("allocated", "space", "reused", "expected"),
    [
        (True, None, None, ""),
        (False, None, None, "deleted"),
        (False, 40960, 0, "deleted; none of its space belongs to an allocated file by now"),
        (False, 40960, 12288, "deleted; 12,288 of 40,960 bytes of its space belong to allocated files by now"),
    ],
)
def test_it_is_told_what_a_deleted_file_has_lost(
    allocated: bool, space: int | None, reused: int | None, expected: str
) -> None:
    assert told({"allocated": allocated, "space_bytes": space, "reused_bytes": reused}) == expected
