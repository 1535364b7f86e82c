"""`filae-ops review`: what it prints, where it writes, when it fails."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from material.reviews import SHA, judgement, offline, review
from rich.console import Console
from typer.testing import CliRunner

from filae_ops import cli
from filae_ops.errors import OpsError
from filae_ops.inventory.reading import load as loading
from filae_ops.paths import data_path
from filae_ops.report.document.rendering import write_document
from filae_ops.report.review.provenance import provenance
from filae_ops.report.review.review_terminal import show

DEMO = str(data_path("inventories", "demo"))


@pytest.fixture(autouse=True)
def _no_ansible(monkeypatch: pytest.MonkeyPatch) -> None:
    load = loading.load
    monkeypatch.setattr(loading, "load", lambda path, **_: load(path, reader=offline))


def run(*words: str) -> tuple[Any, Any]:
    result = CliRunner().invoke(cli.app, ["-i", DEMO, "review", "--as-of", "2026-11-22", *words])
    return result, result.exception


def test_json_alone_is_on_stdout() -> None:
    result, _ = run("--json")
    document = json.loads(result.stdout)
    assert document["site"] == "chv-demo"
    assert document["as_of"] == "2026-11-22"
    assert len(document["requirements"]) > 150
    assert all(each["reason"] and each["source"] for each in document["requirements"])


def test_several_sites_make_a_list_and_a_table() -> None:
    result = CliRunner().invoke(cli.app, ["-i", DEMO, "-i", DEMO, "review", "--json"])
    assert [each["site"] for each in json.loads(result.stdout)] == ["chv-demo"] * 2
    result = CliRunner().invoke(cli.app, ["-i", DEMO, "-i", DEMO, "review"])
    assert result.stdout.count("chv-demo") == 2
    result = CliRunner().invoke(cli.app, ["-i", DEMO, "-i", DEMO, "review", "--html", "x.html"])
    assert isinstance(result.exception, OpsError)
    assert result.exception.exit_code == 2


@pytest.mark.parametrize(
    ("level", "ids"),
    [("block", {"NET-01", "RGPD-01", "HDS-24"}), ("warn", {"NET-01", "BCK-03", "RGPD-01", "RGPD-02", "HDS-24"})],
)
def test_what_fails_at_a_level(level: Any, ids: set[str]) -> None:
    assert {each.requirement.id for each in judgement().stopped_by(level)} >= ids


def test_fail_on_exits_3_and_says_why_on_stderr() -> None:
    result, _ = run("--json", "--fail-on", "block")
    assert result.exit_code == 3
    assert "bloquant" in result.stderr
    json.loads(result.stdout)


@pytest.mark.parametrize("lang", ["fr", "en"])
def test_the_summary_fits_80_columns_and_degrades(lang: Any) -> None:
    console = Console(width=80, no_color=True, force_terminal=False, record=False)
    with console.capture() as capture:
        show(review(lang), console)
    text = capture.get()
    assert max(map(len, text.splitlines())) <= 80
    assert "\x1b" not in text
    order = [text.index(f"{each} ") for each in ("NET-01", "RGPD-01", "HDS-24")]
    assert order[0] == min(order), "the worst comes first"
    assert text.index("NET-01") < text.index("BCK-03")


def test_a_document_is_written_whole_and_readable(tmp_path: Path) -> None:
    page, text = tmp_path / "revue.html", tmp_path / "revue.md"
    old = os.umask(0o077)
    try:
        result, problem = run("--html", str(page), "--markdown", str(text), "--lang", "en")
    finally:
        os.umask(old)
    assert problem is None, result.output
    assert [each.stat().st_mode & 0o777 for each in (page, text)] == [0o644, 0o644]
    assert page.read_text().endswith("</html>\n")
    assert '<html lang="en">' in page.read_text()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["revue.html", "revue.md"]


def test_a_folder_is_never_replaced(tmp_path: Path) -> None:
    _, problem = run("--html", str(tmp_path))
    assert isinstance(problem, OpsError)
    assert problem.exit_code == 2
    assert tmp_path.is_dir()


def test_a_link_to_a_folder_is_never_replaced_either(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to("folder")
    with pytest.raises(OpsError):
        write_document(tmp_path / "link", "x")
    assert (tmp_path / "link").is_symlink()


@pytest.mark.parametrize("name", ["pipe", "link"])
def test_what_is_no_file_is_never_replaced(name: str, tmp_path: Path) -> None:
    """A device must stay one; a pipe stands for it, since making a device takes root."""
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to("pipe")
    with pytest.raises(OpsError, match="is no file") as refused:
        write_document(tmp_path / name, "x")
    assert refused.value.exit_code == 2
    assert (tmp_path / name).is_fifo()
    assert (tmp_path / "link").is_symlink()


@pytest.mark.parametrize("name", ["hosts.yml", "group_vars/all/site.yml"])
def test_an_inventory_is_never_written_over(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    site = Path(shutil.copytree(data_path("inventories", "demo"), tmp_path / "site"))
    for path in (site / name, Path((site / name).name)):
        monkeypatch.chdir((site / name).parent)
        with pytest.raises(OpsError, match="is a file of an inventory"):
            write_document(path, "x")
    assert (site / name).read_text() != "x"
    for _ in range(2):
        write_document(site / "user-data.yml", "#cloud-config\n")


def test_nothing_is_left_when_writing_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OpsError, match="No space left"):
        write_document(tmp_path / "revue.html", "x")
    assert list(tmp_path.iterdir()) == []


def git(folder: Path, *words: str) -> None:
    subprocess.run(["git", "-C", str(folder), "-c", "user.name=x", "-c", "user.email=x@x.example", *words], check=True,
                   capture_output=True)  # fmt: skip


def test_the_commit_is_said_and_what_changed_since(tmp_path: Path) -> None:
    site = tmp_path / "sites/chv"
    shutil.copytree(DEMO, site)
    assert provenance(site, SHA).commit == ""
    git(tmp_path, "init", "-q")
    assert provenance(site, SHA).commit == "", "nothing is committed"
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-qm", "x")
    (tmp_path / "elsewhere").write_text("x")
    found = provenance(site, SHA)
    assert len(found.commit) == 40
    assert not found.modified
    (site / "evidence").mkdir()
    (site / "evidence/x.pdf").write_text("x")
    assert provenance(site, SHA).modified, "a file that the commit does not hold"
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-qm", "y")
    assert not provenance(site, SHA).modified
    (site / "hosts.yml").write_text("x")
    assert provenance(site, SHA).modified


def test_a_repository_runs_nothing(tmp_path: Path) -> None:
    site = Path(shutil.copytree(DEMO, tmp_path / "site"))
    git(site, "init", "-q")
    git(site, "add", ".")
    git(site, "commit", "-qm", "x")
    trap = f"touch {tmp_path}/ran"
    for name in ("core.fsmonitor", "filter.x.clean", "filter.x.smudge", "diff.external", "core.pager"):
        git(site, "config", name, trap)
    (site / ".git/info/attributes").write_text("* filter=x\n")
    provenance(site, SHA)
    assert not (tmp_path / "ran").exists()
