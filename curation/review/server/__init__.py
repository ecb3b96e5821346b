"""The process that serves the App: what must be there, who is let in, and how it ends."""
