"""The registry: every module of this package, and every ``kind`` of a package in it, that defines ``KIND``."""

from __future__ import annotations

import importlib
import pkgutil
from pathlib import Path

from curation.issues.base import IssueKind

__all__ = ["KINDS"]


def _discover() -> tuple[IssueKind, ...]:
    files = pkgutil.iter_modules([str(Path(__file__).parent)])
    names = [f"{module.name}.kind" if module.ispkg else module.name for module in files if module.name not in _FRAME]
    modules = [importlib.import_module(f"curation.issues.{name}") for name in names]
    kinds = [module.KIND for module in modules if hasattr(module, "KIND")]
    return tuple(sorted(kinds, key=lambda kind: kind.order))


# the other modules of the package; importing them here would be a circular import
_FRAME = ("base", "health", "queue", "registry", "summary", "worth")

#: All issue kinds, in the order of summaries.
KINDS = _discover()
