"""`gems: vendored`: the lock and what `bundle install` left in vendor/bundle, ready for Debian's Ruby.

Nothing is installed or compiled on a hospital's machine: what is missing or foreign is refused here. Whether Bundler
finds all of it is asked of Ruby itself while the release is staged.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from filae_ops.bundle.contract import Contract
from filae_ops.bundle.lockfile import Spec, idle_gems, read_lock
from filae_ops.errors import OpsError

Entries = Mapping[str, Mapping[str, Any]]
NEXT = (
    "on a machine with this Debian's Ruby, in the source: bundle config set --local path vendor/bundle; "
    "bundle install; then build again"
)
_LINUX = re.compile(r"(x86_64|aarch64)-linux(-gnu)?")
_LIBRUBY = re.compile(rb"libruby-(\d+\.\d+)\.so")
# They come with Ruby, so Bundler does not install them; which versions, only the machine's Ruby can say.
_NAMES = """
abbrev base64 benchmark bigdecimal bundler cgi csv date delegate did_you_mean digest drb english erb
error_highlight etc fcntl fiddle fileutils find forwardable getoptlong io-console io-nonblock io-wait ipaddr irb
json logger mutex_m net-http net-protocol nkf observer open-uri open3 openssl optparse ostruct pathname pp
prettyprint prism pstore psych rdoc readline readline-ext reline resolv resolv-replace rinda ruby2_keywords
securerandom set shellwords singleton stringio strscan syntax_suggest syslog tempfile time timeout tmpdir tsort
un uri weakref yaml zlib
"""
DEFAULT_GEMS = frozenset(_NAMES.split())


def home(contract: Contract) -> str:
    """Return where Bundler puts the gems of this Ruby."""
    return f"vendor/bundle/ruby/{contract.ruby}.0"


def check(source: Path, contract: Contract, entries: Entries) -> None:
    """Refuse a tree whose gems would not be found or could not be loaded on the machine."""
    if contract.gems != "vendored":
        return
    for name in ("Gemfile", "Gemfile.lock"):
        if entries.get(name, {}).get("type") != "file":
            _refuse(source, f"no {name}")
    lock = read_lock((source / "Gemfile.lock").read_text(errors="replace"))
    idle = idle_gems((source / "Gemfile").read_text(errors="replace"))
    specs = lock.reached(set(lock.wanted) - idle)
    if any(spec.kind != "PATH" and spec.name not in DEFAULT_GEMS for spec in specs):
        _check_home(source, contract, entries)
    problems = [
        *_sources(specs, entries, home(contract)),
        *_missing(specs, entries, home(contract)),
        *_extensions(source, contract, entries),
        *_foreign(source, contract, entries),
    ]
    if problems:
        more = f" (and {len(problems) - 5} more)" if len(problems) > 5 else ""
        _refuse(source, "; ".join(problems[:5]) + more)


def _refuse(source: Path, problem: str) -> None:
    raise OpsError(f"{source}: gems: vendored: {problem}", owner="provider", next_step=NEXT)


def _check_home(source: Path, contract: Contract, entries: Entries) -> None:
    if home(contract) in entries:
        return
    others = [path.rpartition("/")[2] for path in entries if re.fullmatch(r"vendor/bundle/ruby/[^/]+", path)]
    if others:
        _refuse(
            source, f"the gems were installed for Ruby {', '.join(others)}, and the release runs on {contract.ruby}"
        )
    packed = any(path.startswith("vendor/cache/") for path in entries)
    why = "; vendor/cache alone holds packed gems, and no machine of a hospital installs any" if packed else ""
    _refuse(source, f"no {home(contract)}{why}")


def _sources(specs: list[Spec], entries: Entries, place: str) -> Iterator[str]:
    """Yield gems that Bundler would look for out of the release."""
    for remote in sorted({spec.remote for spec in specs if spec.kind == "PATH"}):
        if remote.startswith(("/", "~")) or ".." in remote.split("/"):
            yield f"a gem comes from {remote}, which is out of the release"
        elif remote != "." and remote.removeprefix("./").rstrip("/") not in entries:
            yield f"a gem comes from {remote}, which the release has not"
    checkouts = [path for path in entries if path.startswith(f"{place}/bundler/gems/")]
    for spec in specs:
        if spec.kind == "GIT" and not any(f"-{spec.revision[:12]}" in path for path in checkouts):
            yield f"{spec.full} ({spec.remote}) is not in {place}/bundler"


def _missing(specs: list[Spec], entries: Entries, place: str) -> Iterator[str]:
    """Yield gems of the lock that are not installed for a machine of ours."""
    variants: dict[str, list[Spec]] = {}
    for spec in specs:
        if spec.kind == "GEM" and spec.name not in DEFAULT_GEMS:
            variants.setdefault(spec.name, []).append(spec)
    for several in variants.values():
        there = [s for s in several if f"{place}/specifications/{s.full}.gemspec" in entries]
        whole = [s for s in there if f"{place}/gems/{s.full}" in entries]
        if not there:
            yield f"{several[0].full} is not installed in {place}"
        elif not whole:
            yield f"{there[0].full} has no directory in {place}/gems"
        elif all(s.platform and not _LINUX.fullmatch(s.platform) for s in whole):
            yield f"{whole[0].name} was installed for {whole[0].platform}"


def _extensions(source: Path, contract: Contract, entries: Entries) -> Iterator[str]:
    """Yield gems whose native part was not built, or was for another Ruby or system."""
    place, api = home(contract), f"{contract.ruby}.0"
    built: dict[str, list[tuple[str, str]]] = {}
    for path in entries:
        if found := re.fullmatch(rf"{re.escape(place)}/extensions/([^/]+)/([^/]+)/([^/]+)/gem\.build_complete", path):
            built.setdefault(found[3], []).append((found[1], found[2]))
    for path in entries:
        if not re.fullmatch(rf"{re.escape(place)}/specifications/[^/]+\.gemspec", path):
            continue
        name = path.rpartition("/")[2].removesuffix(".gemspec")
        if not re.search(r"^\s*s\.extensions = \[[^\]]", (source / path).read_text(errors="replace"), re.M):
            continue
        made = built.get(name, [])
        if not made:
            yield f"the native extension of {name} was not built"
        elif not any(_LINUX.fullmatch(system) and version == api for system, version in made):
            yield f"the native extension of {name} was built for Ruby {made[0][1]} on {made[0][0]}, not {api} on Linux"


def _foreign(source: Path, contract: Contract, entries: Entries) -> Iterator[str]:
    """Yield what another Ruby than Debian's made: libraries linked with it, programs that name it."""
    place = home(contract)
    for path, entry in entries.items():
        if entry["type"] != "file" or not path.startswith(f"{place}/"):
            continue
        if path.endswith(".so"):
            data = (source / path).read_bytes()
            linked = {found.decode() for found in _LIBRUBY.findall(data)}
            if not data.startswith(b"\x7fELF"):
                yield f"{path} is no library of Linux"
            elif linked and contract.ruby not in linked:
                yield f"{path} was built for Ruby {', '.join(sorted(linked))}, and the release runs on {contract.ruby}"
        elif path.startswith(f"{place}/bin/"):
            with (source / path).open("rb") as stream:
                first = stream.readline(200).decode(errors="replace").strip()
            if first.startswith("#!") and not first.startswith(("#!/usr/bin/", "#! /usr/bin/", "#!/bin/sh")):
                yield f"{path} is run by {first.removeprefix('#!').strip()}, which is not Debian's Ruby"
