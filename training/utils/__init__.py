"""Files, threads, devices, units and progress: what is not about learning."""
