"""Policy: a pure function from facts in a case to a recommendation."""
