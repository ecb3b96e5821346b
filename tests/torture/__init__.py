"""The torture of curate: kills, faults, full disks, two at once, odd input; counted, seeded, in parallel.

``make torture`` runs everything; ``python -m tests.torture kills --count 500 --seed 1 --jobs 4`` one kind. Each
kind is a module with ``COUNT`` (how many cases there are by default) and ``run(count, seed, jobs) -> Tally``. A small
number of each runs with the other tests, in ``test_KIND.py``.
"""
