"""The review: a run in the FiftyOne App, and what people decide there.

FiftyOne is imported only when it is needed, because that takes seconds.
"""

from curation.review.database.check import check_mongod
from curation.review.server.serve import ReviewOutcome, run_review

__all__ = ["ReviewOutcome", "check_mongod", "run_review"]
