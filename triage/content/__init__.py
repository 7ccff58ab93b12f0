"""Content: one bounded pass over an item's bytes, and what can be told from them."""
