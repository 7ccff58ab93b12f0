"""The only door: open a case, examine an exhibit, make hash sets, read what was found.

Clock, host and environment come in here and are handed down; nothing below reads them for a result.
"""
