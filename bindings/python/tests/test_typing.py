"""The types that the package says it has."""

import subprocess
import sys
from pathlib import Path

import socketio_native

FOLDER = Path(__file__).resolve().parent.parent


def run(*command):
    ended = subprocess.run([sys.executable, "-m", *command], cwd=FOLDER, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr


def test_the_stub_is_what_the_module_has():
    run("mypy.stubtest", "socketio_native", "--mypy-config-file", "pyproject.toml")


def test_the_package_is_typed():
    run("mypy", "--config-file", "pyproject.toml")


def test_programs_see_the_types():
    assert (Path(socketio_native.__file__).parent / "py.typed").exists()
    run("mypy", "--strict", "tests/typed_program.py")
