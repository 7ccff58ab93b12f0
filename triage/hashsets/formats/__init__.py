"""Readers of published hash sets, one format a module, in the order in which they are asked."""

from triage.hashsets.formats.encase_hash import ENCASE_HASH
from triage.hashsets.formats.reader import Reader
from triage.hashsets.formats.sql.nsrl_delta import NSRL_DELTA
from triage.hashsets.formats.sqlite.kdb import KDB
from triage.hashsets.formats.sqlite.nsrl_rds import NSRL_RDS
from triage.hashsets.formats.text.csv_table import CSV_TABLE
from triage.hashsets.formats.text.digest_list import DIGEST_LIST
from triage.hashsets.formats.text.hashdeep import HASHDEEP
from triage.hashsets.formats.text.perceptual_lists import PDQ_LIST, PHASH_LIST
from triage.hashsets.formats.vics import VICS

READERS: tuple[Reader, ...] = (
    ENCASE_HASH,
    KDB,
    NSRL_RDS,  # takes every SQLite file that no reader before it knows, to tell what is missing in it
    VICS,
    HASHDEEP,
    NSRL_DELTA,
    CSV_TABLE,
    DIGEST_LIST,
    PDQ_LIST,
    PHASH_LIST,
)

AUTO = "auto"
FORMATS = (AUTO, *(reader.name for reader in READERS))
