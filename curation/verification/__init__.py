"""Whether a run is sound: its files, tables and probabilities, its journal, and every version made of them."""

from curation.verification.result import Flaw, Verified
from curation.verification.verify import verify_run

__all__ = ["Flaw", "Verified", "verify_run"]
