"""JupyterHub for a class on one machine, whose accounts are the class: `jupyterhub -f jupyterhub_config.py` as root.

The guide is instructor/README.md, 'A class on JupyterHub'. SITE is a folder that everybody can read, with
`nbgrader_config.py` from beside this file and nbgrader's `exchange`.
"""

import os
import sys
from pathlib import Path

c = get_config()  # noqa: F821  (JupyterHub gives it)

SITE = Path(os.environ.get("MUSICLAB_SITE", "/srv/musiclab"))
TEACHERS = set(os.environ.get("MUSICLAB_TEACHERS", "teacher").split(","))
PROGRAMS = Path(sys.executable).parent  # of the environment that JupyterHub itself runs in

c.JupyterHub.bind_url = "http://127.0.0.1:8000"  # put a web server with TLS in front of it
c.PAMAuthenticator.open_sessions = False
c.Authenticator.allow_all = True  # every account of the machine that has a password
c.Authenticator.delete_invalid_users = True

c.Spawner.cmd = [str(PROGRAMS / "jupyterhub-singleuser")]
c.Spawner.default_url = "/lab"
c.Spawner.http_timeout = c.Spawner.start_timeout = 120  # s; a full class starts at once
c.Spawner.environment = {
    "PATH": f"{PROGRAMS}:/usr/local/bin:/usr/bin:/bin",
    "JUPYTER_CONFIG_PATH": str(SITE),  # where nbgrader_config.py is
}


def only_teachers_have_formgrader(spawner):
    """Formgrader answers whoever has its server extension; a student's server starts without it."""
    extensions = {
        "nbgrader.server_extensions.formgrader": spawner.user.name in TEACHERS,
        "nbgrader.server_extensions.course_list": False,
    }
    spawner.args = [f"--ServerApp.jpserver_extensions={extensions}"]


c.Spawner.pre_spawn_hook = only_teachers_have_formgrader
