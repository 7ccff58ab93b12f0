"""Forensic triage: sources, volumes, file systems, items, content, matches, coverage, recommendation."""

__version__ = "0.1.0"
