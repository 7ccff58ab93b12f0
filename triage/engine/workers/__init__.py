"""The processes that touch evidence: started, confined, heard without trust, ended."""
