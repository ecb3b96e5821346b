"""A window of a browser with a live page: its keys, and what it shows once it is there."""

from __future__ import annotations

from typing import Any

from tests.support.review_page import Window
from tests.support.review_server import Server

# what a key is for is on the screen, and no undo is on its way
_READY = """() => !store.busy
    && (map.on || (grids.on ? Boolean(grids.here || grids.isEnd) : !index.size || cards.kept.has(current)))"""


class Live(Window):
    """A window with a live page."""

    def __init__(self, context: Any, server: Server) -> None:
        super().__init__(context)
        self.open(server)

    def open(self, server: Server) -> None:
        self.tab.goto(server.url)
        self.tab.locator("#where", has_text=" of ").or_(self.tab.locator("#hint:not(:empty)")).first.wait_for()

    def press(self, keys: str) -> None:
        """Press keys one after the other, each once the page shows what it is for."""
        for key in keys.split():
            self.ready()
            self.press_at_once(key)

    def press_at_once(self, keys: str) -> None:
        """Press keys one after the other, whatever the page waits for."""
        super().press(keys)

    def ready(self) -> None:
        """Wait until the listing or the grid is there which the next key is for."""
        self.tab.wait_for_function(_READY)

    def wait(self, id: str, words: str) -> None:
        """Wait until a part of the page says something; a message, since the last key."""
        if id == "message":
            self.hear(words)
        else:
            self.tab.locator(f"#{id}", has_text=words).wait_for()

    def saved(self) -> None:
        """Wait until nothing is on its way: the word "saved" stays for a moment after a key."""
        self.tab.wait_for_function("() => outbox.steps.length === 0")

    def hear_of(self, other: Live) -> None:
        """Wait until this page knows what is on another one's screen, or that it is decided, and is in order again."""
        self.tab.wait_for_function(
            "(place) => (elsewhere.has(place) || index.actions[place] > 0) && !reorder.going",
            arg=other.tab.evaluate("current"),
        )

    @property
    def id(self) -> str:
        return self.text("where").partition(" · ")[2]
