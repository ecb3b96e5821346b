"""Training one network, and measuring how fast this machine does it."""
