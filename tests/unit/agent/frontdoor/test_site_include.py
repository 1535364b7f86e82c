"""What nginx serves of a release and of the kept ones. The scenario test_client_files.py asks a real nginx."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from material.agent.fakes import CONTRACT, machine_at, make_live, put_release

from filae_ops.agent.bundle import contract_rules
from filae_ops.agent.bundle.contract import Contract
from filae_ops.agent.frontdoor import site_include
from filae_ops.agent.system import durable
from filae_ops.agent.system.layout import Layout
from filae_ops.agent.system.process import Failed

NEW = Contract(CONTRACT)
OLD = Contract({**CONTRACT, "version": "2.0.0", "client": {"directory": "dist", "otherwise": "index.html"}})
BARE = Contract({**CONTRACT, "version": "1.9.0", "client": None})


def expression(text: str) -> re.Pattern[str]:
    """Return nginx's expression of hashed names, which Python reads alike."""
    found = re.search(r'^location ~ "([^"]+)"', text, re.M)
    assert found, text
    return re.compile(found[1])


@pytest.mark.parametrize(
    ("path", "hashed"),
    [
        ("/js/main-4f98cd47.js", True),
        ("/main.4f98cd47.js", True),
        ("/main.4f98cd47.chunk.js", True),
        ("/main-4f98cd47.js.map", True),
        ("/main-4f98cd47.min.js.map", True),
        ("/main-4f98cd47.chunk.module.js.gz", True),
        ("/assets/application-" + "0a" * 32 + ".css", True),
        ("/fonts/x-deadbeef0.woff2", True),
        ("/x-12345678.js", True),
        ("/guide-20261121.pdf", False),
        ("/js/main.js", False),
        ("/style.css", False),
        ("/index.html", False),
        ("/", False),
        ("/dossiers/4f98cd47", False),
        ("/main-4F98CD47.js", False),
        ("/main-4f98cd4.js", False),
        ("/api/attachments/x-4f98cd47.png", False),
    ],
)
def test_names_that_hold_their_digest(path: str, hashed: bool) -> None:
    assert bool(expression(site_include.server(Layout(), NEW)).match(path)) == hashed


def test_nginx_gives_up_soon_on_a_name_that_has_no_end() -> None:
    """After a digest at most so many characters are tried: else a long path of dots and digests takes 100 ms."""
    pattern = expression(site_include.server(Layout(), NEW)).pattern
    after = pattern[pattern.index("{8,64}") + len("{8,64}") :]
    assert re.search(r"\{1,\d\d\}", after)
    assert not re.search(r"(?<!\\)[*+]|,\}", after)


def hashed(version: str, *names: str) -> Contract:
    client = {"directory": "public", "otherwise": "app", "hashed": list(names), "max_body": "1m"}
    return Contract({**CONTRACT, "version": version, "client": client})


def test_kept_releases_never_make_the_expression_too_long_for_nginx() -> None:
    """What the release itself names is all there, then what the newest of the others name, as it fits."""
    versions = ("5.0.0", "4.0.0", "3.0.0")
    contracts = [hashed(version, *(f"{version[0]}{'-' * 24}{n:02d}" for n in range(27))) for version in versions]
    assert [problem for each in contracts for problem in contract_rules.problems(each.data)] == []
    pattern = expression(site_include.server(Layout(), contracts[0], contracts[1:])).pattern
    assert 3400 < len(pattern) < 3700
    served = [
        sum(re.match(pattern, f"/{name}/x.js") is not None for name in each.get("client")["hashed"])
        for each in contracts
    ]
    assert served == [27, 27, 9]


