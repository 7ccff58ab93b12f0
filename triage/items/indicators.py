"""What the names of items tell an examiner besides hits: programs, folders and files to know of, and a force's words.

Names only, never content, of which `indicators_content` tells. The table is `indicators.toml`; a force may give its
own, and a list of words.
"""

import hashlib
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from triage.items.indicator_rules import LEAST_START, IndicatorRule, load_rules
from triage.items.keywords import Keywords
from triage.items.names import Begun, PathPatterns, folded
from triage.model.custody import canonical
from triage.model.indication import Indication

KEYWORD = "keyword"
"""The group of what a force's own list gave."""

_VERSION = 2  # to be raised when the same evidence can be told another thing with the same table and words
_MEANS = "The name holds a word of the force's list, perhaps inside of another word; it says nothing of the content."


class Indicators:
    """Rules and words, ready to be asked. `digest` (hexadecimal SHA-256) covers all that decides an answer."""

    def __init__(self, rules: Sequence[IndicatorRule], keywords: Keywords) -> None:
        self._told = tuple(rule.indication for rule in rules)
        self._keywords = keywords
        self._paths = PathPatterns()
        self._by_extension: defaultdict[str, set[int]] = defaultdict(set)
        self._by_start: defaultdict[str, list[tuple[str, int]]] = defaultdict(list)
        for number, rule in enumerate(rules):
            self._add(number, rule)
        given = [_VERSION, [asdict(rule) for rule in rules], keywords.words]
        self.digest = hashlib.sha256(canonical(given).encode()).hexdigest()

    @classmethod
    def load(cls, toml: Path | None = None, keywords: Path | None = None) -> "Indicators":
        """Read a table, the shipped one for None, and a list of words, none for None. Raises UsageError for either."""
        return cls(load_rules(toml), Keywords([]) if keywords is None else Keywords.load(keywords))

    def of(self, paths: Sequence[str]) -> list[tuple[Indication, ...]]:
        """Return what each path inside a volume indicates by its last name and the folders it lies in.

        In the order of the table, then words in theirs; each once. A folder tells for itself, not for what is in it.
        """
        names: list[str] = []
        told: list[tuple[Indication, ...]] = []
        before, begun = None, self._paths.begun("")
        plain, extensions, starts = self._paths.anywhere, self._by_extension, self._by_start
        for path in paths:
            folder, _, last = path.rpartition("/")
            name = folded(last)
            names.append(name)
            if folder != before:
                before, begun = folder, self._paths.begun(folder)
            # Nearly every name ends here
            if (
                len(begun) == 1
                and name not in plain
                and name[:LEAST_START] not in starts
                and name.rpartition(".")[2] not in extensions
            ):
                told.append(())
            else:
                told.append(self._told_by(begun, name))
        for position, word in self._keywords.find(names):
            told[position] += (Indication(group=KEYWORD, label=word, text=_MEANS),)
        return told

    def _told_by(self, begun: Begun, name: str) -> tuple[Indication, ...]:
        met = self._paths.ending(begun, name)
        _, dot, extension = name.rpartition(".")
        if dot:
            met |= self._by_extension.get(extension, set())
        met |= {number for start, number in self._by_start.get(name[:LEAST_START], ()) if name.startswith(start)}
        return tuple(self._told[number] for number in sorted(met))

    def _add(self, number: int, rule: IndicatorRule) -> None:
        for name in rule.names:
            if name.endswith("*"):
                start = folded(name[:-1])
                self._by_start[start[:LEAST_START]].append((start, number))
            else:
                self._paths.add(name, number)
        for extension in rule.extensions:
            self._by_extension[folded(extension)].add(number)
        for path in rule.paths:
            self._paths.add(path, number)
        for path in rule.not_paths:
            self._paths.add(path, number, excluding=True)
