"""What the form of an arrival asks: its fields in their order, with label and hint, and its choices."""

from typing import TYPE_CHECKING

from triage.ui.symbols import size

if TYPE_CHECKING:  # loaded in the background, so that the form comes at once
    from triage.session.devices import PickableDevice

STAYS = ("operation", "authority", "premises", "examiner", "found_where", "found_by")
"""The fields that hold for one exhibit after the other."""

SECTIONS: tuple[tuple[str, tuple[tuple[str, str, str], ...]], ...] = (
    (
        "The case",
        (
            ("operation", "Operation", ""),
            ("authority", "Authority", "warrant, consent, other power"),
            ("premises", "Premises", ""),
            ("examiner", "Examiner", "your name, as it stands in the record"),
        ),
    ),
    (
        "The exhibit",
        (
            ("exhibit", "Reference", "such as ABC/1"),
            ("description", "Description", "what it is, as a person sees it"),
            ("seal", "Seal number", ""),
            ("make", "Make", ""),
            ("model", "Model", ""),
            ("serial", "Serial number", ""),
            ("found_where", "Found where", ""),
            ("found_when", "Found when", "YYYY-MM-DD HH:MM"),
            ("found_by", "Found by", ""),
            ("state_on_arrival", "State on arrival", "off, on, locked, damaged"),
        ),
    ),
    ("The examination", (("source", "Device or image", "pick one below, or type a path"),)),
)
OF_THE_RUN = ("source", "enough")
"""The fields that are no part of the record of arrival."""

BLOCKS = (
    ("", "not stated"),
    ("hardware", "hardware write blocker"),
    ("system", "read-only by the operating system"),
    ("image", "an image is examined"),
    ("none", "none"),
)
_FIGURES = 10  # of a number, fewer than that
PROFILES = (
    ("scene", "scene: earliest hits first"),
    ("exact", "exact: digests only, no pictures decoded"),
    ("full", "full: everything, and deleted space"),
)


def unusable(enough: str) -> dict[str, str]:
    """Return a sentence for the field in which is said how many findings are enough, if it says nothing that counts."""
    if not enough or (enough.isascii() and enough.isdigit() and int(enough[:_FIGURES]) > 0 and len(enough) < _FIGURES):
        return {}
    return {"enough": "Write a whole number, such as 1 or 20, or leave it empty to go on to the end."}


def device_words(device: "PickableDevice") -> str:
    """Return what a person picks a device by."""
    name = " ".join(filter(None, (device.make, device.model))) or "device without a name"
    marks = [size(device.size), "read-only" if device.read_only else "WRITABLE: block it first"]
    if device.mounted:
        marks.append(f"in use at {device.mounted[0]}")
    return f"{device.path}  {name}  {', '.join(marks)}"
