"""A release that brings its own gems. No gem server can be reached: the gem is one that this test makes."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from apps import materialise
from sites import Site

from filae_ops.bundle.build import build
from filae_ops.errors import OpsError
from filae_ops.lab import lifecycle
from filae_ops.lab.machine_inventory import release_key

HOME = "vendor/bundle/ruby/3.3.0"
GEM = {
    "small.gemspec": """Gem::Specification.new do |s|
  s.name, s.version, s.summary, s.authors = "small", "1.0.0", "One word", ["filae-ops"]
  s.files = ["lib/small.rb"]
end
""",
    "lib/small.rb": 'module Small\n  WORD = "from #{__FILE__}"\nend\n',
}
FILES = {
    "Gemfile": """source "https://gems.example"
gem "json"
gem "puma"
gem "small", "~> 1.0"
gem "absent", group: :test
""",
    "config.ru": """require "bundler/setup"
require "small"
require_relative "app"
app = App.new
said = [Small::WORD, *ENV.values_at("BUNDLE_PATH", "BUNDLE_FROZEN")].join("\\n")
run ->(env) { env["PATH_INFO"] == "/word" ? [200, { "content-type" => "text/plain" }, [said]] : app.call(env) }
""",
}
# The application of the machine goes on as another tree of the same name, on the schema that is there.
CONTRACT = {
    "name": "filae",
    "min_from": "2.0.0",
    "gems": "vendored",
    "migrate": {"schema_version": "20260901120000"},
    "processes": {"web": ["bundle", "exec", "puma"]},
    "debian_packages": ["ruby-bundler", "ruby-pg"],
}
# As a team does it on its build machine, but that no gem comes from a server: puma and its native extensions are
# Debian's builds, put where `bundle install` puts its own. What is only for tests is not installed.
INSTALL = """set -eu
cd /root/small && gem build -q small.gemspec
cd /root/tree && gem install -q --local --no-document --install-dir vendor/bundle/ruby/3.3.0 /root/small/small-1.0.0.gem
for kind in gems extensions specifications; do
  cp -r /usr/lib/*/rubygems-integration/3.3.0/$kind vendor/bundle/ruby/3.3.0/
done
sed -i '/absent/d' Gemfile
bundle config set --local path vendor/bundle && bundle install --local --quiet
"""
ADD_ABSENT = """    absent (1.0.0)
    json"""


def through(site: Site, line: str, data: bytes = b"") -> bytes:
    argv = lifecycle.ssh_argv(site.machine, [f'sudo sh -c "{line}"'])
    done = subprocess.run(argv, input=data, capture_output=True, timeout=120)
    assert done.returncode == 0, done.stderr.decode(errors="replace")
    return done.stdout


def send(site: Site, tree: Path, place: str) -> None:
    packed = subprocess.run(["tar", "-C", str(tree), "-c", "."], capture_output=True, check=True).stdout
    through(site, f"mkdir {place} && tar --no-same-owner -C {place} -x", packed)


@pytest.fixture
def tree(copy: Site, tmp_path: Path) -> Path:
    """The minimal application with its gem, after `bundle install` with Debian's Ruby."""
    made = materialise("minimal", "3.0.0", tmp_path / "made", overrides=CONTRACT, files=FILES)
    for name, text in GEM.items():
        (tmp_path / "small" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "small" / name).write_text(text)
    send(copy, tmp_path / "small", "/root/small")
    send(copy, made, "/root/tree")
    through(copy, "sh -s", INSTALL.encode())
    tree = tmp_path / "tree"
    tree.mkdir()
    back = through(copy, "tar -C /root/tree -c .")
    subprocess.run(["tar", "--no-same-owner", "-C", str(tree), "-x"], input=back, check=True)
    # A gem for tests alone is in the Gemfile and in the lock, and is not installed.
    (tree / "Gemfile").write_text(FILES["Gemfile"])
    lock = (tree / "Gemfile.lock").read_text()
    lock = lock.replace("    json", ADD_ABSENT, 1).replace("DEPENDENCIES\n", "DEPENDENCIES\n  absent\n")
    (tree / "Gemfile.lock").write_text(lock)
    return tree


def test_gems_of_the_release_are_loaded_and_no_others(copy: Site, tree: Path, tmp_path: Path) -> None:
    key = release_key(lifecycle.lab_id())
    built = build(tree, tmp_path / "out", key)
    assert {".bundle", f"{HOME}/cache"} <= {path for path, _ in built.left_out}
    lock = (tree / "Gemfile.lock").read_text()

    # Bundler is the judge: a lock that this Ruby cannot satisfy stops while it is staged.
    version = next(line.split()[1].strip("()") for line in lock.splitlines() if line.startswith("    json ("))
    (tree / "Gemfile.lock").write_text(lock.replace(f"json ({version})", "json (99.0.0)"))
    refused = copy.ops("deploy", str(build(tree, tmp_path / "wrong", key).bundle), "--json")
    assert refused.returncode != 0
    assert "Could not find json-99.0.0" in refused.stdout + refused.stderr
    status = json.loads(copy.ops("status", "--json").stdout)
    assert (status["version"], status["healthy"], status["last_transaction"]["failed_step"]) == ("2.0.0", True, "stage")
    assert copy.run("ls -A /opt/filae/releases").stdout.split() == ["2.0.0"]

    done = copy.ops("deploy", str(built.bundle))
    assert done.returncode == 0, done.stderr
    word = copy.run(
        "python3 -c 'import socket; s = socket.socket(socket.AF_UNIX); "
        's.connect(sorted(__import__("glob").glob("/run/filae/web-*.sock"))[-1]); '
        's.sendall(b"GET /word HTTP/1.0\\r\\n\\r\\n"); print(s.makefile().read())\''
    ).stdout
    release = "/opt/filae/releases/3.0.0"
    assert f"from {release}/{HOME}/gems/small-1.0.0/lib/small.rb\n{release}/vendor/bundle\ntrue" in word

    # What another Ruby installed is refused at the provider's, with the versions.
    (tree / HOME).rename(tree / "vendor/bundle/ruby/3.1.0")
    with pytest.raises(OpsError, match=r"installed for Ruby 3\.1\.0, and the release runs on 3\.3"):
        build(tree, tmp_path / "old", key)
