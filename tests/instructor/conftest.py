"""What tests of grading share."""

import os
import sys

import pytest

from instructor.grading import sandbox


@pytest.fixture(scope="session")
def box():
    """In continuous integration on Linux, the only system that has it, a missing sandbox is a failure."""
    if why := sandbox.problem():
        pytest.fail(why) if os.environ.get("CI") and sys.platform == "linux" else pytest.skip(why)
