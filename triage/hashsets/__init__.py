"""Hash sets: published sets read, sealed into memory-mapped files, and looked up."""
