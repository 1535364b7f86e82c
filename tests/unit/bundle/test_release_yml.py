from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from filae_ops.bundle.contract import Contract
from filae_ops.bundle.release_yml import load_contract
from filae_ops.errors import OpsError

WHOLE = """\
name: filae
version: 2.1.0
min_from: 2.0.0                      # refuse to skip
ruby: "3.3"
debian_packages: [puma, ruby-pg]
gems: vendored
env: {TZ: UTC}
settings: {SMTP_HOST: {}, APP_LOCALE: {default: fr}}
secrets:
  secret_key_base: {generate: hex64, env: SECRET_KEY_BASE}
  admin_password: {generate: password, for: setup}
  mail_password: {}
database: {locale: C.UTF-8, extensions: [uuid-ossp, pg_trgm]}
files: [{name: attachments, path: storage}]
scratch: [tmp, log]
migrate: {command: [bin/rake, "db:migrate"], schema_version: "20260901120000", kind: expand}
setup: {command: [bin/rails, runner, setup.rb]}
processes: {web: [bundle, exec, puma], worker: [bin/rake, "jobs:work"]}
timers: {prune: {command: [bin/rake, "cases:prune"], calendar: daily}}
health: {path: /api/health, status: 200, version: {json: version}}
probe: {command: [bin/rails, runner, probe.rb], writes: true}
files_check: {command: [bin/rails, runner, files.rb]}
memory: 400M
client: {directory: public, otherwise: index.html, max_body: 20m}
"""
SMALL = """\
name: shop
version: "1.0"
ruby: "3.3"
gems: debian
processes: {web: [bin/web]}
health: {path: /up}
memory: 64M
"""


def write(tmp_path: Path, content: str | dict[str, Any]) -> Path:
    path = tmp_path / "release.yml"
    path.write_text(content if isinstance(content, str) else yaml.safe_dump(content, sort_keys=False))
    return path


def problem(tmp_path: Path, content: str | dict[str, Any]) -> str:
    with pytest.raises(OpsError) as refusal:
        load_contract(write(tmp_path, content))
    assert refusal.value.next_step
    return str(refusal.value.args[0])


def test_the_contract_of_the_design(tmp_path):
    contract = load_contract(write(tmp_path, WHOLE))
    compiled = contract.compiled()
    assert compiled["memory"] == 400 * 2**20
    assert compiled["secrets"]["admin_password"] == {"generate": "password", "for": "setup"}
    assert compiled["health"]["version"] == {"json": "version"}
    assert compiled["settings"] == {"SMTP_HOST": {}, "APP_LOCALE": {"default": "fr"}}
    assert Contract.model_validate(json.loads(json.dumps(compiled))) == contract
    assert set(contract.commands()) == {
        "migrate", "setup", "probe", "files_check", "processes.web", "processes.worker", "timers.prune"
    }  # fmt: skip


def test_a_small_application_states_little(tmp_path):
    compiled = load_contract(write(tmp_path, SMALL)).compiled()
    assert compiled["database"] == {"locale": "C.UTF-8", "extensions": []}
    assert compiled["files"] == compiled["scratch"] == compiled["debian_packages"] == []
    assert not {"setup", "probe", "files_check", "client", "migrate", "min_from"} & set(compiled)


def test_a_header_may_say_the_version(tmp_path):
    text = WHOLE.replace("{json: version}", "{header: X-App-Version}")
    assert load_contract(write(tmp_path, text)).compiled()["health"]["version"] == {"header": "X-App-Version"}


@pytest.mark.parametrize("key", ["name", "version", "ruby", "gems", "processes", "health", "memory"])
def test_what_must_be_stated(tmp_path, key):
    value = yaml.safe_load(WHOLE)
    del value[key]
    assert f"{key}: missing key" in problem(tmp_path, value)


OPTIONAL = [
    "min_from", "debian_packages", "env", "settings", "secrets", "database", "scratch", "migrate", "setup", "timers",
    "probe", "files_check", "client",
]  # fmt: skip


@pytest.mark.parametrize("key", OPTIONAL)
def test_what_may_be_left_out(tmp_path, key):
    value = yaml.safe_load(WHOLE)
    del value[key]
    load_contract(write(tmp_path, value))


PATHS = ["/x", "../x", "a/../b", ".", "..", "", "a//b", "a/", "./a", "a\nb", "a\0b", "a\x7f", "x" * 256]
COMMANDS: list[Any] = [
    [], "bin/rake", [""], ["bin/rake", ""], ["/usr/bin/ruby"], ["../x"], ["./bin/rake"], ["a b"], ["-x"], ["a\0b"],
    ["bin/rake", "a\0b"], ["bin/rake", "a\nb"], ["bin/rake", 7], [["bin/rake"]], {"a": "b"}, None, ["a"] * 101,
    ["sh", "x" * 5000], ["a;b"], ["$(x)"],
]  # fmt: skip
SLUGS = ["", "A", "1a", "a b", "a/b", "../a", "a\n", "-a", "a-", "a--b", "é", "a" * 41, "a.b", "a@b", "a%b"]
COLOURED = ["blue", "green", "mail-blue", "a-b-green"]
TOOLKITS_OWN = ["migrate", "setup", "probe", "files_check", "lock", "gems", "store", *COLOURED]
UNSERVED = ["a..b", "a/x..y", "/".join(["p" * 200] * 3)]
ENVS = ["", "tz", "1A", "A-B", "A=B", "A B", "A\n", "É", "A" * 65]
TAKEN = ["DATABASE_URL", "RAILS_ENV", "RACK_ENV", "PUBLIC_HOST", "LANG", "HOME", "CREDENTIALS_DIRECTORY", "PATH",
         "LD_PRELOAD", "LISTEN_FDS", "PGHOST", "NOTIFY_SOCKET", "LC_ALL"]  # fmt: skip
