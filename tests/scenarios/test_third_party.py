"""The release contract is not tied to one application: Redmine, which knows nothing of us, states it and runs.

Its source comes from Debian's package, unpacked on a bare machine; the target never has that package.
"""

from __future__ import annotations

import json
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from apps import merge
from sites import Site, say

from filae_ops.bundle.build import build
from filae_ops.lab import fleet, lifecycle
from filae_ops.lab.machine import Machine
from filae_ops.lab.machine_inventory import release_key

pytestmark = pytest.mark.long

MATERIAL = Path(__file__).parents[1] / "third_party/redmine"
RUNNER = """cd /opt/filae/current && runuser -u filae -- env RAILS_ENV=production BUNDLE_FROZEN=true \
BUNDLE_WITHOUT=development:test BUNDLE_GEMFILE=Gemfile BUNDLE_USER_HOME=/tmp/bundle SECRET_KEY_BASE=unused \
DATABASE_URL='postgresql:///filae?host=/run/postgresql' bin/rails runner /tmp/script.rb"""
LATER = {
    "version": "6.0.6",
    "min_from": "6.0.5",
    "migrate": {"schema_version": "20260901120000"},
    "health": {"version": {"header": "X-App-Version"}},
}
NOTHING_OPTIONAL = {
    "config.ru": 'run ->(_) { [200, { "content-type" => "text/plain" }, ["there\\n"]] }\n',
    "release.yml": """name: bare
version: 9.0.0
ruby: "3.3"
gems: debian
processes: {web: [puma, --bind-to-activated-sockets, only]}
health: {path: /up}
memory: 64M
""",
}


def through(machine: Machine, line: str, data: bytes | None = None) -> bytes:
    """Run a shell line as root on a machine, with bytes in and bytes out."""
    argv = lifecycle.ssh_argv(machine, [f"sudo sh -c {shlex.quote(line)}"])
    done = subprocess.run(argv, input=data or b"", capture_output=True, timeout=600)
    assert done.returncode == 0, done.stderr.decode(errors="replace")[-2000:]
    return done.stdout


