"""The audit: a random sample of a run, reviewed blind, and what it says about all its labels."""
