"""Evidence sources: anything that can be read by offset, opened read-only and recognised by content."""
