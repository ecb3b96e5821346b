"""The registry: every module of this package that defines ``KIND``."""

from __future__ import annotations

import importlib
import pkgutil
from pathlib import Path

from curation.issues.base import IssueKind

__all__ = ["KINDS"]


def _discover() -> tuple[IssueKind, ...]:
    names = [module.name for module in pkgutil.iter_modules([str(Path(__file__).parent)])]
    modules = [importlib.import_module(f"curation.issues.{name}") for name in names if name not in _FRAME]
    kinds = [module.KIND for module in modules if hasattr(module, "KIND")]
    return tuple(sorted(kinds, key=lambda kind: kind.order))


# the parts of the package that every kind shares; importing them here would go in a circle
_FRAME = ("base", "queue", "registry")

#: All issue kinds, in the order of summaries.
KINDS = _discover()
