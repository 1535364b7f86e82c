"""In which order the system is asked to write, as strace saw it: what a power cut may leave depends on nothing else."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from apps import materialise

from filae_ops.bundle.build import build

CALLS = "openat,write,pwrite64,fsync,fdatasync,rename,renameat,renameat2,symlink,symlinkat,unlink,unlinkat"
_CREATED = re.compile(r'openat\(.*, "([^"]+)", \S*O_CREAT\S*, .*\) = \d')
_WRITTEN = re.compile(r'p?write(?:64)?\(\d+<([^>]+)>, "(.*)"(?:\.\.\.)?, \d+.*\) = \d')
_SYNCED = re.compile(r"f(?:data)?sync\(\d+<([^>]+)>\) += 0")
_PAIRED = re.compile(r'(rename|symlink)(?:at2?)?\((?:\S+, )?"([^"]+)", (?:\S+, )?"([^"]+)".*\) = 0')
_REMOVED = re.compile(r'unlink(?:at)?\((?:\S+, )?"([^"]+)".*\) = 0')
_EVENT = re.compile(r'\\"event\\": \\"([a-z-]+)\\"')

TRANSACTION = """
from functools import partial
from filae_ops.agent.transaction import engine
from filae_ops.agent.transaction.journal import Journal
class Step:
    name = "mark"
    def do(self):
        (here / "effect").touch()
        if broken: raise ValueError("after its first effect")
    def undo(self): (here / "effect").unlink()
    def check(self): return ""
engine.run([Step()], partial(Journal(here / "journal").write, tx="t"))
"""


def traced(tmp_path: Path, code: str, **known: object) -> list[str]:
    """Run Python under strace; return what it did in `here`: a word and the paths, as short as they can be."""
    here, log = tmp_path / "here", tmp_path / "trace"
    here.mkdir()
    given = "".join(f"{name} = {value!r}\n" for name, value in known.items())
    preamble = f"from pathlib import Path\nhere = Path({str(here)!r})\n{given}"
    argv = ["strace", "-qq", "-y", "-s", "500", "-o", str(log), "-e", f"trace={CALLS}"]
    subprocess.run([*argv, sys.executable, "-c", preamble + code], check=True, timeout=60)
    done = (_said(line) for line in log.read_text().splitlines())
    return [words.replace(f"{here}/", "").replace(str(here), ".") for words in done if words and str(here) in words]


def _said(line: str) -> str:
    if found := _WRITTEN.match(line):
        event = _EVENT.search(found[2])
        return f"write {found[1]}" + (f" {event[1]}" if event else "")
    if found := _PAIRED.match(line):
        return f"{found[1]} {found[2]} {found[3]}"
    for word, pattern in (("create", _CREATED), ("fsync", _SYNCED), ("remove", _REMOVED)):
        if found := pattern.match(line):
            return f"{word} {found[1]}"
    return ""


def announced(event: str) -> list[str]:
    """Return how an event comes to the journal."""
    return ["create journal", f"write journal {event}", "fsync journal"]


@pytest.mark.parametrize(
    ("broken", "after"),
    [
        (False, [*announced("done"), *announced("committed")]),
        (True, [*announced("failed"), *announced("undo"), "remove effect", *announced("undone"),
                *announced("rolled-back")]),
    ],
)  # fmt: skip
def test_a_step_is_on_the_disk_before_its_first_effect(tmp_path: Path, broken: bool, after: list[str]) -> None:
    """The name of a new journal too: the directory's fsync comes before the effect."""
    seen = traced(tmp_path, TRANSACTION, broken=broken)
    assert seen == [*announced("step"), "fsync .", "create effect", *after]


CHANGES = {
    "a file that is new": (
        "durable.write(here / 'conf', 'text')",
        ["create .conf.new", "write .conf.new", "fsync .conf.new", "rename .conf.new conf", "fsync ."]),
    "a file that is replaced": (
        "(here / 'conf').write_text('old'); durable.write(here / 'conf', 'text')",
        ["create conf", "write conf",
         "create .conf.new", "write .conf.new", "fsync .conf.new", "rename .conf.new conf", "fsync ."]),
    "a file that says this already": (
        "(here / 'conf').write_text('text'); durable.write(here / 'conf', 'text')", ["create conf", "write conf"]),
    "a link": ("durable.link(here / 'current', '2.1.0')", ["symlink 2.1.0 current", "fsync ."]),
    "a link that is replaced": (
        "(here / 'current').symlink_to('2.0.0'); durable.link(here / 'current', '2.1.0')",
        ["symlink 2.0.0 current", "symlink 2.1.0 .current.new", "rename .current.new current", "fsync ."]),
    "a file that goes": (
        "(here / 'conf').touch(); durable.remove(here / 'conf')", ["create conf", "remove conf", "fsync ."]),
    "a directory": ("durable.directory(here / 'place', 0o700)", ["fsync place", "fsync ."]),
}  # fmt: skip


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_is_whole_or_not_there(tmp_path: Path, name: str) -> None:
    code, expected = CHANGES[name]
    assert traced(tmp_path, f"from filae_ops.agent.system import durable\n{code}") == expected


STAGE = """
import sys
sys.path.insert(0, tests)
from material.agent.fakes import machine_at
from filae_ops.agent.release import store
machine, _ = machine_at(here)
store.stage(machine, Path(bundle), "1.0.0")
"""


def test_a_release_has_its_name_when_all_of_it_is_on_the_disk(tmp_path: Path) -> None:
    # Without gems to lock and directories to bind: both need a machine.
    source = materialise("minimal", "1.0.0", tmp_path / "source", overrides={"scratch": None}, files={"Gemfile": None})
    bundle = build(source, tmp_path / "out").bundle
    seen = traced(tmp_path, STAGE, bundle=str(bundle), tests=str(Path(__file__).parents[3]))
    tree = "opt/filae/releases/.tmp-1.0.0"
    named = seen.index(f"rename {tree} opt/filae/releases/1.0.0")
    created = {words.split(" ", 1)[1] for words in seen if words.startswith(f"create {tree}/")}
    directories = {str(Path(path).parent) for path in created}
    assert {f"{tree}/MANIFEST.json", f"{tree}/app.rb", f"{tree}/public/index.html"} <= created
    for path in created | directories:
        last = max(at for at, words in enumerate(seen) if words in (f"write {path}", f"create {path}", f"fsync {path}"))
        assert seen[last] == f"fsync {path}", path
        assert last < named, path
    assert seen[named + 1 :][0] == "fsync opt/filae/releases"
