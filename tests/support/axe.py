"""What axe-core finds on a page that somebody who can't see it, or has no mouse, would stumble over."""

from __future__ import annotations

from typing import Any

import pytest


def findings(page: Any) -> list[str]:
    """Return what axe-core objects to, of any impact, each with the first place where it does."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    return [
        f"{found['id']} ({found['impact']}), {len(found['nodes'])} times, first {found['nodes'][0]['html']}"
        for found in axe.run(page).response["violations"]
    ]
