"""One belief per listing, fused from all sources."""

import numpy as np

from curation.evidence import evidence as module
from curation.issues import find_issues
from tests.curation.issues.test_issues import marketplace


def test_all_kinds_share_sources_that_are_gathered_once(monkeypatch):
    gathered = []
    monkeypatch.setattr(module, "gather", lambda evidence: gathered.append(evidence) or GATHER(evidence))
    evidence, _ = marketplace(150)
    find_issues(evidence)
    assert len(gathered) == 1


def test_the_belief_is_that_of_all_sources_and_is_made_once():
    evidence, _ = marketplace(150)
    assert evidence.belief is evidence.belief
    assert [source.name for source in evidence.belief.sources] == [source.name for source in evidence.sources]
    assert np.isfinite(evidence.belief.logs).all()


GATHER = module.gather
