"""``python -m spikesim``: the same as the command ``spikesim``."""

from spikesim.cli import main

if __name__ == "__main__":
    main()
