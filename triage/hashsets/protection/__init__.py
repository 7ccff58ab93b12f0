"""What protects a library: seals by the force's key, and encryption where it lies."""
