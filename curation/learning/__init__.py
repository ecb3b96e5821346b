"""What decisions teach: models fitted again, chances that agree with what was found, and what is left to review."""
