"""The self-test: each ability tried on known answers before evidence is."""
