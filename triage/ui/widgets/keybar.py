"""What the keys do, at the foot of every screen: those of the screen, then the function keys."""

from textual import events
from textual.binding import Binding
from textual.content import Content
from textual.screen import Screen
from textual.style import Style

from triage.ui.widgets.words import Words

_GAP = Content("  ")


class KeyBar(Words):
    """As many rows as the width needs; a key can be clicked as well."""

    DEFAULT_CSS = """
    KeyBar {
        dock: bottom; height: auto; background: $panel; color: $foreground; padding: 0 1;
        link-color: $foreground; link-style: none; link-color-hover: $foreground; link-background-hover: $panel;
        link-style-hover: underline;
    }
    """

    def on_mount(self) -> None:
        """Keep up with what can be pressed."""
        self.screen.bindings_updated_signal.subscribe(self, self._show)

    def on_resize(self, event: events.Resize) -> None:
        """Break the rows anew."""
        del event
        self._show(self.screen)

    def _show(self, screen: Screen[object]) -> None:
        own: dict[str, Content] = {}
        everywhere: dict[str, tuple[int, Content]] = {}
        for key, active in screen.active_bindings.items():
            binding = active.binding
            if not binding.show or not active.enabled:
                continue
            if active.node is self.app and key[0] == "f" and key[1:].isdigit():
                everywhere[binding.action] = int(key[1:]), self._label(binding)
            else:
                own.setdefault(binding.action, self._label(binding))
        ordered = [label for _, label in sorted(everywhere.values(), key=lambda pair: pair[0])]
        mine = [label for action, label in own.items() if action not in everywhere]
        width = self.app.size.width - 2
        self.say(Content("\n").join([*_broken(mine, width), *_broken(ordered, width)]))

    def _label(self, binding: Binding) -> Content:
        press = Style.from_meta({"@click": f"app.simulate_key({binding.key!r})"})
        shown = self.app.get_key_display(binding)
        return Content.assemble((f"{shown}", "bold $accent"), f" {binding.description}").stylize(press)


def _broken(labels: list[Content], width: int) -> list[Content]:
    """Return rows of so many columns; a key stays beside its words."""
    rows: list[Content] = []
    for label in labels:
        if rows and rows[-1].cell_length + _GAP.cell_length + label.cell_length <= width:
            rows[-1] = Content.assemble(rows[-1], _GAP, label)
        else:
            rows.append(label)
    return rows
