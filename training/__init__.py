"""The ground floor: images and labels in; probabilities, models and metrics out.

Nothing here knows of listings, decisions or FiftyOne. ``curation`` imports ``training``, never the other
way round.
"""
