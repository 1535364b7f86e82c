"""A contract that no build made, signed with a good key: refused before anything of it is on the machine."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from material.agent.fakes import CONTRACT, FILES, machine_at, put_release
from material.bundles import BUILT, Raw

from filae_ops.agent.bundle import archive
from filae_ops.agent.bundle.contract import of_release
from filae_ops.agent.bundle.manifest import parse_manifest
from filae_ops.agent.preflight import checks
from filae_ops.agent.system.errors import Refused
from filae_ops.agent.system.plain_text import one_line

LINE = "x\nExecStartPre=+/bin/touch /pwned"
SPELT = r"x\nExecStartPre=+/bin/touch /pwned"
HASHED = [f"{'a' * 77}{n:02d}" for n in range(20)]
RUN = {"command": ["bin/x"]}
CRAFTED: dict[str, tuple[dict[str, Any], str]] = {
    "secret": ({"secrets": {LINE: {"generate": "hex64"}}}, f"contract.secrets.'{SPELT}': is not a name"),
    "process": ({"processes": {"web": ["bin/x"], LINE: ["bin/x"]}}, f"contract.processes.'{SPELT}': is not a name"),
    "timer": ({"timers": {LINE: {**RUN, "calendar": "daily"}}}, f"contract.timers.'{SPELT}': is not a name"),
    "calendar": ({"timers": {"a": {**RUN, "calendar": LINE}}}, "timers.a.calendar: is not a systemd calendar"),
    "variable": ({"env": {LINE: "x"}}, f"contract.env.'{SPELT}': is not the name of an environment variable"),
    "value": ({"env": {"TZ": LINE}}, "contract.env.TZ: has a control character"),
    "default": ({"settings": {"A": {"default": LINE}}}, "contract.settings.A.default: has a control character"),
    "files' name": ({"files": [{"name": LINE, "path": "storage"}]}, "contract.files.0.name: is not a name"),
    "files' path": (
        {"files": [{"name": "a", "path": LINE}]},
        "files.0.path: is not a relative path inside the release",
    ),
    "scratch": ({"scratch": [LINE]}, "contract.scratch.0: is not a relative path inside the release"),
    "package": ({"debian_packages": [LINE]}, "contract.debian_packages.0: is not the name of a Debian package"),
    "package that goes": ({"debian_packages": ["sudo-"]}, "is not the name of a Debian package (got 'sudo-')"),
    "extension": ({"database": {"locale": "C.UTF-8", "extensions": ['x"; --']}}, "database.extensions.0: is not"),
    "locale": ({"database": {"locale": "C.UTF-8'; --", "extensions": []}}, "contract.database.locale: is not"),
    "health": ({"health": {"path": '/up") { } #', "status": 200}}, "contract.health.path: is not a path of a URL"),
    "client": ({"client": {"directory": "p;", "otherwise": "app", "hashed": [], "max_body": "1m"}}, "client.directory"),
    "body": ({"client": {"otherwise": "app", "hashed": [], "max_body": "1m;"}}, "contract.client.max_body: is not"),
    "word": ({"processes": {"web": ["bin/x", LINE]}}, "contract.processes.web.1: has a control character"),
    "loader": ({"env": {"LD_PRELOAD": "/x.so"}}, "contract.env.LD_PRELOAD: is set by the toolkit or the system"),
    "reserved secret": ({"secrets": {"a": {"env": "PATH"}}}, "contract.secrets.a.env: is set by the toolkit"),
    "health that is the front page": (
        {"health": {"path": "/", "status": 200}},
        "health.path: is what people see, and would stay open during maintenance",
    ),
    "health that is the maintenance page": (
        {"health": {"path": "/maintenance.html", "status": 200}},
        "contract.health.path: is what people see",
    ),
    "health that is the client's page": (
        {
            "health": {"path": "/api/page.html", "status": 200},
            "client": {"directory": "p", "otherwise": "api/page.html", "hashed": [], "max_body": "1m"},
        },
        "health.path: /api/page.html would answer api/page.html",
    ),
    "client's page of the maintenance": (
        {"client": {"directory": "p", "otherwise": "maintenance.html", "hashed": [], "max_body": "1m"}},
        "contract.client.otherwise: is the name of the maintenance page",
    ),
    "directory with dots": (
        {"client": {"directory": "a..b", "otherwise": "app", "hashed": [], "max_body": "1m"}},
        "contract.client.directory: is not a path of a URL",
    ),
    "hashed directories": (
        {"client": {"directory": "p", "otherwise": "app", "hashed": HASHED, "max_body": "1m"}},
        "contract.client.hashed: takes 1659 characters of nginx's expression, 1500 at most",
    ),
    "process of the toolkit's": (
        {"processes": {"web": ["bin/x"], "migrate": ["bin/x"]}},
        "contract.processes.migrate: is the name of a command of the toolkit's own",
    ),
    "process of a colour": (
        {"processes": {"web": ["bin/x"], "mail-blue": ["bin/x"]}},
        "contract.processes.mail-blue: ends in the name of a colour (blue, green)",
    ),
    "timer of a colour": (
        {"timers": {"green": {**RUN, "calendar": "daily"}}},
        "contract.timers.green: ends in the name of a colour (blue, green)",
    ),
    "unknown key": ({"units": LINE}, f"contract.units: unknown key (got '{SPELT}')"),
    "unknown key of two lines": ({LINE: "x"}, f"contract.'{SPELT}': unknown key"),
    "other keys": ({"health": {"path": "/up", "status": 200, "version": {}}}, "health.version: needs one of json and"),
}


def crafted(**changes: Any) -> bytes:
    contract = {**CONTRACT, **changes}
    return json.dumps({"format": 1, "contract": contract, "files": FILES, "built": BUILT}).encode()


def rows() -> list[Any]:
    return [pytest.param(changes, message, id=name) for name, (changes, message) in CRAFTED.items()]


@pytest.mark.parametrize(("changes", "message"), rows())
def test_a_crafted_contract_is_refused_with_its_key_and_its_value(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(Refused) as caught:
        parse_manifest(crafted(**changes))
    assert message in caught.value.message
    assert one_line(caught.value.message)
    assert len(caught.value.message) < 500
    assert caught.value.owner == "provider"
    assert "filae-ops bundle build" in caught.value.next_step


@pytest.mark.parametrize(("changes", "message"), rows())
def test_preflight_refuses_it_and_writes_nothing(
    changes: dict[str, Any], message: str, raw: Raw, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine, runner = machine_at(tmp_path / "machine")
    raw.manifest["contract"].update(changes)
    bundle = raw.write(tmp_path / "bundle.tar.zst")
    monkeypatch.setattr(archive, "check_signature", lambda *a: "provider")
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(Refused) as caught:
        checks.check(machine, bundle)
    assert message in caught.value.message
    assert runner.argvs == []
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize(("changes", "message"), rows())
def test_a_release_on_the_disk_is_read_by_the_same_rules(changes: dict[str, Any], message: str, tmp_path: Path) -> None:
    release = put_release(machine_at(tmp_path)[0], "2.1.0", **changes)
    with pytest.raises(Refused) as caught:
        of_release(release)
    assert message in caught.value.message
    assert caught.value.message.startswith(f"{release}/MANIFEST.json: contract")
    assert caught.value.next_step == "deploy the release again"


@pytest.mark.parametrize("key", CONTRACT)
def test_a_key_of_the_whole_is_there_or_may_be_left_out(key: str) -> None:
    data = json.loads(crafted())
    del data["contract"][key]
    optional = {"min_from", "migrate", "setup", "probe", "client"}
    if key in optional:
        assert key not in parse_manifest(json.dumps(data).encode())["contract"]
        return
    with pytest.raises(Refused, match=rf"contract\.{key}: is missing\n"):
        parse_manifest(json.dumps(data).encode())


@pytest.mark.parametrize("text", ["[" * 100_000, "[]", '{"format": 1}', '{"contract": null}', "{", '{"contract": []}'])
def test_a_release_without_a_contract_is_a_refusal(text: str, tmp_path: Path) -> None:
    (tmp_path / "MANIFEST.json").write_text(text)
    with pytest.raises(Refused, match=r"MANIFEST\.json"):
        of_release(tmp_path)


def test_numbers_that_are_none() -> None:
    for number in (b"NaN", b"Infinity", b"1" * 5000, b"true", b"4e8", b"1e999"):
        with pytest.raises(Refused):
            parse_manifest(crafted().replace(b'"memory": 419430400', b'"memory": ' + number))


def test_a_contract_is_made_only_of_what_was_checked() -> None:
    """Of a release on the disk, and of what `archive.check` and `archive.read_manifest` return."""
    agent = Path(archive.__file__).parents[1]
    made = {
        line.strip()
        for path in agent.rglob("*.py")
        for line in path.read_text().splitlines()
        if re.search(r"(?<!class )\bContract\((?!NamedTuple)", line)
    }
    assert made == {
        'return Contract(data["contract"])',
        'contract, live = Contract(found["contract"]), machine.live()',
        'wanted = Contract(archive.read_manifest(self.bundle)["contract"])',
    }
