"""The console with four examinations running: what console.py and console_hour.py put beside a case of a million items.

Usage: python benchmarks/console_scans.py CASE
Shows the console of the case in this terminal, with four devices that its visit examines at the same time: the image
of 2,800 photographs that pictures.py makes, each in a process of its own, as many readers each as the console gives.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.evidence import FOLDER
from triage.session.examination import Order
from triage.session.visit import Visit
from triage.ui.app import Console

SCANS = ("DEF/1", "DEF/2", "DEF/3", "DEF/4")
_NUMBERS = {"camera": 600, "progressive": 200, "small": 2000}


def evidence() -> tuple[Path, Path]:
    """Return the image and the library of sets, made where they are missing (root, ntfs-3g, some minutes)."""
    from benchmarks.examining import build_set  # noqa: PLC0415 - what makes it is heavy, and mostly it is there
    from benchmarks.pictures import make_exhibit  # noqa: PLC0415 - likewise

    exhibit = make_exhibit(FOLDER, _NUMBERS)
    library = exhibit.known.with_name(f"{exhibit.image.stem}-library")
    return exhibit.image, library if library.exists() else build_set(exhibit.known, library, "known pictures")


def begun(case: Path) -> Visit:
    """Return a visit that examines the four devices."""
    image, library = evidence()
    visit = Visit(case, actor="examiner", library=library)
    for reference in SCANS:
        visit.begin(Order(source=image, case=case, exhibit=reference))
    return visit


def main() -> None:
    """Begin the four, and show the console."""
    case = Path(sys.argv[1])
    application = Console(case, actor="examiner", visit=begun(case))
    try:
        application.run()
    finally:
        application.close()


if __name__ == "__main__":
    main()
