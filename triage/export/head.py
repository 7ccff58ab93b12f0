"""The head of the custody ledger on paper: what was printed can be held against the case later."""

from urllib.parse import quote

import segno

from triage.export.known import Known

_LEVEL = "m"  # some 15 % of the code may be damaged: a label is handled


def head_text(known: Known) -> str:
    """Return what the QR code holds: `triage:1 case=... exhibit=... event=... sha256=...`, ASCII.

    `1` is the version of this form. `case` is `Known.case`. `exhibit` is percent-encoded UTF-8 (RFC 3986) but for `/`.
    `event` is the number of the last custody event that the document tells of, `sha256` its digest.
    """
    exhibit, head = quote(known.reference, safe="/", errors="backslashreplace"), known.head
    return f"triage:1 case={known.case} exhibit={exhibit} event={head.sequence} sha256={head.digest}"


def modules(text: str) -> list[list[bool]]:
    """Return the QR code (ISO/IEC 18004) of a text as rows of dark (True) and light modules, without a border."""
    code = segno.make_qr(text, error=_LEVEL, boost_error=False)
    return [[bool(module) for module in row] for row in code.matrix]
