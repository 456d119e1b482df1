"""What `scripts/build_site.py` is made of: lessons are run, pages written, music turned into files."""
