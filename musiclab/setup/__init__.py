"""The machine: is it fit (``doctor``), what is it (``machine``), and the command that opens the lessons (``lab``)."""
