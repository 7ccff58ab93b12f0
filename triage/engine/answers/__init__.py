"""Replies of workers held against what was asked."""
