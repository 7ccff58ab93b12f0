"""What the server loads besides where pictures are compared: the compiled search of perceptual hashes, and SciPy.

A worker could not keep what it compiles itself, because it may write nothing.
"""

from scipy import fftpack  # type: ignore[import-untyped]

from triage.hashsets import multi_index

__all__ = ["fftpack"]

multi_index.warm()
