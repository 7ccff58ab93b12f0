"""Words that are laid out anew only when they are others: every update makes the whole screen find its places again."""

from textual.content import Content
from textual.widgets import Static

from triage.ui.safe import plain


class Words(Static):
    """Text, made safe, or content that is safe already."""

    def __init__(
        self,
        words: str | Content = "",
        *,
        id: str | None = None,  # noqa: A002 - as its base has it
        classes: str | None = None,
    ) -> None:
        self._said = _content(words)
        super().__init__(self._said, markup=False, id=id, classes=classes)

    def say(self, words: str | Content) -> None:
        """Show this from now on."""
        said = _content(words)
        if not said.is_same(self._said):
            self._said = said
            self.update(said)


def _content(words: str | Content) -> Content:
    return plain(words) if isinstance(words, str) else words
