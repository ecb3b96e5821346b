"""The review: a run in the FiftyOne App or on a page, and what people decide there."""
