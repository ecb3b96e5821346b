"""A small marketplace of computer parts with planted, known issues, drawn from a seed.

What is planted where: :mod:`curation.demo_data.planting`. The numbers to tune: :mod:`curation.demo_data.dials`.
"""

from curation.demo_data.dials import Difficulty, Shares
from curation.demo_data.write import DemoSummary, write_demo

__all__ = ["DemoSummary", "Difficulty", "Shares", "write_demo"]
