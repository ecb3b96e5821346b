"""A run in the FiftyOne App: its dataset, what is shown, and what buttons and keys do.

Nothing here imports FiftyOne until it is needed, but for `operators` and `show`, which FiftyOne itself loads.
"""
