"""Analyzers: each turns an item and its content into findings; the visible tuple of them gives the order."""
