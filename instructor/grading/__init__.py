"""Automatic grading of a class with nbgrader, each submission in a sandbox."""

import sys

# jsonschema takes this for a format no notebook has, if it can; importing it costs 2.5 s, in each
# process that grades
sys.modules.setdefault("rfc3987_syntax", None)
