"""Formats of text: tables, and lists of digests or perceptual hashes, read thousands of lines at a time."""
