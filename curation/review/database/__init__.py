"""The MongoDB behind the App: one of ours that nobody else can reach, or the one that a person names."""
