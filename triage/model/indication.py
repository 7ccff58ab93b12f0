"""Indications: what the name of an item, or what a system wrote about itself, tells an examiner besides hits."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Indication:
    """One thing that is hinted at, in a group such as `encryption`; `text` says what it means and what not.

    A name proves nothing of a content, and a system records what its clock and its users told it: an indication is a
    hint where to look, and never part of a recommendation.
    """

    group: str
    label: str
    text: str
