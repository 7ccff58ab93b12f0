"""Formats that are SQLite databases: the releases of NSRL, and the sets of Autopsy."""
