"""The documents that go with an exhibit, as PDF, made from what the case holds of it and from nothing else."""
