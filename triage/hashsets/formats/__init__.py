"""Readers of published hash sets, one format a module, in the order in which they are asked."""

from triage.hashsets.formats.csv_table import CSV_TABLE
from triage.hashsets.formats.pdq_list import PDQ_LIST
from triage.hashsets.formats.reader import Reader
from triage.hashsets.formats.text import TEXT
from triage.hashsets.formats.vics import VICS

READERS: tuple[Reader, ...] = (VICS, CSV_TABLE, TEXT, PDQ_LIST)

AUTO = "auto"
FORMATS = (AUTO, *(reader.name for reader in READERS))
