"""Volumes: partition tables, the windows they cut into a source, and what is locked."""
