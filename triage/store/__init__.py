"""The case: one SQLite file, one writer for each exhibit, and a hash-chained ledger."""
