"""The label table of a set: what publishers say of members, each distinct thing once."""

from collections.abc import Mapping

import numpy as np

from triage.hashsets.columns import Column, Columns
from triage.hashsets.record import Label
from triage.model.errors import SourceError

MAX_LABELS = 1 << 20
"""Different labels that are kept; a set has some thousands. Of more, no series is kept, whichever came first."""

_TEXTS = ("category", "grade", "series")


class Labels:
    """Numbers labels as they come; at the end they are sorted, so that a set does not depend on the order of files."""

    def __init__(self) -> None:
        self.series_dropped = False
        self._numbers: dict[Label, int] = {}

    def __len__(self) -> int:
        return len(self._numbers)

    def numbers(self, labels: tuple[Label, ...]) -> Column:
        """Return the provisional number of each label; raises SourceError for more categories than any set has."""
        return np.array([self._number(label) for label in labels], "<u4")

    def _number(self, label: Label) -> int:
        if len(self._numbers) >= MAX_LABELS and label not in self._numbers:
            self.series_dropped = True
            if len(self._numbers) >= 2 * MAX_LABELS:
                raise SourceError("more different categories and grades than any hash set has: check the columns")
        kept = label._replace(series=None) if self.series_dropped else label
        return self._numbers.setdefault(kept, len(self._numbers))

    def final_numbers(self) -> Column:
        """Return the final number of each label by its provisional one."""
        places = {label: number for number, label in enumerate(self._sorted())}
        return np.array([places[self._final(label)] for label in self._numbers] or [0], "<u4")

    def columns(self, used: Column) -> Mapping[str, Column]:
        """Return the table of the labels that are used, told by their final numbers, as columns."""
        labels = [label for label, is_used in zip(self._sorted(), used.tolist(), strict=False) if is_used]
        texts = sorted({text for label in labels for text in label[:3] if text is not None})
        numbers: dict[str | None, int] = {None: 0} | {text: number for number, text in enumerate(texts, start=1)}
        encoded = [text.encode("utf-8", "replace") for text in texts]
        return {
            **{
                f"label_{name}": np.array([numbers[getattr(label, name)] for label in labels], "<u4") for name in _TEXTS
            },
            "label_flags": np.array([label.flags for label in labels], "u1"),
            "text": np.frombuffer(b"".join(encoded), "u1"),
            "text_end": np.cumsum([len(text) for text in encoded], dtype="<u8"),
        }

    def _final(self, label: Label) -> Label:
        return label._replace(series=None) if self.series_dropped else label

    def _sorted(self) -> list[Label]:
        return sorted({self._final(label) for label in self._numbers}, key=_order)


def _order(label: Label) -> tuple[object, ...]:
    texts = label[:3]
    return *(text or "" for text in texts), *(text is None for text in texts), label.flags


class LabelTable:
    """The label table of an opened set."""

    def __init__(self, columns: Columns) -> None:
        self._columns = columns

    def __len__(self) -> int:
        return len(self._columns["label_flags"])

    def of(self, record: int) -> Label:
        """Return what is said of a record."""
        return self[int(self._columns["label"][record])]

    def __getitem__(self, number: int) -> Label:
        category, grade, series = (self._text(int(self._columns[f"label_{name}"][number])) for name in _TEXTS)
        return Label(category, grade, series, int(self._columns["label_flags"][number]))

    def counts(self) -> list[tuple[Label, int]]:
        """Return every label with the number of its records; reads the label of each."""
        counted = np.bincount(self._columns["label"], minlength=len(self))
        return [(self[number], int(count)) for number, count in enumerate(counted)]

    def _text(self, number: int) -> str | None:
        if number == 0:
            return None
        ends = self._columns["text_end"]
        start = int(ends[number - 2]) if number > 1 else 0
        return bytes(self._columns["text"][start : int(ends[number - 1])]).decode()
