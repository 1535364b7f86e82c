"""`gems: vendored`: Bundler itself says, while a release is staged, whether it finds what the release brought."""

from __future__ import annotations

from pathlib import Path

from filae_ops.agent.bundle.contract import Contract
from filae_ops.agent.runtime import launcher, unit_text
from filae_ops.agent.system.layout import APP_USER
from filae_ops.agent.system.machine import Machine
from filae_ops.agent.system.process import Failed, evidence_of

_MARK = "filaectl: "
# What each process does first, and then: RubyGems passes over a gem whose extension was built for another Ruby.
SCRIPT = """
require "bundler"
begin
  Bundler.setup
rescue Bundler::BundlerError, Gem::LoadError => e
  abort "filaectl: #{e.message.lines.map(&:strip).reject(&:empty?).first(3).join(" ")}"
end
unbuilt = Gem.loaded_specs.values.select(&:missing_extensions?).map(&:full_name)
abort "filaectl: extensions not built for this Ruby: #{unbuilt.join(" ")}" if unbuilt.any?
"""


def check(machine: Machine, tree: Path, contract: Contract) -> None:
    """Load the release's gems as its processes will, as the application's user."""
    env = {
        **launcher.constants(contract),
        **launcher.bundler(contract, tree),
        "HOME": "/tmp",  # noqa: S108 - the unit's own /tmp
        "LANG": "C.UTF-8",
    }
    argv = unit_text.oneoff_argv(
        "gems", ["/usr/bin/ruby", "-e", SCRIPT], user=APP_USER, env=env, seconds=120,
        properties=[unit_text.setting("WorkingDirectory", unit_text.path(tree))],
    )  # fmt: skip
    result = machine.runner.run(argv, timeout=150)
    if result.status == 0:
        return
    said = [line.removeprefix(_MARK) for line in result.err.splitlines() if line.startswith(_MARK)]
    why = " ".join(said)[:300] or f"Ruby ended with status {result.status}"
    raise Failed(
        f"the gems that the release brings cannot be loaded here: {why}",
        status=result.status,
        **evidence_of(result.err),
    )
