"""The run folder: its files, its decisions, and finding it again."""
