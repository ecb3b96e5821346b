"""`python -m curation.learning RUN LINE`: what a review starts to learn while it goes on."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from curation.errors import CurateError
from curation.learning.background import learn_beside
from curation.run.folder import RunFolder

__all__ = ["main"]

#: A reviewer's keys come first.
_NICENESS = 10


def main(arguments: list[str]) -> None:
    """Learn, and end with a line of why if the run can't be learned from.

    Parameters
    ----------
    arguments : list of str
        Folder of the run, and number of the last line of the journal that counts.
    """
    os.nice(_NICENESS)
    folder, line = arguments
    try:
        learn_beside(RunFolder(Path(folder)), int(line))
    except (CurateError, OSError) as error:
        sys.exit(f"learning from the decisions failed: {error}")


if __name__ == "__main__":
    main(sys.argv[1:])
