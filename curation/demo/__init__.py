"""A small marketplace of computer parts with planted, known issues, drawn from a seed.

What is planted where: :mod:`curation.demo.planting`. The numbers to tune: :mod:`curation.demo.dials`.
"""

from curation.demo.dials import Difficulty, Shares
from curation.demo.write import DemoSummary, write_demo

__all__ = ["DemoSummary", "Difficulty", "Shares", "write_demo"]
