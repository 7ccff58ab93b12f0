"""Whether the terminal itself draws pictures, and by which of two protocols.

Facts: the VT340 manual (primary device attributes: 4 is Sixel), "Control sequences" of xterm (colour registers), and
the specification of Kitty's graphics protocol.
"""

import fcntl
import os
import re
import select
import struct
import termios
import time
import tty
from dataclasses import dataclass

ANSWER = 0.4
"""Seconds that a terminal has for its answer; all that are known answer, and the start waits for no longer."""

MOST_COLOURS = 64
"""That a Sixel picture has, fewer where the terminal holds fewer: more takes longer, and shows nothing more."""

_TEXT_ONLY = re.compile("linux|dumb|screen|tmux")
_QUESTION = b"\x1b_Gi=1,a=q,t=d,f=24,s=1,v=1;AAAA\x1b\\\x1b[?1;1;0S\x1b[c"
_ATTRIBUTES = re.compile(rb"\x1b\[\?([\d;]+)c")  # whoever knows none of the others answers this one, and last
_REGISTERS = re.compile(rb"\x1b\[\?1;0;(\d+)S")
_KITTY = b"\x1b_Gi=1;OK"
_SIXEL = b"4"


@dataclass(frozen=True, slots=True)
class Graphics:
    """A terminal that draws pictures: by Kitty's protocol, or as Sixel with so many `colours`."""

    kitty: bool
    colours: int = MOST_COLOURS


def ask() -> Graphics | None:
    """Ask the terminal whether it draws pictures; only before the screens are on, which read what it answers.

    None where standard input or error is no terminal, where there are no colours, on the Linux console, within tmux and
    screen, which may keep a picture that is hidden, and where the answer says no or comes late.
    """
    plain = "NO_COLOR" in os.environ or "TMUX" in os.environ or _TEXT_ONLY.match(os.environ.get("TERM", "dumb"))
    if plain or not (os.isatty(0) and os.isatty(2)) or not all(cell_size()):
        return None
    before = termios.tcgetattr(0)
    try:
        tty.setcbreak(0, termios.TCSANOW)
        os.write(2, _QUESTION)
        answer = _answer()
    finally:
        termios.tcsetattr(0, termios.TCSAFLUSH, before)  # what is left of an answer would be taken for keys
    return understood(answer)


def _answer() -> bytes:
    answer, end = b"", time.monotonic() + ANSWER
    while not _ATTRIBUTES.search(answer):
        ready, _, _ = select.select([0], [], [], max(end - time.monotonic(), 0.0))
        piece = os.read(0, 1024) if ready else b""
        if not piece:
            break
        answer += piece
    return answer


def understood(answer: bytes) -> Graphics | None:
    """Return what a terminal said it can do. Sixel comes first: text that is written over it takes it away."""
    attributes = _ATTRIBUTES.search(answer)
    if attributes and _SIXEL in attributes[1].split(b";")[1:]:
        registers = _REGISTERS.search(answer)
        return Graphics(kitty=False, colours=min(max(int(registers[1]), 2), MOST_COLOURS) if registers else 16)
    return Graphics(kitty=True) if _KITTY in answer else None


def cell_size() -> tuple[int, int]:
    """Return the width and height of a cell in pixels as the terminal told the system; zeros where it did not."""
    try:
        asked = fcntl.ioctl(0, termios.TIOCGWINSZ, bytes(8))
    except OSError:
        return 0, 0
    rows, columns, width, height = struct.unpack("HHHH", asked)
    return (width // columns, height // rows) if rows and columns else (0, 0)
