"""The registry of Windows: hives as they lie on the disk, and what two of them tell of accounts and devices."""
