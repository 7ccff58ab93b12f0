"""Formats that are SQL scripts, which are read and never run: the deltas of NSRL."""
