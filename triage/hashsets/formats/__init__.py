"""Readers of published hash sets, one format a module."""