def test_directories_that_the_contract_names_need_no_digest_that_we_know() -> None:
    client = {**CONTRACT["client"], "hashed": ["assets", "a.b/c"]}
    matches = expression(site_include.server(Layout(), Contract({**CONTRACT, "client": client}))).match
    assert matches("/assets/index-BwT3k9_a.js")
    assert matches("/a.b/c/x.js")
    assert not matches("/axb/c/x.js")
    assert not matches("/assets/")
    assert not matches("/other/index-BwT3k9_a.js")
    later = expression(
        site_include.server(Layout(), NEW, [Contract({**CONTRACT, "version": "2.0.0", "client": client})])
    )
    assert later.match("/assets/index-BwT3k9_a.js"), "what a kept release named stays served after it is dropped"


@pytest.mark.parametrize(
    ("kept", "client", "chain"),
    [
        ([], {}, ["/r/2.1.0/public =404"]),
        ([OLD], {}, ["/r/2.1.0/public @release_1", "/r/2.0.0/dist =404"]),
        ([BARE, OLD], {}, ["/r/2.1.0/public @release_1", "/r/2.0.0/dist =404"]),
        ([OLD], {"otherwise": "app"}, ["/r/2.1.0/public @release_1", "/r/2.0.0/dist @application"]),
    ],
)
def test_a_hashed_file_is_looked_for_in_each_kept_release_and_is_never_the_page(
    kept: list[Contract], client: dict[str, str], chain: list[str]
) -> None:
    contract = Contract({**CONTRACT, "client": {**CONTRACT["client"], **client}})
    text = site_include.server(Layout(), contract, kept).replace("/opt/filae/releases", "/r")
    lines = [line for line in text.splitlines() if "immutable" in line]
    root = re.findall(r"^root ([^;]+);", text, re.M)
    found = [
        f"{(re.findall(r'root ([^;]+);', line) or root)[0]} {re.findall(r'try_files .uri ([^;]+);', line)[0]}"
        for line in lines
    ]
    assert found == chain
    assert all("include /etc/nginx/filae/headers.conf;" in line for line in lines)


def test_nothing_else_is_cached() -> None:
    for otherwise in ("index.html", "app"):
        text = site_include.server(
            Layout(), Contract({**CONTRACT, "client": {"directory": "public", "otherwise": otherwise}})
        )
        files = [line for line in text.splitlines() if "location" in line and "proxy_pass" not in line]
        assert all("expires -1;" in line or "immutable" in line for line in files), files


def releases(tmp_path: Path, *versions: str, live: str, keep: int = 3) -> Any:
    machine, runner = machine_at(tmp_path, keep_releases=keep)
    for version in versions:
        put_release(machine, version)
    make_live(machine, live, "blue")
    return machine, runner


def versions_in(text: object) -> list[str]:
    return re.findall(r"root \S+/([0-9.]+)/public", str(text))


@pytest.mark.parametrize(
    ("kept", "live", "to", "found"),
    [
        (["2.1.0"], "2.1.0", "2.1.0", ["2.1.0"]),
        (["2.0.0", "2.1.0"], "2.0.0", "2.1.0", ["2.1.0", "2.0.0"]),
        (["1.8.0", "1.9.0", "2.0.0", "2.1.0"], "2.0.0", "2.1.0", ["2.1.0", "2.0.0", "1.9.0"]),
        (["1.9.0", "2.0.0", "2.1.0"], "2.1.0", "2.0.0", ["2.0.0", "2.1.0", "1.9.0"]),
        (["1.9.0", "1.10.0", "2.1.0"], "1.10.0", "2.1.0", ["2.1.0", "1.10.0", "1.9.0"]),
    ],
)
def test_a_switch_names_the_releases_that_will_be_kept(
    tmp_path: Path, kept: list[str], live: str, to: str, found: list[str]
) -> None:
    """Forwards and back; what the end of the transaction will remove is left out before."""
    machine, _ = releases(tmp_path, *kept, live=live)
    pair = site_include.pair(machine, Contract({**CONTRACT, "version": to}), "green")
    assert versions_in(pair["live.conf"]) == found
    assert "web-green.sock" in str(pair["upstream.conf"])


