"""The review: a run in the FiftyOne App, and what people decide there.

Nothing here imports FiftyOne until it is needed; that takes seconds.
"""

from curation.review.app.dataset import Collected, collect_decisions
from curation.review.server.mongod import check_mongod
from curation.review.server.serve import ReviewOutcome, run_review

__all__ = ["Collected", "ReviewOutcome", "check_mongod", "collect_decisions", "run_review"]
