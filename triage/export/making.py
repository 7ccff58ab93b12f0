"""Every kind of document, and what makes it."""

from collections.abc import Callable, Mapping

from triage.export.continuity import continuity
from triage.export.known import Kind, Known
from triage.export.label import label
from triage.export.receipt import receipt

MAKERS: Mapping[Kind, Callable[[Known], bytes]] = {
    Kind.RECEIPT: receipt,
    Kind.LABEL: label,
    Kind.CONTINUITY: continuity,
}
