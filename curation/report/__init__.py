"""`report.html`: the page that one shows to a colleague."""

from curation.report.write import write_report

__all__ = ["write_report"]
