"""Fetching that does not wait for long, for tests of servers that fail."""

from __future__ import annotations

from dataclasses import replace

import pytest

from curation.listings import photos
from curation.listings.fetch import Fetching
from curation.remote.bounds import Patience

__all__ = ["ENDLESS", "HURRIED", "SILENT", "use_patience"]

#: As long as always for an answer, and no pause worth mentioning before the next try.
HURRIED = Patience(tries=3, pause=0.01)
#: For servers that never answer, or never end; one limit at a time, as a busy server is silent, too.
SILENT = Patience(tries=2, pause=0.01, silence=2.0)
ENDLESS = Patience(tries=2, pause=0.01, duration=3.0)


def use_patience(monkeypatch: pytest.MonkeyPatch, patience: Patience) -> None:
    """Let :func:`curation.read_listings` fetch with some patience."""
    chosen = photos.choose_fetching

    def choose(*given: object) -> Fetching:
        return replace(chosen(*given), patience=patience)  # type: ignore[arg-type]

    monkeypatch.setattr("curation.listings.read.choose_fetching", choose)
