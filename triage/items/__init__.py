"""Items: walking a source from its volumes to its files, and finding the bytes of an address again."""
