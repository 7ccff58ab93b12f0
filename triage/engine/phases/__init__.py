"""What a run does, one module a kind of work: each hands out its requests and takes what workers answer."""
