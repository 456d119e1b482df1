"""The course as nbgrader sees it: run `nbgrader ...` and JupyterLab in this folder. The guide is README.md."""

import os
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
# nbgrader starts `alembic`, which lies beside Python, by its name alone
os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])

from nbconvert.preprocessors import CSSHTMLHeaderPreprocessor  # noqa: E402  (found through the line above)
from nbgrader.converters import GenerateAssignment  # noqa: E402
from nbgrader.preprocessors import (  # noqa: E402
    AssignLatePenalties,
    CheckCellMetadata,
    ClearOutput,
    GetGrades,
    LimitOutput,
    SaveAutoGrades,
)

from instructor.grading.execute import BoxedExecute  # noqa: E402
from instructor.grading.gradebook_export import CsvMarks  # noqa: E402
from instructor.grading.outputs import HideTests, KeepWarningsApart, MakeSafe  # noqa: E402
from instructor.grading.release_guard import OnlyTheMaster  # noqa: E402
from instructor.grading.restore_cells import RestoreCells  # noqa: E402
from instructor.settings import TEMPLATES, configure  # noqa: E402

# nbconvert's templates for the pages that people see, of which none asks another host for anything
if str(TEMPLATES) not in os.environ.get("JUPYTER_PATH", ""):
    os.environ["JUPYTER_PATH"] = os.pathsep.join(
        [str(TEMPLATES), os.environ.get("JUPYTER_PATH", "")]
    )

c = configure(get_config())  # noqa: F821  (nbgrader gives it)

c.CourseDirectory.course_id = "musiclab"
c.CourseDirectory.root = str(HERE)
# A class of hundreds, or several instructors at once: c.CourseDirectory.db_url =
# "postgresql://user@host/database"

c.GenerateAssignment.preprocessors = [OnlyTheMaster, *GenerateAssignment.preprocessors.default()]

# Before the cells run, and while: the submission's own cells are restored, and it runs in a
# sandbox.
c.RestoreCells.source = c.HideTests.source = str(HERE / "source")
c.Autograde.sanitize_preprocessors = [ClearOutput, RestoreCells, CheckCellMetadata]
c.Autograde.autograde_preprocessors = [
    BoxedExecute,
    KeepWarningsApart,
    LimitOutput,
    SaveAutoGrades,
    AssignLatePenalties,
    MakeSafe,
    CheckCellMetadata,
]
c.BoxedExecute.timeout = 60  # s for a cell
c.BoxedExecute.total_seconds = 300  # s for a notebook
c.BoxedExecute.quick_seconds = 60  # s after which a notebook waits until all others are graded
c.BoxedExecute.memory_mb = 2000

c.GenerateFeedback.preprocessors = [HideTests, GetGrades, CSSHTMLHeaderPreprocessor]
c.ExportApp.plugin_class = CsvMarks
