"""What the server loads besides where pictures are compared: the compiled search of perceptual hashes.

A worker could not keep what it compiles itself, because it may write nothing.
"""

from triage.hashsets import multi_index

multi_index.warm()
