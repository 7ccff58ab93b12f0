"""What every box has that stands before a screen until it is answered."""

from typing import TypeVar

from textual.await_complete import AwaitComplete
from textual.screen import ModalScreen

_Answer = TypeVar("_Answer")


class Dialog(ModalScreen[_Answer]):
    """A box in the middle. It is answered once: what a key that bounces says after that is for nobody."""

    DEFAULT_CSS = """
    Dialog { align: center middle; }
    Dialog > Vertical {
        width: 70; max-width: 95%; height: auto; border: double $border; border-title-color: $accent;
        background: $surface; padding: 1 2;
    }
    Dialog Static { height: auto; }
    Dialog Field { margin-top: 1; }
    """

    @property
    def is_in_front(self) -> bool:
        """Whether nothing lies over it, and it is not answered."""
        return self.app.screen is self

    def dismiss(self, result: _Answer | None = None) -> AwaitComplete:
        """Give the answer and close. The library would close whatever is in front."""
        return super().dismiss(result) if self.is_in_front else AwaitComplete()
