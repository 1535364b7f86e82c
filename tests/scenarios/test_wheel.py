"""The wheel, installed in an empty venv and run from elsewhere, does what the checkout does."""

from __future__ import annotations

import json
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest
from sites import Site
from untouched import assert_refused, edited, untouched

ROOT = Path(__file__).parents[2]
SHIPPED = ("ansible.cfg", "playbooks", "roles", "templates", "tests/host")
LAUNCHER = "#!{python}\nimport sys\nfrom ansible.cli.{module} import main\nsys.exit(main())\n"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel with what this venv has: no network."""
    output = tmp_path_factory.mktemp("wheel")
    argv = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "-w", output, ROOT]
    done = subprocess.run(argv, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return next(output.glob("filae_ops-*.whl"))


@pytest.fixture(scope="module")
def program(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install it in a venv of its own that borrows this venv's dependencies, but not this checkout."""
    venv = tmp_path_factory.mktemp("installed") / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", venv], check=True)
    python = venv / "bin/python"
    argv = [sys.executable, "-m", "pip", "--python", python, "install", "--quiet", "--no-deps", "--no-index", wheel]
    subprocess.run(argv, check=True)
    site = next(venv.glob("lib/python*/site-packages"))
    (site / "borrowed.pth").write_text(sysconfig.get_path("purelib") + "\n")
    for name, module in (("ansible-playbook", "playbook"), ("ansible-inventory", "inventory")):
        script = venv / "bin" / name
        script.write_text(LAUNCHER.format(python=python, module=module))
        script.chmod(0o755)
    return venv / "bin/filae-ops"


def run(program: Path, place: Path, *words: str) -> subprocess.CompletedProcess[str]:
    argv = [program, *words]
    return subprocess.run(argv, capture_output=True, text=True, timeout=300, cwd=place, stdin=subprocess.DEVNULL)


def test_the_wheel_holds_every_shipped_file_and_no_other(wheel: Path) -> None:
    listed = subprocess.run(["git", "ls-files", *SHIPPED], cwd=ROOT, capture_output=True, text=True, check=True)
    with zipfile.ZipFile(wheel) as archive:
        inside = set(archive.namelist())
    missing = {name for name in listed.stdout.splitlines() if f"filae_ops/_data/{name}" not in inside}
    assert not missing
    assert not [name for name in inside if "__pycache__" in name or name.startswith("tests/")]


def test_the_wheel_does_not_read_the_checkout(program: Path, tmp_path: Path) -> None:
    code = "import filae_ops.paths as p; print(p.PACKAGE, p.checkout(), p.data_path('playbooks').is_dir())"
    done = subprocess.run([program.parent / "python", "-c", code], capture_output=True, text=True, cwd=tmp_path)
    assert done.stdout.split()[1:] == ["None", "True"], done.stderr
    assert str(program.parents[1]) in done.stdout


def test_a_machine_is_provisioned_from_the_wheel_to_the_same_state(
    program: Path, deployed: Site, tmp_path: Path
) -> None:
    done = run(program, tmp_path, "-i", str(deployed.inventory), "provision", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["changed"] == 0


def test_a_machine_is_verified_from_the_wheel(program: Path, deployed: Site, tmp_path: Path) -> None:
    done = run(program, tmp_path, "-i", str(deployed.inventory), "verify", "--json")
    assert json.loads(done.stdout)["summary"]["pass"] > 30, done.stderr
    assert list(tmp_path.iterdir()) == []


def test_the_host_key_is_pinned_from_the_wheel(program: Path, deployed: Site, tmp_path: Path) -> None:
    other = "AAAAC3NzaC1lZDI1NTE5AAAAIGkT5TsEQlf/6vcXI0ZPZyjDuDntT9LqqhmJkF2jrU7k"
    inventory = edited(deployed, tmp_path, {"hosts.yml": ("(host_key: ssh-ed25519) .*", rf"\1 {other}")})
    with untouched(deployed):
        for command in (("provision", "--json"), ("deploy", "--json", "/nowhere.tar.zst"), ("verify", "--json")):
            done = run(program, tmp_path, "-i", str(inventory), *command)
            assert_refused(done, "site: ", "`host_key` of the inventory", "the machine's console", owner="dsi")


def test_the_suite_is_in_the_checkout_only(program: Path, tmp_path: Path) -> None:
    assert_refused(run(program, tmp_path, "test"), "the tests are in the checkout", "clone the repository")
