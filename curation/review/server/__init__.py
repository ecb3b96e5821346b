"""The process that serves a review: what must be there, who is let in, and how it ends."""
