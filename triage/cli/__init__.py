"""The command line: results to standard output, progress and diagnostics to standard error."""
