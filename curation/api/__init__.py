"""What `import curation` offers of runs, the cache and the demo; other packages offer their own functions."""
