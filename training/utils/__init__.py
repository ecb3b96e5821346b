"""Helpers without machine learning: files, threads, devices, units, array types and progress."""
