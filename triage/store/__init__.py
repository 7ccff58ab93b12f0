"""The case: one SQLite file with a single writer, and its hash-chained ledger."""
