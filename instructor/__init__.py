"""What students don't get: the masters of the exercises, stored answers, and grading. See README.md in this folder."""
