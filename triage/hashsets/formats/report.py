"""What a reader tells of a file beside its records: rows read, rows skipped and why, values that were no good."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from triage.model.errors import SourceError

PLACES_KEPT = 5


@dataclass(slots=True, kw_only=True)
class Tally:
    """How often one reason was met, and the first line or record numbers (1-based) where."""

    count: int = 0
    places: list[int] = field(default_factory=list)

    def add(self, place: int) -> None:
        """Count one more."""
        self.count += 1
        if len(self.places) < PLACES_KEPT:
            self.places.append(place)


class ReadReport:
    """The account of one file: `rows == used + skipped`; a used row may still have lost single values.

    `place` is the number of the line or record in hand (`unit` says which), kept by the reader, so that whoever
    consumes a record can still skip it under its number. `region` is the VICS region, None for other formats and
    where the file names none.
    """

    def __init__(self, file: str, *, reader: str = "", unit: str = "line") -> None:
        self.file = file
        self.reader = reader
        self.unit = unit
        self.rows = 0
        self.place = 0
        self.region: str | None = None
        self._notes: dict[str, None] = {}
        self._skipped: dict[str, Tally] = {}
        self._bad_values: dict[str, Tally] = {}

    @property
    def notes(self) -> tuple[str, ...]:
        """What was taken for granted and may be otherwise, each once."""
        return tuple(self._notes)

    @property
    def skipped(self) -> Mapping[str, Tally]:
        """Rows of which nothing was used, by reason, in the order first met."""
        return self._skipped

    @property
    def bad_values(self) -> Mapping[str, Tally]:
        """Single values that were dropped, by reason; the rest of their row may be in use."""
        return self._bad_values

    @property
    def used(self) -> int:
        """Rows that became records."""
        return self.rows - sum(tally.count for tally in self._skipped.values())

    def note(self, text: str) -> None:
        """Tell once what is taken for granted."""
        self._notes[text] = None

    def skip(self, reason: str) -> None:
        """Count the row in hand as not used."""
        self._skipped.setdefault(reason, Tally()).add(self.place)

    def skip_rows(self, reason: str, places: Iterable[int]) -> None:
        """Count the rows at these places as not used; a row of several records is one."""
        tally = self._skipped.setdefault(reason, Tally())
        for place in dict.fromkeys(places):
            tally.add(place)

    def drop_value(self, reason: str) -> None:
        """Count a value of the row in hand as not used."""
        self._bad_values.setdefault(reason, Tally()).add(self.place)

    def refuse(self, cause: str, step: str = "check the file") -> SourceError:
        """Return the error that ends the reading of this file, naming it, the place and the next step."""
        return SourceError(f"{self.file}: {cause}, at {self.unit} {self.place}: nothing was imported; {step}")

    def lines(self) -> list[str]:
        """Return the account as a person reads it: what was read and used, then a line for each note and reason."""
        lines = [f"{self.file}: {self.reader}, {self.rows:,} rows read, {self.used:,} used"]
        lines += [f"  {note}" for note in self._notes]
        for what, tallies in (("skipped", self._skipped), ("value dropped", self._bad_values)):
            for reason, tally in tallies.items():
                places = ", ".join(str(place) for place in tally.places)
                more = ", ..." if tally.count > len(tally.places) else ""
                lines.append(f"  {tally.count:,} {what}: {reason} ({self.unit} {places}{more})")
        return lines
