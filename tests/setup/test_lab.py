"""How JupyterLab is started, and that no other installation's kernel gets in."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from musiclab.setup import doctor, lab

ASK = "from jupyter_client.kernelspec import KernelSpecManager as M; print(M().get_kernel_spec('python3').argv[0])"


def test_the_readers_options_come_last_and_replace_the_courses():
    words = lab.command(Path("here"), ["--port", "8899", "--ServerApp.root_dir=there"])
    assert words[:3] == [sys.executable, "-m", "jupyterlab"]
    assert words[-3:] == ["--port", "8899", "--ServerApp.root_dir=there"]
    assert sum(word.startswith("--ServerApp.root_dir") for word in words) == 1
    assert "--allow-root" not in words
    assert "--allow-root" in lab.command(Path("here"), [], superuser=True)


def test_a_users_kernel_does_not_win(tmp_path):
    foreign = {"argv": ["/elsewhere/python"], "display_name": "Python 3", "language": "python"}
    for folder in (
        tmp_path / "home" / ".local" / "share" / "jupyter",
        tmp_path / "data",
        tmp_path / "path",
    ):
        (folder / "kernels" / "python3").mkdir(parents=True)
        (folder / "kernels" / "python3" / "kernel.json").write_text(
            json.dumps(foreign), encoding="utf-8"
        )
    hijacked = {
        **os.environ,
        "HOME": str(tmp_path / "home"),
        "JUPYTER_DATA_DIR": str(tmp_path / "data"),
        "JUPYTER_PATH": str(tmp_path / "path"),
        "JUPYTER_PREFER_ENV_PATH": "0",
    }
    assert _kernel(hijacked) == "/elsewhere/python"  # the trap is real
    assert _kernel(lab.environment(hijacked)) == "python"  # ipykernel's own: this very Python


def _kernel(environment):
    words = [sys.executable, "-c", ASK]
    return subprocess.run(
        words, env=environment, capture_output=True, text=True, check=True
    ).stdout.strip()


def test_tests_see_nothing_of_the_users_settings(tmp_path):
    theirs = {
        "JUPYTER_CONFIG_DIR": "/mine",
        "JUPYTER_CONFIG_PATH": "/mine",
        "IPYTHONDIR": "/mine",
        "PYTHONSTARTUP": "/mine",
    }
    changed = lab.environment({**theirs, "HOME": "/home/me"}, tmp_path)
    assert changed["HOME"] == "/home/me"
    assert "/mine" not in changed.values()
    assert Path(os.environ["IPYTHONDIR"]).parent.name.startswith(
        "musiclab-tests-"
    )  # so in this very run


def test_a_readers_own_settings_stay(tmp_path):
    changed = lab.environment({"JUPYTER_CONFIG_DIR": "/mine", "JUPYTER_CONFIG_PATH": "/more"})
    assert changed["JUPYTER_CONFIG_DIR"] == "/mine"
    assert changed["JUPYTER_CONFIG_PATH"].endswith(os.pathsep + "/more")


def test_the_default_settings_are_found():
    file = lab._DEFAULTS / "labconfig" / "default_setting_overrides.json"
    settings = json.loads(file.read_text(encoding="utf-8"))[
        "@jupyterlab/apputils-extension:notification"
    ]
    assert settings == {"fetchNews": "false", "checkForUpdates": False}


def test_does_not_start_on_a_machine_that_is_not_ready(monkeypatch, capsys):
    monkeypatch.setattr(doctor, "diagnose", lambda: ["Something is wrong: mend it."])
    monkeypatch.setattr(os, "execve", lambda *_: pytest.fail("started"))
    monkeypatch.setattr(doctor, "ROOT", Path(__file__).resolve().parents[2])
    (doctor.ROOT / "notebooks").is_dir() or pytest.skip("no lessons here")
    assert lab.main([]) == 1
    assert "mend it" in capsys.readouterr().out


def test_says_so_where_there_are_no_lessons(monkeypatch, capsys, tmp_path):
    monkeypatch.setattr(doctor, "ROOT", tmp_path)
    assert lab.main([]) == 1
    assert "download the course" in capsys.readouterr().out
