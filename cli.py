"""Run `python cli.py …` in a checkout; installed, the same program is called `curate`."""

from curation.cli import main

if __name__ == "__main__":
    main()
