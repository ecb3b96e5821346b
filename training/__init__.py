"""Machine learning on images and labels: training, predicting, evaluating.

Nothing here knows about listings, decisions or FiftyOne. ``curation`` imports ``training``, never the other way round.
"""