@pytest.fixture(scope="module")
def source(lab: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Redmine's source, made on a machine of its own, which has what an author's has."""
    workshop = fleet.up("workshop", say=say)
    packed = subprocess.run(["tar", "-C", str(MATERIAL), "-c", "."], capture_output=True, check=True).stdout
    through(workshop, "mkdir /root/material && tar -x -C /root/material", packed)
    through(workshop, "sh /root/material/make_source.sh /root/material/overlay /root/source")
    tree = tmp_path_factory.mktemp("redmine")
    made = through(workshop, "tar -C /root/source -c .")
    subprocess.run(["tar", "-x", "--no-same-owner", "-C", str(tree)], input=made, check=True)
    lifecycle.remove(workshop)
    return tree


@pytest.fixture(scope="module")
def releases(source: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Signed bundles: Redmine, a later version of it, and an application that states nothing optional."""
    output, key = tmp_path_factory.mktemp("bundles"), release_key(lifecycle.lab_id())
    later, bare = tmp_path_factory.mktemp("later") / "tree", tmp_path_factory.mktemp("bare")
    shutil.copytree(source, later)
    shutil.copytree(MATERIAL / "versions/6.0.6", later, dirs_exist_ok=True)
    contract = yaml.safe_load((later / "release.yml").read_text())
    (later / "release.yml").write_text(yaml.safe_dump(merge(contract, LATER), sort_keys=False))
    for name, text in NOTHING_OPTIONAL.items():
        (bare / name).write_text(text)
    trees = {"first": source, "later": later, "bare": bare}
    return {name: build(tree, output, key).bundle for name, tree in trees.items()}


@pytest.fixture(scope="module")
def site(releases: dict[str, Path]) -> Iterator[Site]:
    """A machine of its own, on which Redmine was deployed."""
    site = Site(fleet.up("redmine", say=say))
    first = site.ops("provision", "--bootstrap-user", "root", "--user", "lab", "--json", timeout=900)
    assert first.returncode == 0, first.stderr
    deployed = site.ops("deploy", str(releases["first"]), "--json", timeout=900)
    assert deployed.returncode == 0, deployed.stderr
    yield site
    lifecycle.remove(site.machine)


def verdicts(site: Site) -> dict[str, str]:
    """Verify, with no check failed, and return each check's status."""
    answer = site.ops("verify", "--json")
    found = {check["id"]: check for check in json.loads(answer.stdout)["checks"]}
    assert [check for check in found.values() if check["status"] == "fail"] == []
    return {name: check["status"] for name, check in found.items()}


def observed(site: Site) -> dict[str, dict[str, str]]:
    checks: dict[str, dict[str, str]] = json.loads(site.run("filaectl observe --json").stdout)["checks"]
    return checks


def test_deployed_verified_and_provisioned_again(site: Site) -> None:
    assert site.run("dpkg -s redmine; test -e /usr/share/redmine").returncode != 0
    found = verdicts(site)
    proved = ("app-health", "app-probe", "app-schema", "app-store", "app-attachments")
    assert {found[name] for name in proved} == {"pass"}
    assert found["app-version"] == "not_run", "its page does not say its version, so nothing proves it"
    again = json.loads(site.ops("provision", "--json").stdout)
    assert (again["ok"], again["changed"]) == (True, 0)


def test_front_door(site: Site) -> None:
    """Assets by nginx, one of each protective header, no file of the tree beside the client's."""
    ask = f"--resolve {site.machine.public_name}:443:127.0.0.1 --cacert /etc/filae/tls/served-ca.pem -s"
    site.run("command -v curl || apt-get -qq install -y --no-install-recommends curl", timeout=120)
    url = f"https://{site.machine.public_name}"
    page = site.run(f"curl {ask} -i {url}/login").stdout
    for name in ("x-frame-options", "referrer-policy", "x-content-type-options", "strict-transport-security"):
        assert page.lower().count(f"\n{name}:") == 1, name
    asset = page[page.index("/assets/application-") :].split('"')[0]
    assert "last-modified" in site.run(f"curl {ask} -i {url}{asset}").stdout.split("\n\n")[0].lower()
    for path in ("/assets/.manifest.json", "/config/database.yml", "/Gemfile.lock", "/.env"):
        assert site.run(f"curl {ask} -o /dev/null -w '%{{http_code}}' {url}{path}").stdout == "404", path
    assert "https://" in site.run(f"curl {ask} -i {url}/my/page").stdout.lower().split("location: ")[1]


def test_update_keeps_attachments(site: Site, releases: dict[str, Path]) -> None:
    through(site.machine, "cat > /tmp/script.rb", (MATERIAL / "keep_attachment.rb").read_bytes())
    kept = site.run(RUNNER, timeout=120)
    assert kept.returncode == 0, kept.stderr
    update = site.ops("deploy", str(releases["later"]), timeout=900)
    assert update.returncode == 0, update.stderr
    found = observed(site)
    assert (found["files_check"]["status"], found["files_check"]["message"][:2]) == ("pass", "1 ")
    assert found["version"]["status"] == "pass"
    assert verdicts(site)["app-version"] == "pass"


def test_logs_are_clean(site: Site) -> None:
    """Nothing was refused to it by the sandbox, and nothing complained but what we asked for in vain."""
    logs = site.run(
        "journalctl --namespace=+filae -b -o cat -u 'filae-web@*' -u 'filae-run-*' -u 'filae-timer@*'"
    ).stdout
    for word in ("EROFS", "EACCES", "EPERM", "Read-only file system", "Permission denied", "Operation not permitted"):
        assert word not in logs
    assert site.run("journalctl --namespace=+filae -b -q -p err -o cat -u 'filae-*'").stdout == ""
    prune = site.run("systemctl start filae-timer@prune.service", timeout=120)
    assert prune.returncode == 0, prune.stderr
    assert "[error]" not in site.run("cat /var/log/nginx/error.log").stdout


def test_nothing_optional(site: Site, releases: dict[str, Path]) -> None:
    """What is not stated is not run, with the reason, and nothing else is asked of an application."""
    deployed = site.ops("deploy", str(releases["bare"]), timeout=300)
    assert deployed.returncode == 0, deployed.stderr
    found = verdicts(site)
    names = {"app-version", "app-probe", "app-schema", "app-store", "app-attachments"}
    assert {found[name] for name in names} == {"not_run"}
    assert found["app-health"] == "pass"
    assert all("states no" in check["message"] for name, check in observed(site).items() if name != "health")
