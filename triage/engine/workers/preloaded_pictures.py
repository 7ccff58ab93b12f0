"""What the server loads besides where pictures are compared: SciPy, which takes longer than all the rest."""

from scipy import fftpack  # type: ignore[import-untyped]

__all__ = ["fftpack"]