TEXTS: list[Any] = ["a\nb", "a\0b", "a\x1bb", 1, 1.5, True, None, ["a"], "x" * 5000]
CASES: list[tuple[tuple[str | int, ...], list[Any]]] = [
    (("name",), [*SLUGS, 1, None, ["a"]]),
    (("version",), ["", "1", "v1.0", "1.0.", "01.0", "1.0-RC", "1.0/x", "1.0\n", "1.0 ", 2.1, 2, None, "1.0+a"]),
    (("min_from",), ["x", 2.0, "3.0.0", "2.1.1"]),
    (("ruby",), ["3", "3.3.1", "ruby", 3.3, "3.x", "", None, "3.3\n"]),
    (("debian_packages",), ["puma", ["Puma"], ["a b"], ["-x"], ["a;b"], ["puma", "puma"], [1], {"a": 1}, ["a\n"]]),
    (("gems",), ["bundler", "", None, ["debian"], True]),
    (("env",), ["TZ=UTC", ["TZ"], None, *({name: "x"} for name in [*ENVS, *TAKEN])]),
    (("env", "TZ"), TEXTS),
    (("settings",), [["A"], None, {"A": None}, {"A": "x"}, *({name: {}} for name in [*ENVS, *TAKEN])]),
    (("settings", "APP_LOCALE", "default"), [value for value in TEXTS if value is not None]),
    (("settings", "APP_LOCALE", "other"), ["x"]),
    (("settings", "TZ"), [{}]),
    (("settings", "SECRET_KEY_BASE"), [{}]),
    (("secrets",), [["a"], None, {"a": None}, *({name: {}} for name in SLUGS)]),
    (("secrets", "secret_key_base", "generate"), ["hex32", True, "", ["hex64"]]),
    (("secrets", "secret_key_base", "env"), [*ENVS, *TAKEN, 1, "TZ", "SMTP_HOST"]),
    (("secrets", "secret_key_base", "value"), ["in clear"]),
    (("secrets", "admin_password", "for"), ["web", "", True]),
    (("secrets", "admin_password", "env"), ["SECRET_KEY_BASE"]),
    (("database", "locale"), ["C", "fr_FR", "fr_FR.ISO-8859-1", "C.UTF-8'; --", "", None, "../x.UTF-8", 1]),
    (("database", "extensions"), ["x", ["A"], ['x"'], ["x;"], ["x", "x"], [1], ["x y"], [""], ["../x"]]),
    (("database", "owner"), ["me"]),
    (("files",), [{"a": "b"}, ["storage"], [{"name": "a"}], [{"path": "a"}], None,
                  [{"name": "a", "path": "b"}, {"name": "a", "path": "c"}],
                  [{"name": "a", "path": "b"}, {"name": "c", "path": "b"}],
                  [{"name": "a", "path": "b"}, {"name": "c", "path": "b/d"}]]),
    (("files", 0, "name"), SLUGS),
    (("files", 0, "path"), [*PATHS, 1, "tmp", "tmp/x", "public", "public/system", "MANIFEST.json", "Gemfile.lock",
                            "release.yml"]),
    (("scratch",), ["tmp", [1], ["tmp", "tmp"], ["tmp", "tmp/x"], ["storage/x"], None, *([path] for path in PATHS)]),
    (("migrate",), [["bin/rake"], {}, {"command": ["bin/rake"]}]),
    (("migrate", "command"), COMMANDS),
    (("migrate", "schema_version"), ["", "abc", "-1", "1.5", 20260901120000, None, "1" * 21, "1\n"]),
    (("migrate", "kind"), ["down", "", None, ["expand"]]),
    (("setup",), [["bin/rails"], {}, {"command": ["a"], "more": 1}]),
    (("setup", "command"), COMMANDS),
    (("processes",), [["web"], {}, None, {"worker": ["bin/x"]}, *({"web": ["a"], name: ["a"]} for name in SLUGS)]),
    (("processes",), [{"web": ["a"], name: ["a"]} for name in TOOLKITS_OWN]),
    (("processes", "web"), COMMANDS),
    (("processes", "worker"), COMMANDS),
    (("timers",), [["a"], None, *({name: {"command": ["a"], "calendar": "daily"}} for name in SLUGS)]),
    (("timers",), [{name: {"command": ["a"], "calendar": "daily"}} for name in COLOURED]),
    (("timers", "prune", "command"), COMMANDS),
    (("timers", "prune", "calendar"), ["", "daily\nExecStart=x", "a\0", 1, None, "x" * 101, "$x", "-x", "%n", "a;b"]),
    (("timers", "prune", "user"), ["root"]),
    (("health",), ["/up", {}, None]),
    (("health", "path"), ["", "up", "//host/x", "/a b", "/a\n", "/../x", "http://x", "/é", "/a\"b", "/x{", 1, "/up"]),
    (("health", "path"), ["/", "/maintenance.html", "/.", "/api/..x", "/api//x", "/api/./x", "/api/."]),
    (("health", "status"), ["200", 99, 404, 500, 1000, True, None, 200.0]),
    (("health", "version"), ["version", {}, {"json": "v", "header": "X"}, {"json": ""}, {"json": "a b"},
                             {"header": "a:b"}, {"header": "a\n"}, {"xml": "v"}]),
    (("probe", "command"), COMMANDS),
    (("probe", "writes"), ["yes", 1, None]),
    (("files_check", "command"), COMMANDS),
    (("memory",), ["400", 400, "400MB", "0M", "1M", "-1G", "1T", "1.5G", "", None, "2000G", "400m", True, [1]]),
    (("client",), ["public", {}, {"otherwise": "app"}, {"otherwise": "index.html", "max_body": "1m"}]),
    (("client", "directory"), [*PATHS, "tmp", "storage", "tmp/x", "storage/public", 1, "a b", "a;b", "é", *UNSERVED]),
    (("client", "otherwise"), [*PATHS, 1, None, "a b.html", "é.html", "maintenance.html", *UNSERVED]),
    (("client", "hashed"), ["assets", None, [1], ["a b"], ["a}"], *([path] for path in [*PATHS, *UNSERVED]),
                            [f"{'a' * 76}{n}" for n in range(20)]]),
    (("client", "max_body"), ["", "0", "0m", "20", 20, "20mb", "-1m", "20m;", "1t", None, "20 m"]),
    (("unknown",), ["x", None, {}]),
]  # fmt: skip


