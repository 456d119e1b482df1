"""A class on JupyterHub: its configuration, nbgrader's, images, and a rehearsal on this machine."""
