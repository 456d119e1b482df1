"""nbgrader runs its settings with names of its own: they are no module to look for doctests in."""

collect_ignore = ["nbgrader_config.py", "hub/nbgrader_config.py", "hub/jupyterhub_config.py"]
