"""The report of a run, `report.html`: one page to read, print or send on."""

from curation.report.write import write_report

__all__ = ["write_report"]
