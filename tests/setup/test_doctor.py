"""What the doctor says about machines that this one is not."""

import ast
import hashlib
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from musiclab.setup import doctor, machine

ROOT = Path(__file__).resolve().parents[2]
REMEDY = re.compile(r"install|update|run |remove|close|delete|restore", re.IGNORECASE)


def only(problems):
    """The one problem there is; it must be one plain sentence that names a remedy."""
    assert len(problems) == 1
    sentence = problems[0]
    assert sentence[0].isupper()
    assert sentence.endswith(".")
    assert "\n" not in sentence
    assert REMEDY.search(sentence)
    return sentence


@pytest.mark.parametrize("version", [(3, 11), (3, 12, 1), (3, 13, 0)])
def test_good_python(version):
    assert doctor.python_problems(version) == []


@pytest.mark.parametrize("version", [(3, 14), (3, 10), (3, 9), (2, 7), (4, 0)])
def test_wrong_python_is_named(version):
    assert f"Python {version[0]}.{version[1]}:" in only(doctor.python_problems(version))


@pytest.mark.parametrize(
    ("system", "processor"),
    [("Linux", "x86_64"), ("Linux", "aarch64"), ("Darwin", "arm64"), ("Windows", "AMD64")],
)
def test_good_platform(system, processor):
    assert (
        doctor.platform_problems(system, processor, macos="14.5" if system == "Darwin" else "")
        == []
    )


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        (("Darwin", "x86_64", 64, "13.6"), "Intel Mac"),
        (("Darwin", "arm64", 64, "11.7"), "macOS 11.7"),
        (("Windows", "ARM64", 64), "Windows on Arm"),
        (("Windows", "AMD64", 32), "32-bit"),
    ],
)
def test_platform_without_tensorflow(facts, said):
    assert said in only(doctor.platform_problems(*facts))


def test_metal_is_to_be_removed():
    assert "pip uninstall tensorflow-metal" in only(
        doctor.metal_problems({"tensorflow-metal": "1.2.0"})
    )


def test_missing_and_differing_packages():
    problems = doctor.package_problems(
        {"numpy": "2.4.6", "keras": "3.15.1", "mido": "1.3.3"}, {"keras": "2.0"}
    )
    assert "numpy, mido" in only(problems[:1])
    assert "keras 2.0 instead of 3.15.1" in only(problems[1:])


def test_memory_and_disk():
    assert "1.2 GB of memory" in only(doctor.memory_problems(1.2))
    assert doctor.memory_problems(None) == []
    assert "0.1 GB of disk" in only(doctor.disk_problems(0.1))
    assert doctor.disk_problems(3.0) == []
    assert "4.0 are needed" in only(doctor.disk_problems(3.0, doctor.INSTALL_GB))


def test_damaged_data(tmp_path):
    assert "SHA256SUMS" in only(doctor.data_problems(tmp_path))
    (tmp_path / "good.npz").write_bytes(b"music")
    (tmp_path / "bad.npz").write_bytes(b"noise")
    digest = hashlib.sha256(b"music").hexdigest()
    listed = "".join(f"{digest}  {name}.npz\n" for name in ("good", "bad", "gone"))
    (tmp_path / "SHA256SUMS").write_text(listed, encoding="utf-8")
    changed, missing = doctor.data_problems(tmp_path)
    assert "bad.npz was changed" in only([changed])
    assert "gone.npz is missing" in only([missing])
    (tmp_path / "SHA256SUMS").write_text("not a checksum\n" * 2 + "alone\n", encoding="utf-8")
    assert "unreadable" in only(doctor.data_problems(tmp_path))


@pytest.mark.parametrize(
    ("platform", "processor", "expected"),
    [
        ("linux", "x86_64", "tensorflow-cpu"),
        ("linux", "aarch64", "tensorflow"),
        ("darwin", "arm64", "tensorflow"),
        ("win32", "AMD64", "tensorflow"),
    ],
)
def test_one_tensorflow_per_platform(platform, processor, expected):
    text = (ROOT / "requirements.txt").read_text(encoding="utf-8")
    pinned = doctor.pins(text, {"sys_platform": platform, "platform_machine": processor})
    assert [name for name in pinned if name.startswith("tensorflow")] == [expected]


def test_pins_equal_what_packaging_reads():
    requirements = pytest.importorskip("packaging.requirements")
    text = (ROOT / "requirements.txt").read_text(encoding="utf-8")
    lines = [line.split("#")[0].strip() for line in text.splitlines()]
    parsed = [requirements.Requirement(line) for line in lines if line and not line.startswith("-")]
    here = [each for each in parsed if each.marker is None or each.marker.evaluate()]
    assert doctor.pins(text) == {
        machine.normal(each.name): str(each.specifier)[2:] for each in here
    }


def test_diagnose_reports_what_the_checks_find(monkeypatch):
    monkeypatch.setattr(machine, "free_memory_gb", lambda: 0.5)
    monkeypatch.setattr(machine, "installed", lambda: {"tensorflow-metal": "1.2.0"})
    said = " ".join(doctor.diagnose())
    for word in ("tensorflow-metal", "Not installed: jupyterlab", "0.5 GB of memory"):
        assert word in said
    monkeypatch.setattr(sys, "version_info", (3, 14, 0))
    assert "Python 3.14" in only(doctor.diagnose())  # alone: the rest would follow from it


