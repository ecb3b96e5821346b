"""A small marketplace of computer parts with planted, known issues, drawn from a seed.

:mod:`curation.demo_data.planting` plants the errors; :mod:`curation.demo_data.settings` holds the numbers to tune.
"""

from curation.demo_data.settings import Difficulty, Shares
from curation.demo_data.write import DemoSummary, write_demo

__all__ = ["DemoSummary", "Difficulty", "Shares", "write_demo"]
