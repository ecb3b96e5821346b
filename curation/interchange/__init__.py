"""Other tools: a run as they read it, decisions of people there, and listings that they have; one file per tool."""
