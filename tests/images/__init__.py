"""Synthetic evidence in pure Python: file systems, partitioned disks and pictures, the same bytes every time."""
