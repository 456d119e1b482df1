"""nbgrader for every account of the hub: copy it to the SITE of jupyterhub_config.py, with `exchange` beside it."""

from pathlib import Path

c = get_config()  # noqa: F821  (nbgrader gives it)

# A teacher's clone of the course lies in the home folder, which is the root of the teacher's server:
# formgrader answers 200 and does nothing where the course is outside of it.
COURSE = Path.home() / "course" / "instructor"
if (COURSE / "nbgrader_config.py").is_file():
    load_subconfig(str(COURSE / "nbgrader_config.py"))  # noqa: F821

c.CourseDirectory.course_id = "musiclab"
c.Exchange.root = str(Path(__file__).resolve().parent / "exchange")
