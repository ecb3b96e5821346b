"""A live page without a browser: it does what the scripts of the page do, one listing after the other."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from tests.support.live import step
from tests.support.review_server import Server


class Page:
    """An open window of a review."""

    def __init__(self, server: Server) -> None:
        self._server = server
        status, content = server.ask("/")
        assert status == 200
        _, _, rest = content.decode().partition('id="data">')
        data = json.loads(rest.partition("</script>")[0])
        self.ids: dict[int, str] = {}
        self.states: dict[str, dict[str, Any]] = {}
        self.order: list[int] = data["order"]
        self.here: int | None = data["start"]
        self.told: dict[str, Any] = data
        self._keep(data["piece"])
        self.shown: list[str] = []

    def look(self) -> None:
        """Ask for news, as a page does every second."""
        asked = {"session": self.told["session"], "since": self.told["seq"]}
        if self.here is not None:
            asked["shown"] = self.here
        self._hear(json.loads(self._server.ask(f"/changes?{urlencode(asked)}")[1]))

    def decide(self, says: Callable[[str], str]) -> str | None:
        """Decide on what is open, and go on; return the listing, or None if there is none."""
        if self.here is None or self._is_decided(self.here):
            self.here = self._following()
        if self.here is None:
            return None
        id = self.ids[self.here]
        self.shown.append(id)
        saw = {id: self.states[id]["mark"]} if "mark" in self.states.get(id, {}) else {}
        asked = {"session": self.told["session"], "since": self.told["seq"], "steps": [step(id, says(id), saw=saw)]}
        status, content = self._server.post("/steps", asked)
        answer = json.loads(content)
        assert (status, answer["stopped"], answer["results"][0]["refused"]) == (200, "", "")
        self._hear(answer)
        self.here = self._following()
        return id

    def _hear(self, answer: dict[str, Any]) -> None:
        before, self.told = self.told["learnt"], answer
        self.states |= answer.get("changed", {})
        if answer["learnt"] != before:
            news = json.loads(self._server.ask("/order")[1])
            self.order = news["order"]
            self._keep(news["piece"])

    def _keep(self, piece: dict[str, Any]) -> None:
        self.ids |= dict(zip(piece["places"], piece["ids"], strict=True))
        self.states |= piece["states"]

    def _is_decided(self, place: int) -> bool:
        return bool(self.states.get(self.ids[place], {}).get("decision"))

    def _following(self) -> int | None:
        free = (place for place in self.order if place not in self.told["elsewhere"] and not self._is_decided(place))
        return next(free, None)
