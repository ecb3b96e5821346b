"""What FiftyOne loads, again for every request; so all that it offers is in modules that are loaded once."""

from curation.review.app.operators import register

__all__ = ["register"]