def test_exit_status(monkeypatch, capsys):
    monkeypatch.setattr(doctor, "diagnose", lambda: ["Something is wrong: mend it."])
    assert doctor.main() == 1
    assert capsys.readouterr().out == "- Something is wrong: mend it.\n"
    monkeypatch.setattr(doctor, "diagnose", list)
    assert doctor.main() == 0


def test_facts_of_this_machine():
    assert machine.bits() == 64
    assert machine.installed()["pytest"] == pytest.__version__
    assert machine.free_memory_gb() > 0.1
    assert machine.free_disk_gb(ROOT) > 0.01


def test_container_limit(tmp_path):
    assert machine._container_limit(tmp_path) == float("inf")
    for name, text in (
        ("memory.max", "4000"),
        ("memory.current", "3000"),
        ("memory.stat", "anon 9\ninactive_file 500\n"),
    ):
        (tmp_path / name).write_text(text, encoding="utf-8")
    assert machine._container_limit(tmp_path) == 1500


@pytest.mark.parametrize(
    "name",
    [
        "musiclab/__init__.py",
        "musiclab/setup/doctor.py",
        "musiclab/setup/machine.py",
        "scripts/environment.py",
    ],
)
def test_old_pythons_can_read_it(name):
    ast.parse((ROOT / name).read_text(encoding="utf-8"), feature_version=(3, 8))


def test_needs_nothing_but_the_standard_library():
    # -S -E: no site-packages at all
    code = (
        "import sys; sys.path.insert(0, sys.argv[1]); from musiclab.setup import doctor\n"
        "print(sorted({name.split('.')[0] for name in sys.modules} - sys.stdlib_module_names))"
    )
    done = subprocess.run(
        [sys.executable, "-S", "-E", "-c", code, str(ROOT)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() in ("['__main__', 'musiclab']", "['musiclab']")


@pytest.mark.parametrize("old", ["python3.8", "python3.9", "python3.10", "python3.14"])
def test_other_pythons_really_say_so(old):
    found = shutil.which(old)
    if (
        found is None
        or subprocess.run([found, "-c", ""], capture_output=True, check=False).returncode
    ):
        pytest.skip(f"no {old} here")
    done = subprocess.run(
        [found, "-m", "musiclab.setup.doctor"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert f"This is Python {old[6:]}:" in only(done.stdout.splitlines())


def test_what_is_installed_must_import(tmp_path, monkeypatch):
    (tmp_path / "broken_module.py").write_text("import nowhere_at_all", encoding="utf-8")
    (tmp_path / "dies.py").write_text("import os; os._exit(3)", encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    assert doctor.import_problems(["json"]) == []
    said = only(doctor.import_problems(["json", "broken-module"]))
    assert said.startswith("The package broken_module is installed, and importing it fails (Mod")
    assert "nowhere_at_all" in said
    assert "broke off (status 3)" in only(doctor.import_problems(["dies"]))
    assert "does not start" in only(doctor.import_problems(["json"], str(tmp_path / "no_python")))


def test_a_broken_package_is_never_ready(monkeypatch, capsys):
    monkeypatch.setattr(doctor, "import_problems", lambda names: ["numpy can't be imported."])
    assert doctor.main() == 1
    assert "ready" not in capsys.readouterr().out


def test_the_kernel_is_the_python_that_was_checked():
    assert doctor.kernel_problems(sys.executable) == []
    assert doctor.kernel_problems("python") == []
    assert "no kernel" in only(doctor.kernel_problems(None))
    assert "/elsewhere/bin/python" in only(doctor.kernel_problems("/elsewhere/bin/python"))
    assert doctor.kernel_problems(doctor._kernel()) == []


def test_the_extra_of_the_wheel_is_the_list_of_requirements(monkeypatch):
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extra = "\n".join(project["optional-dependencies"]["lessons"]).replace("'", '"')
    listed = (ROOT / "requirements.txt").read_text(encoding="utf-8")
    for processor in ("x86_64", "arm64"):
        for platform in ("linux", "darwin", "win32"):
            here = {"sys_platform": platform, "platform_machine": processor}
            assert doctor.pins(extra, here) == doctor.pins(listed, here)


def test_an_installed_wheel_compares_versions_too(monkeypatch):
    lines = [
        'numpy==2.4.6; extra == "lessons"',
        "tensorflow==2.21.0; (sys_platform != 'linux' or platform_machine != 'x86_64')"
        " and extra == 'lessons'",
        "pytest==9.2.0; extra == 'test'",
    ]
    monkeypatch.setattr(doctor.metadata, "requires", lambda name: lines)
    mac = {"sys_platform": "darwin", "platform_machine": "arm64"}
    wanted = {"numpy": "2.4.6", "tensorflow": "2.21.0"}
    assert doctor.pins(doctor._of_the_wheel(), mac) == wanted
    linux = {"sys_platform": "linux", "platform_machine": "x86_64"}
    assert doctor.pins(doctor._of_the_wheel(), linux) == {"numpy": "2.4.6"}
