"""VICS JSON, the exchange format of Project VIC and CAID."""

from triage.hashsets.formats.vics.vics_json import VICS

__all__ = ["VICS"]
