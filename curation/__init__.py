"""curate: finds and fixes wrong labels in image listings."""

__version__ = "0.1.0"
