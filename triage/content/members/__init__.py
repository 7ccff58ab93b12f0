"""What lies inside other files: one module a format, and one visible table of them in `reading`.

Nothing is written anywhere, nothing is trusted, and whatever cannot be given out is told as an obstacle.
"""
