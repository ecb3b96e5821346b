"""Applying decisions: a corrected version of the dataset, and back to the one before.

The input is never touched. ``cleaned/`` is a dataset again; an earlier version is kept under ``versions/``.
"""

from curation.fixes.plan import Fixes, plan_fixes
from curation.fixes.versions import Undone, apply_fixes, is_in_force, undo_fixes

__all__ = [
    "Fixes",
    "Undone",
    "apply_fixes",
    "is_in_force",
    "plan_fixes",
    "undo_fixes",
]
