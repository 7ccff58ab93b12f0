"""The console: what the command line can do, for a person who looks at several devices at once."""
