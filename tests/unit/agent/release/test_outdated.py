"""After an update of Debian's packages: what is noticed of it in what runs."""

from __future__ import annotations

from pathlib import Path

import pytest
from material.agent.fakes import put_release
from material.agent.installed import LOCK, SPECS, STARTED, gem, package, provisioned

from filae_ops.agent.release import outdated
from filae_ops.agent.system.machine import Live

LIVE = Live("2.1.0", "green")


def test_a_lock_names_the_gems_of_the_machine_and_not_those_of_the_tree() -> None:
    assert outdated.locked(LOCK) == {("rack", "3.1.20"), ("puma", "6.6.0"), ("rspec", "9999")}


def test_a_gem_that_went_is_noticed_and_one_that_never_was_is_not(tmp_path: Path) -> None:
    machine = provisioned(tmp_path)
    assert outdated.gone(machine.layout, "2.1.0") == []
    gem(tmp_path, "rack-3.1.20").rename(gem(tmp_path, "rack-3.1.21"))
    assert outdated.gone(machine.layout, "2.1.0") == ["rack-3.1.20"]
    assert outdated.reasons(machine, LIVE) == ["gems of its lock are gone: rack-3.1.20"]
    outdated.record(machine.layout, "2.1.0").unlink()
    assert outdated.gone(machine.layout, "2.1.0") == ["rack-3.1.20", "rspec-9999"]


def test_a_release_that_brings_its_gems_has_no_lock_of_ours(tmp_path: Path) -> None:
    machine = provisioned(tmp_path)
    tree = put_release(machine, "2.2.0", gems="vendored")
    (tree / "Gemfile").write_text("")
    (tree / "Gemfile.lock").write_text(LOCK.replace("3.1.20", "1.0"))
    assert outdated.gone(machine.layout, "2.2.0") == []


def test_a_lock_that_a_release_brings_as_a_link_out_of_it_is_not_read(tmp_path: Path) -> None:
    """The link is signed; what it leads to is the application's to write."""
    machine = provisioned(tmp_path)
    tree, scratch = put_release(machine, "2.2.0", gems="vendored"), machine.layout.scratch / "2.2.0/tmp"
    scratch.mkdir(parents=True)
    (scratch / "lock").write_text(LOCK)
    (tree / "tmp").symlink_to(scratch)
    (tree / "Gemfile.lock").symlink_to("tmp/lock")
    package(tmp_path, "ruby-sinatra", f"{SPECS}/sinatra-4.1.1.gemspec", age=5)
    assert outdated.unpacked_since(machine, "2.2.0", STARTED) == ["ruby-sinatra"], "as where there is none"
    (tree / "Gemfile.lock").unlink()
    (tree / "Gemfile.lock").write_text(LOCK, newline="\r\n")
    assert outdated.unpacked_since(machine, "2.2.0", STARTED) == []
    package(tmp_path, "ruby-rack", f"{SPECS}/rack-3.1.20.gemspec", age=5)
    assert outdated.unpacked_since(machine, "2.2.0", STARTED) == ["ruby-rack"]


@pytest.mark.parametrize(
    ("line", "noticed"),
    [
        ("7f00-7f01 r-xp 00000000 fe:00 12 /usr/lib/x86_64-linux-gnu/libssl.so.3 (deleted)", True),
        ("7f00-7f01 r-xp 00000000 fe:00 12 /usr/lib/x86_64-linux-gnu/libssl.so.3.dpkg-tmp (deleted)", True),
        ("7f00-7f01 r-xp 00000000 fe:00 12 /usr/lib/x86_64-linux-gnu/libssl.so.3", False),
        ("7f00-7f01 r--p 00000000 fe:00 12 /usr/lib/locale/locale-archive (deleted)", False),
        ("7f00-7f01 rw-s 00000000 00:01 12 /memfd:ruby (deleted)", False),
        ("7f00-7f01 rw-s 00000000 00:01 12 /tmp/x (deleted)", False),
        ("7f00-7f01 rw-p 00000000 00:00 0", False),
    ],
)
def test_a_library_that_was_replaced_under_a_process(tmp_path: Path, line: str, noticed: bool) -> None:
    machine = provisioned(tmp_path)
    (tmp_path / "proc/8").mkdir(parents=True)
    (tmp_path / "proc/8/maps").write_text(f"{line}\n")
    wanted = ["it runs on libraries that were replaced: libssl.so.3"] if noticed else []
    assert outdated.reasons(machine, LIVE) == wanted


@pytest.mark.parametrize(
    ("name", "files", "age", "noticed"),
    [
        ("ruby-rack", [f"{SPECS}/rack-3.1.20.gemspec"], 5, True),
        ("ruby-rack", [f"{SPECS}/rack-3.1.20.gemspec"], -5, False),
        ("libruby3.3:amd64", ["/usr/lib/ruby/3.3.0/set.rb"], 5, True),
        ("ruby-sinatra", [f"{SPECS}/sinatra-4.1.1.gemspec"], 5, False),
        ("ruby-rack-session", [f"{SPECS}/rack-session-2.1.1.gemspec"], 5, False),
        ("tzdata", ["/usr/share/zoneinfo/UTC"], 5, False),
    ],
)
def test_a_security_update_that_keeps_the_gem_s_version_is_noticed_by_its_time(
    tmp_path: Path, name: str, files: list[str], age: int, noticed: bool
) -> None:
    machine = provisioned(tmp_path)
    package(tmp_path, name, *files, age=age)
    said = f"Ruby packages were updated after its start: {name.partition(':')[0]}"
    assert outdated.reasons(machine, LIVE) == ([said] if noticed else [])
