"""Former name of `instructor.student_versions`."""

import sys

from instructor.student_versions import main

if __name__ == "__main__":
    sys.exit(main())