def rows() -> list[Any]:
    return [
        pytest.param(loc, value, id=f"{'.'.join(map(str, loc))}={value!r:.40}")
        for loc, values in CASES
        for value in values
    ]


@pytest.mark.parametrize(("loc", "value"), rows())
def test_a_bad_value_is_refused_with_its_place(tmp_path, loc, value):
    content = yaml.safe_load(WHOLE)
    holder = content
    for part in loc[:-1]:
        holder = holder[part]
    holder[loc[-1]] = value
    said = problem(tmp_path, content)
    assert f"{tmp_path / 'release.yml'}:" in said
    assert str(loc[0]) in said


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("gems: vendored", "gem: vendored", "release.yml:6:1: gem: unknown key"),
        ('ruby: "3.3"', "ruby: 3.3", "release.yml:4:1: ruby: must be text: put quotes around it (got 3.3)"),
        ("generate: hex64", "generat: hex64", "release.yml:10:21: secrets.secret_key_base.generat: unknown"),
        ('"jobs:work"', "7", "release.yml:18:59: processes.worker.1: must be text"),
        ("memory: 400M", "memory: 4", "release.yml:23:1: memory: is not an amount of memory such as 400M"),
        (
            "min_from: 2.0.0",
            "min_from: 3.0.0",
            "release.yml:3:1: min_from: 3.0.0 is higher than version 2.1.0",
        ),
        ("path: storage", "path: public/s", "release.yml:14:29: files: nginx would serve public/s to anyone"),
        ("/api/health", "/up", "release.yml:20:10: health: /up would answer index.html"),
        ("TZ: UTC", "SMTP_HOST: x", "release.yml:7:7: env: SMTP_HOST is set twice"),
        ("version: 2.1.0", "version: 2.1.0\nversion: 2.2.0", "release.yml:3:1: duplicate key 'version'"),
        ("{TZ: UTC}", "&x {TZ: UTC}", "release.yml:7:6: anchors and aliases are refused"),
        ("{TZ: UTC}", "{TZ: !vault x}", "release.yml:7:11: '!vault'"),
        ("scratch: [tmp, log]", "scratch:\n\t- tmp", "release.yml:16:1: a tab"),
    ],
)
def test_the_line_of_a_problem(tmp_path, old, new, said):
    assert said in problem(tmp_path, WHOLE.replace(old, new))


def test_all_problems_come_at_once(tmp_path):
    said = problem(tmp_path, WHOLE.replace("gems: vendored", "gem: x").replace("400M", "1").replace("daily", '""'))
    assert len(said.splitlines()) == 4


@pytest.mark.parametrize("content", ["", "[]", "text", "# nothing\n"])
def test_no_contract(tmp_path, content):
    assert "not a release contract" in problem(tmp_path, content)


def test_uploads_are_bounded_without_a_client(tmp_path):
    contract = load_contract(write(tmp_path, SMALL + "client: {max_body: 20m}\n"))
    assert contract.compiled()["client"] == {"otherwise": "app", "hashed": [], "max_body": "20m"}
