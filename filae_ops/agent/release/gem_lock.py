"""Gemfile.lock, made on the machine from the gems that Debian installed there."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
from pathlib import Path

from filae_ops.agent.bundle.contract import Contract, of_release
from filae_ops.agent.release import outdated
from filae_ops.agent.runtime import launcher, unit_text
from filae_ops.agent.system import durable
from filae_ops.agent.system.layout import APP_USER
from filae_ops.agent.system.machine import Machine
from filae_ops.agent.system.plain_file import open_below
from filae_ops.agent.system.process import Failed, Result, evidence_of

MAX_LOCK = 4 * 1024 * 1024
# Bundler locks every group, also those that no process loads here (BUNDLE_WITHOUT): a gem of these that is not
# installed is locked from a stub, as if it had been installed elsewhere.
SCRIPT = """
require "bundler"
require "fileutils"
written, stubs = ARGV
gems = Bundler::Dsl.evaluate(Bundler.default_gemfile, Pathname(written), {}).dependencies
absent = gems.select { |d| (d.groups - [:development, :test]).empty? && d.matching_specs(true).empty? }
FileUtils.mkdir_p("#{stubs}/specifications")
absent.each do |d|
  stated = d.requirement.requirements.map(&:last)
  version = [*stated, Gem::Version.new("9999")].find { |v| d.requirement.satisfied_by?(v) } or next
  stub = Gem::Specification.new(d.name, version) { |s| s.summary, s.authors = "not installed", ["filaectl"] }
  File.write("#{stubs}/specifications/#{stub.full_name}.gemspec", stub.to_ruby)
end
ENV["GEM_PATH"] = [stubs, *Gem.path].join(":")
exec "/usr/bin/bundle", "lock", "--local", "--lockfile=#{written}"
"""


def lock(machine: Machine, tree: Path, contract: Contract, *, bound: bool = True) -> None:
    """Write Gemfile.lock into a tree, as the application's user; `bound`: inside of a transaction."""
    place = machine.layout.scratch / contract.version
    written = place / "Gemfile.lock"
    durable.remove(written)
    argv = unit_text.oneoff_argv(
        "lock" if bound else f"lock-{os.getpid()}",
        ["/usr/bin/ruby", "-e", SCRIPT, str(written), "/tmp/stubs"],  # noqa: S108 - the unit's own /tmp
        user=APP_USER,
        properties=[
            unit_text.setting("WorkingDirectory", unit_text.path(tree)),
            unit_text.setting("ReadWritePaths", unit_text.path(place)),
        ],
        env={
            **launcher.constants(contract),
            "BUNDLE_GEMFILE": str(tree / "Gemfile"),
            "BUNDLE_USER_HOME": "/tmp/bundle",  # noqa: S108 - the unit's own /tmp
            "BUNDLE_APP_CONFIG": "/tmp/bundle",  # noqa: S108
            "HOME": "/tmp",  # noqa: S108
            "LANG": "C.UTF-8",
        },
        seconds=120,
        bound=bound,
    )
    result = machine.runner.run(argv, timeout=150)
    if result.status != 0 or not os.path.lexists(written):
        raise _failure(result)
    made = _read_lock(machine, written)
    _remember(machine, contract.version, made)
    durable.write(tree / "Gemfile.lock", made, 0o644)
    durable.remove(written)


def lock_again(machine: Machine, version: str, *, bound: bool = True) -> None:
    """Make the lock of a release on the machine again, unless somebody did meanwhile; one at a time."""
    tree = machine.layout.release(version)
    durable.directory(machine.layout.private, 0o700)
    with os.fdopen(os.open(machine.layout.private / "relock", os.O_RDWR | os.O_CREAT, 0o600), "r+") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        if outdated.gone(machine.layout, version):
            lock(machine, tree, of_release(tree), bound=bound)


def _remember(machine: Machine, version: str, made: bytes) -> None:
    """Keep the lock's digest, and which gems were locked without being there: their absence says nothing later."""
    place = outdated.record(machine.layout, version)
    durable.directory(place.parent, 0o700)
    durable.remove(place)
    absent = outdated.gone(machine.layout, version, made.decode(errors="replace"))
    made_here = {"absent": absent, "sha256": hashlib.sha256(made).hexdigest()}
    durable.write(place, json.dumps(made_here) + "\n", 0o600)


def _failure(result: Result) -> Failed:
    text = result.out + result.err
    said = [line for line in text.splitlines() if "Could not find" in line or "not find gem" in line]
    return Failed(
        f"the gems of the Gemfile cannot be locked from Debian's packages: {' '.join(said)[:300]}",
        status=result.status,
        **evidence_of(text),
    )


def _read_lock(machine: Machine, path: Path) -> bytes:
    """Read the file that the application's user wrote: its own, no link to another's, no flood."""
    try:
        with open_below(path.parent, path.name) as stream:
            state = os.fstat(stream.fileno())
            if state.st_uid == machine.app_ids[0] and state.st_size <= MAX_LOCK:
                return stream.read(MAX_LOCK)
    except OSError:
        pass
    raise Failed(f"{path} is not a plain file of {APP_USER}'s, of at most {MAX_LOCK} bytes")
