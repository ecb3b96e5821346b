"""Which given labels are wrong, and what they should be: all evidence there is, fused into one belief per listing."""

from curation.labels.chances import Chances, class_chances
from curation.labels.judge import Judgement, judge

__all__ = ["Chances", "Judgement", "class_chances", "judge"]
