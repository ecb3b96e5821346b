"""The public face: what `import curation` offers, put together from the packages below it."""
