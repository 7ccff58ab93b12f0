"""File systems: from a volume to the items in it, allocated and deleted."""
