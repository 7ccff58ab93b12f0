"""What a worker does, one module a kind of request: each reads evidence and yields replies."""