def test_what_is_removed_leaves_the_configuration_first(tmp_path: Path) -> None:
    machine, runner = releases(tmp_path, "2.0.0", "2.1.0", live="2.1.0")
    pair = site_include.pair(machine, NEW, "blue")
    for name, text in pair.items():
        durable.write(machine.layout.nginx / name, text)
    assert site_include.refresh(machine) is False
    assert not runner.argvs
    assert site_include.refresh(machine, without=["2.0.0"]) is True
    assert versions_in((machine.layout.nginx / "live.conf").read_text()) == ["2.1.0"]
    assert "nginx -t -q" in runner.lines()


def test_a_release_whose_manifest_is_gone_is_passed_over(tmp_path: Path) -> None:
    machine, _ = releases(tmp_path, "2.0.0", "2.1.0", live="2.1.0")
    (machine.layout.release("2.0.0") / "MANIFEST.json").unlink()
    assert versions_in(site_include.pair(machine, NEW, "blue")["live.conf"]) == ["2.1.0"]


def test_without_a_live_release_there_is_nothing_to_write_again(tmp_path: Path) -> None:
    machine, runner = machine_at(tmp_path)
    assert site_include.refresh(machine) is False
    assert not runner.argvs


@pytest.mark.parametrize("key", ["directory", "hashed"])
def test_names_that_would_break_out_are_refused(key: str) -> None:
    value: object = ["a;b"] if key == "hashed" else "a;b"
    with pytest.raises(Failed, match=f"client.{key}"):
        site_include.server(Layout(), Contract({**CONTRACT, "client": {**CONTRACT["client"], key: value}}))


@pytest.mark.parametrize(
    ("changes", "wanted", "unwanted"),
    [
        (
            {},
            ["root /opt/filae/releases/2.1.0/public;", "client_max_body_size 20m;",
             "try_files $uri /index.html;", "location /api/ {", "location = /index.html { expires -1; }"],
            ["@application"],
        ),
        (
            {"client": {"directory": "public", "otherwise": "app"}},
            ["try_files $uri @application;", "location @application {"],
            ["index.html", "client_max_body_size"],
        ),
        ({"client": None}, ["location / { include"], ["root ", "try_files"]),
        ({"health": {"path": "/up"}}, ["location = /up {"], []),
    ],
)  # fmt: skip
def test_what_nginx_serves_and_what_it_hands_over(
    changes: dict[str, object], wanted: list[str], unwanted: list[str]
) -> None:
    text = site_include.server(Layout(), Contract({**CONTRACT, **changes}))
    assert [line for line in wanted if line not in text] == []
    assert [line for line in unwanted if line in text] == []
    assert text.count("proxy_pass") == text.count("include /etc/nginx/filae/proxy-headers.conf;")
    assert text.count("{") == text.count("}")


@pytest.mark.parametrize(
    "changes",
    [
        {"version": "2.1.0;\nload_module x"},
        {"version": "../.."},
        {"health": {"path": "/x { } evil"}},
        {"health": {"path": '/up") { } #'}},
        {"health": {"path": "/up\n"}},
        {"health": {"path": "/$uri"}},
        {"client": {"directory": "../../etc", "otherwise": "app"}},
        {"client": {"directory": "public/..", "otherwise": "app"}},
        {"client": {"directory": "public", "otherwise": "app", "hashed": ['a"']}},
        {"client": {"directory": "public", "otherwise": "app", "max_body": "1m\n"}},
        {"client": {"directory": "public", "otherwise": "a;b"}},
        {"client": {"directory": "a..b", "otherwise": "app"}},
        {"client": {"directory": "public", "otherwise": "maintenance.html"}},
        {"health": {"path": "/maintenance.html"}},
        {"health": {"path": "/"}},
        {"client": {"directory": "public", "otherwise": "app", "max_body": "1m; evil on"}},
    ],
)
def test_nothing_of_a_contract_breaks_out_of_an_include(changes: dict[str, object]) -> None:
    with pytest.raises(Failed):
        site_include.server(Layout(), Contract({**CONTRACT, **changes}))
