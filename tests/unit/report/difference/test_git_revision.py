"""An older inventory, from git: read as raw objects, with nothing of the repository run."""

from __future__ import annotations

import os
import shutil
import subprocess

import pytest

from filae_ops.errors import OpsError
from filae_ops.inventory.reading.yaml_files import read
from filae_ops.paths import data_path
from filae_ops.report.difference.git_revision import older
from filae_ops.report.review.provenance import provenance

WHEN = {"GIT_AUTHOR_DATE": "2026-03-01T23:30:00+0200", "GIT_COMMITTER_DATE": "2026-03-01T23:30:00+0200"}


def git(folder, *words, stdin=None):
    identity = {f"GIT_{who}_{what}": "a@b.example" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    environment = {**os.environ, **identity, **WHEN, "GIT_CONFIG_GLOBAL": "/dev/null"}
    argv = ["git", "-C", str(folder), *words]
    return subprocess.run(argv, check=True, capture_output=True, env=environment, input=stdin).stdout.decode().strip()


@pytest.fixture
def site(tmp_path):
    """A repository that holds an inventory below a folder, with evidence, a secret, and one commit."""
    repository = tmp_path / "repository"
    folder = repository / "sites" / "chv"
    shutil.copytree(data_path("inventories", "demo"), folder)
    (folder / "evidence").mkdir()
    (folder / "evidence" / "hds.pdf").write_bytes(b"%PDF \0\r\n binary")
    (folder / "secrets.yml").write_text("$ANSIBLE_VAULT;1.1;AES256\n00\n")
    git(tmp_path, "init", "-q", "-b", "main", str(repository))
    git(repository, "add", "-f", ".")
    git(repository, "commit", "-q", "-m", "signed")
    return folder


def test_the_inventory_is_as_the_revision_holds_it(site):
    (site / "hosts.yml").write_text("changed: since\n")
    with older(site, "HEAD") as found:
        assert found.commit == git(site, "rev-parse", "HEAD")
        assert found.day == "2026-03-01"
        assert read(found.directory).fingerprint() == read(data_path("inventories", "demo")).fingerprint()
        assert (found.directory / "evidence" / "hds.pdf").read_bytes() == b"%PDF \0\r\n binary"
        assert found.secrets == b"$ANSIBLE_VAULT;1.1;AES256\n00\n"
        assert not (found.directory / "secrets.yml").exists()
        place = found.directory
    assert not place.exists()


def test_an_inventory_at_the_root_of_its_repository(tmp_path):
    folder = tmp_path / "chv"
    shutil.copytree(data_path("inventories", "demo"), folder)
    git(tmp_path, "init", "-q", "-b", "main", str(folder))
    git(folder, "add", "-f", ".")
    git(folder, "commit", "-q", "-m", "signed")
    git(folder, "tag", "signed-2026")
    for name in ("signed-2026", "main", "HEAD^{commit}", "main@{0}"):
        with older(folder, name) as found:
            assert (found.directory / "hosts.yml").is_file()


@pytest.mark.parametrize(
    "name",
    ["", "-n", "--output=/tmp/x", "--upload-pack=x", "HEAD..main", "HEAD:sites", ":/signed", "HEAD\nmain", "a b",
     "$(id)", "`id`", "HEAD;id", "é", "x" * 300, "..", "HEAD^{/signed}\0"],
)  # fmt: skip
def test_what_is_no_name_of_a_revision_is_refused(site, name):
    with pytest.raises(OpsError, match="neither a folder nor the name") as refused, older(site, name):
        pass
    assert refused.value.exit_code == 2


def test_an_unknown_revision_a_strange_folder_and_an_absent_inventory(site, tmp_path):
    with pytest.raises(OpsError, match="nor a revision"), older(site, "v9"):
        pass
    alone = tmp_path / "alone"
    alone.mkdir()
    with pytest.raises(OpsError, match="in no git repository"), older(alone, "HEAD"):
        pass
    later = site.parent / "later"
    later.mkdir()
    (later / "hosts.yml").write_text("{}")
    with pytest.raises(OpsError, match="is not in the revision HEAD"), older(later, "HEAD"):
        pass


def test_nothing_of_the_repository_runs(site, tmp_path):
    """Filters, hooks, attributes, pagers, signature programs and file system monitors are the repository's own."""
    trap = tmp_path / "ran"
    program = tmp_path / "trap"
    program.write_text(f"#!/bin/sh\ntouch {trap}\ncat\n")
    program.chmod(0o755)
    (site / ".gitattributes").write_text("* filter=evil export-subst diff=evil\n*.yml export-ignore\n")
    (site / "note.txt").write_text("$Format:%H$")
    git(site, "add", "-f", ".")
    git(site, "commit", "-q", "-m", "attributes")
    for key in ("filter.evil.smudge", "filter.evil.clean", "filter.evil.process", "diff.evil.textconv",
                "core.fsmonitor", "core.pager", "gpg.program", "core.sshCommand", "core.alternateRefsCommand",
                "uploadpack.packObjectsHook"):  # fmt: skip
        git(site, "config", key, str(program))
    for key in ("log.showSignature", "filter.evil.required"):
        git(site, "config", key, "true")
    hooks = site.parent.parent / ".git" / "hooks"
    for hook in ("post-checkout", "reference-transaction", "post-index-change"):
        shutil.copy(program, hooks / hook)
    with older(site, "HEAD") as found:
        assert (found.directory / "note.txt").read_text() == "$Format:%H$"
        assert (found.directory / "hosts.yml").is_file()
    assert not trap.exists()


def test_links_stay_inside(site):
    (site / "evidence" / "good.pdf").symlink_to("hds.pdf")
    (site / "evidence" / "out.pdf").symlink_to("../../../../etc/passwd")
    (site / "evidence" / "absolute.pdf").symlink_to("/etc/passwd")
    git(site, "add", "-f", ".")
    git(site, "commit", "-q", "-m", "links")
    with older(site, "HEAD") as found:
        evidence = found.directory / "evidence"
        assert (evidence / "good.pdf").read_bytes().startswith(b"%PDF")
        assert sorted(path.name for path in evidence.iterdir()) == ["good.pdf", "hds.pdf"]


def test_a_tree_that_no_git_would_write_is_refused(site):
    blob = git(site, "hash-object", "-w", "--stdin", stdin=b"x")
    for entries in (b"100644 ..\0", b"100644 a\0" + bytes.fromhex(blob) + b"100644 a\0"):
        raw = entries + bytes.fromhex(blob)
        inner = git(site, "hash-object", "-t", "tree", "-w", "--stdin", "--literally", stdin=raw)
        below = git(site, "mktree", stdin=f"040000 tree {inner}\tchv\n".encode())
        whole = git(site, "mktree", stdin=f"040000 tree {below}\tsites\n".encode())
        commit = git(site, "commit-tree", whole, "-m", "hostile")
        with pytest.raises(OpsError, match=r"no inventory has|cannot be written"), older(site, commit):
            pass


def test_a_repository_among_the_inventory_s_files_does_not_answer_for_it(site):
    """A bare one, committed with the inventory, would hold the same inventory as today: nothing changed."""
    apart = site.parent / "apart"
    shutil.copytree(site, apart)
    git(site, "init", "-q", "-b", "main", str(apart))
    git(apart, "add", "-f", ".")
    git(apart, "commit", "-q", "-m", "as it is today")
    git(apart, "pack-refs", "--all")
    for name in ("HEAD", "config", "objects", "refs", "packed-refs"):
        (apart / ".git" / name).rename(site / name)
    with pytest.raises(OpsError, match="repository"), older(site, "HEAD"):
        pass
    assert provenance(site, "0" * 64).commit == ""
