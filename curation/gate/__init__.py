"""The gate of a pipeline: what a run measures against limits, which a dataset keeps or crosses."""

from curation.gate.check import check_limits, parsed_limits
from curation.gate.result import Gate

__all__ = ["Gate", "check_limits", "parsed_limits"]
