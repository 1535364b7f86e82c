"""What a release that brings its own gems is refused for, each with what to do. Bundler itself: test_vendored.py."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from material.bundles import RELEASE, make_source

from filae_ops.agent.bundle import archive
from filae_ops.bundle.build import build
from filae_ops.bundle.lockfile import idle_gems, read_lock
from filae_ops.errors import OpsError

HOME = "vendor/bundle/ruby/3.3.0"
LOCK = """\
GIT
  remote: https://git.example/tool.git
  revision: 0123456789abcdef0123456789abcdef01234567
  specs:
    tool (0.1.0)

PATH
  remote: engines/own
  specs:
    own (1.0.0)
      small (>= 1)

GEM
  remote: https://rubygems.org/
  specs:
    idle (3.0.0)
      onlyidle (>= 0)
    json (2.9.1)
    native (1.16.0)
      small (~> 1.0)
    native (1.16.0-arm64-darwin)
    native (1.16.0-x86_64-linux-gnu)
    onlyidle (1.0.0)
    small (1.0.0)

PLATFORMS
  arm64-darwin
  x86_64-linux-gnu

DEPENDENCIES
  idle
  json
  native (~> 1.16)
  own!
  tool!

BUNDLED WITH
   2.6.7
"""
GEMFILE = """\
source "https://rubygems.org"
gem "json"
gem "native", "~> 1.16" # a comment
gem "own", path: "engines/own"
gem "tool", git: "https://git.example/tool.git"
group :development, :test do
  gem "idle"
