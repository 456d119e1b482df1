"""The music: chorales, tunes, the published benchmark, and how the first two are built."""
