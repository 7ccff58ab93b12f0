"""Carving: whole pictures and films in bytes that no file system accounts for."""
