"""Other tools: a run as they read it, and what people decided there as decisions of the run; one file per tool."""
