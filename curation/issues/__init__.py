"""Issue kinds, one small file each, and the queue they make together.

A module of this package that defines ``KIND`` is an issue kind; adding one means adding a file.
"""

from curation.evidence.evidence import Evidence
from curation.issues.base import IssueKind
from curation.issues.queue import COLUMNS, expected_changes, find_issues
from curation.issues.registry import KINDS

__all__ = ["COLUMNS", "KINDS", "Evidence", "IssueKind", "expected_changes", "find_issues"]
