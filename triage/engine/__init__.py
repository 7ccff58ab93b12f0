"""The engine: a stored plan, worker processes, and a run that yields events."""
