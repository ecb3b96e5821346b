"""The review as a live page: a small server that shows the queue and writes each decision to the journal."""