end
"""
NATIVE = f"{HOME}/specifications/native-1.16.0-x86_64-linux-gnu.gemspec"
Change = Callable[[Path], object]


def gem(root: Path, full: str, text: str = "") -> None:
    put(root, f"{HOME}/specifications/{full}.gemspec", f"Gem::Specification.new do |s|\n{text}end\n")
    put(root, f"{HOME}/gems/{full}/lib/it.rb", "")


def put(root: Path, path: str, content: str | bytes) -> None:
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    (root / path).write_bytes(content if isinstance(content, bytes) else content.encode())


@pytest.fixture
def source(tmp_path: Path) -> Path:
    root = make_source(tmp_path / "source", RELEASE.replace("gems: debian", "gems: vendored"))
    put(root, "Gemfile", GEMFILE)
    put(root, "Gemfile.lock", LOCK)
    gem(root, "small-1.0.0")
    gem(root, "native-1.16.0-x86_64-linux-gnu")
    put(root, "engines/own/own.gemspec", "")
    put(root, f"{HOME}/bundler/gems/tool-0123456789ab/tool.gemspec", "")
    put(root, f"{HOME}/bin/native", "#!/usr/bin/env ruby3.3\n")
    put(root, f"{HOME}/gems/small-1.0.0/lib/small.so", b"\x7fELF\0libruby-3.3.so.3.3\0")
    put(root, f"{HOME}/cache/small-1.0.0.gem", "packed")
    put(root, ".bundle/config", "BUNDLE_GEMS__EXAMPLE: a password")
    return root


def with_extension(root: Path, *built: str) -> None:
    gem(root, "small-1.0.0", '  s.extensions = ["ext/extconf.rb".freeze]\n')
    for each in built:
        put(root, f"{HOME}/extensions/{each}/small-1.0.0/gem.build_complete", "")


def replace(path: str, old: str, new: str) -> Change:
    return lambda root: put(root, path, (root / path).read_text().replace(old, new))


def drop(path: str) -> Change:
    return lambda root: shutil.rmtree(root / path) if (root / path).is_dir() else (root / path).unlink()


def foreign_platform(root: Path) -> None:
    drop(f"{HOME}/gems/native-1.16.0-x86_64-linux-gnu")(root)
    drop(NATIVE)(root)
    gem(root, "native-1.16.0-arm64-darwin")


def only_packed(root: Path) -> None:
    shutil.rmtree(root / "vendor/bundle")
    put(root, "vendor/cache/small-1.0.0.gem", "packed")


def test_a_whole_one_is_built_without_what_the_machine_does_not_need(source: Path, tmp_path: Path) -> None:
    built = build(source, tmp_path / "out")
    paths = {entry["path"] for entry in archive.read_manifest(built.bundle)["files"]}
    assert {"Gemfile.lock", f"{HOME}/gems/small-1.0.0/lib/small.so"} <= paths
    assert not [path for path in paths if path.startswith((".bundle", f"{HOME}/cache"))]
    assert {".bundle", f"{HOME}/cache"} <= {path for path, _ in built.left_out}


def test_a_native_extension_that_was_built_for_this_ruby_passes(source: Path, tmp_path: Path) -> None:
    with_extension(source, "x86_64-linux/3.3.0")
    assert build(source, tmp_path / "out").bundle.is_file()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (drop("Gemfile"), "no Gemfile"),
        (drop("Gemfile.lock"), "no Gemfile.lock"),
        (drop("vendor"), f"no {HOME}"),
        (only_packed, "vendor/cache alone holds packed gems"),
        (lambda root: (root / HOME).rename(root / "vendor/bundle/ruby/3.1.0"), "installed for Ruby 3.1.0"),
        (drop(f"{HOME}/specifications/small-1.0.0.gemspec"), "small-1.0.0 is not installed"),
        (drop(f"{HOME}/gems/small-1.0.0"), "small-1.0.0 has no directory"),
        (replace("Gemfile.lock", "small (1.0.0)", "small (1.0.1)"), "small-1.0.1 is not installed"),
        (replace("Gemfile", "group :development, :test do", "group :test, :tools do"), "idle-3.0.0 is not installed"),
        (foreign_platform, "native was installed for arm64-darwin"),
        (replace("Gemfile.lock", "engines/own", "/home/dev/own"), "comes from /home/dev/own, which is out of"),
        (replace("Gemfile.lock", "engines/own", "../own"), "comes from ../own, which is out of"),
        (drop("engines"), "comes from engines/own, which the release has not"),
        (drop(f"{HOME}/bundler"), "tool-0.1.0 (https://git.example/tool.git) is not in"),
        (with_extension, "the native extension of small-1.0.0 was not built"),
        (lambda root: with_extension(root, "x86_64-linux/3.1.0"), "built for Ruby 3.1.0 on x86_64-linux, not 3.3.0"),
        (lambda root: with_extension(root, "arm64-darwin-23/3.3.0"), "built for Ruby 3.3.0 on arm64-darwin-23"),
        (lambda root: put(root, f"{HOME}/gems/small-1.0.0/lib/small.so", b"\x7fELF\0libruby-3.1.so.3.1\0"),
         "small.so was built for Ruby 3.1, and the release runs on 3.3"),
        (lambda root: put(root, f"{HOME}/gems/small-1.0.0/lib/small.so", b"\xcf\xfa\xed\xfe"), "no library of Linux"),
        (lambda root: put(root, f"{HOME}/bin/native", "#!/home/dev/.rbenv/versions/3.3.5/bin/ruby\n"),
         "run by /home/dev/.rbenv/versions/3.3.5/bin/ruby"),
        (lambda root: (root / f"{HOME}/gems/link").symlink_to("/var/lib/gems"), "a link to an absolute path"),
    ],
)  # fmt: skip
def test_one_that_is_refused(source: Path, tmp_path: Path, change: Change, said: str) -> None:
    change(source)
    with pytest.raises(OpsError) as refusal:
        build(source, tmp_path / "out")
    assert said in str(refusal.value)
    assert refusal.value.next_step


def test_many_problems_are_a_few_lines(source: Path, tmp_path: Path) -> None:
    for number in range(9):
        replace("Gemfile.lock", "  small (1.0.0)\n", f"  small (1.0.0)\n    more{number} (1.0.0)\n")(source)
        replace("Gemfile.lock", "DEPENDENCIES\n", f"DEPENDENCIES\n  more{number}\n")(source)
    with pytest.raises(OpsError, match=r"\(and 4 more\)"):
        build(source, tmp_path / "out")


@pytest.mark.parametrize(
    ("gemfile", "idle"),
    [
        ('gem "a"\n', set()),
        ('gem "a", group: :test\ngem("b", :group => :test)\ngem "c", groups: [:test, :development]\n', set("abc")),
        ('gem "a", groups: [:test, :tools]\n', set()),
        ('group :test do\n  gem "a"\n  if ENV["X"]\n    gem "b"\n  end\n  gem "c"\nend\ngem "d"\n', set("abc")),
        ('group(:development) do\n  platforms :mri do\n    gem "a"\n  end\nend\ngem "b"\n', {"a"}),
        ('group :test do\n  gem "a"\nend\ngem "a"\n', set()),
        ('# group :test do\ngem "a"\n', set()),
        ('%w[a].each { |name| gem name, group: :test }\n', set()),
        ('source "https://x" do\n  gem "a", group: "test"\nend\n', {"a"}),
    ],
)  # fmt: skip
def test_which_gems_no_process_loads(gemfile: str, idle: set[str]) -> None:
    """What this reader does not understand is needed: the way out is to install it too."""
    assert idle_gems(gemfile) == idle


def test_a_lock_is_read_whole() -> None:
    lock = read_lock(LOCK)
    assert [spec.full for spec in lock.specs][:3] == ["tool-0.1.0", "own-1.0.0", "idle-3.0.0"]
    assert lock.wanted == ["idle", "json", "native", "own", "tool"]
    assert {spec.full for spec in lock.reached({"own"})} == {"own-1.0.0", "small-1.0.0"}
    assert {spec.platform for spec in lock.specs if spec.name == "native"} == {"", "arm64-darwin", "x86_64-linux-gnu"}
