"""Grading: a student's kernel in a box, nbgrader's marks, and what may go wrong on the way."""

import sys

# jsonschema takes this for a format no notebook has, if it can; importing it costs 2.5 s, in each process that grades
sys.modules.setdefault("rfc3987_syntax", None)
