import pytest

from triage.policy.wording import amount, counted, listed


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (0, "0 bytes"),
        (1, "1 byte"),
        (999, "999 bytes"),
        (1000, "1.0 kilobytes (1,000 bytes)"),
        (1_234_567_890, "1.2 gigabytes (1,234,567,890 bytes)"),
        (5 * 10**15, "5,000.0 terabytes (5,000,000,000,000,000 bytes)"),
    ],
)
def test_amounts(number: int, words: str) -> None:
    assert amount(number) == words


def test_counts_and_lists() -> None:
    assert [counted(number, "item") for number in (0, 1, 1204)] == ["0 items", "1 item", "1,204 items"]
    assert [listed(parts) for parts in (["a"], ["a", "b"], ["a", "b", "c"])] == ["a", "a and b", "a, b and c"]
