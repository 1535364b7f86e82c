"""What the roles write for sshd, nginx, sudo, apt, chrony and the signers."""

from __future__ import annotations

import re
import shlex
import subprocess

import pytest
from templates.rendering import ROLES, render

from filae_ops.writers.openssh import MANAGED

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAILxqI6i6DdOkDLWzysRd7QOg7yVx+MnTdKp2CvRk572J"
SSHD = {
    "PermitRootLogin": "no", "PasswordAuthentication": "no", "KbdInteractiveAuthentication": "no",
    "AuthenticationMethods": "publickey", "AllowGroups": "filae-operators filae-dsi", "AllowTcpForwarding": "no",
    "AllowStreamLocalForwarding": "no", "AllowAgentForwarding": "no", "X11Forwarding": "no", "PermitTunnel": "no",
    "AuthorizedKeysFile": "/etc/ssh/authorized_keys.d/%u", "HostKey": "/etc/ssh/ssh_host_ed25519_key",
    "PermitUserEnvironment": "no", "StrictModes": "yes", "MaxAuthTries": "3",
}  # fmt: skip


def test_sshd_lets_in_named_keys_and_nothing_else() -> None:
    lines = [line.split(None, 1) for line in render("access", "sshd.conf.j2").splitlines() if line[:1].isalpha()]
    settings = dict(lines)
    assert len(settings) == len(lines), "a setting is written twice: sshd keeps the first"
    assert {name: settings.get(name) for name in SSHD} == SSHD
    weak = re.compile(r"cbc|3des|arcfour|md5|sha1|umac-64|diffie-hellman-group(1|14|exchange)|ecdh-sha2-nist")
    for name in ("KexAlgorithms", "Ciphers", "MACs"):
        assert not weak.search(settings[name]), name


def test_signers_end_on_their_day_and_sign_bundles_only() -> None:
    signers = [{"name": "release", "key": f"{KEY} a comment", "until": "2027-06-30"}]
    assert render("agent", "allowed_signers.j2", agent_signers=signers).splitlines()[1:] == [
        f'release namespaces="filae-bundle@1",valid-before="20270701Z" {KEY}'
    ]


def test_operators_are_root_and_the_dsi_has_three_commands() -> None:
    assert "%filae-operators ALL=(ALL) NOPASSWD: ALL" in render("access", "sudoers.j2")
    text = render("agent", "sudoers.j2")
    assert re.findall(r"filaectl \^(\w+)", text) == ["status", "receipt", "maintenance"]
    assert all(pattern.endswith("$") for pattern in re.findall(r"filaectl (\^[^,\n]*?)(?:, \\)?$", text, re.M))


@pytest.mark.parametrize(("any_name", "catch_all"), [(False, True), (True, False)])
def test_nginx_serves_the_names_asked_for(any_name: bool, catch_all: bool) -> None:
    text = render("proxy", "server.conf.j2", proxy_names=["a.example", "b.example"], proxy_any_name=any_name)
    assert "server_name a.example b.example;" in text
    assert ("ssl_reject_handshake on;" in text) is catch_all
    assert text.count("default_server") == 4
    assert "ssl_protocols TLSv1.2 TLSv1.3;" in text
    assert f"return 301 https://{'$host' if any_name else 'a.example'}$request_uri;" in text
    assert r"location ~ /\.(?!well-known/) { return 404; }" in text


def test_nginx_logs_no_query_string() -> None:
    forms = re.findall("log_format .*", render("proxy", "nginx.conf.j2", proxy_relays=[]))
    assert len(forms) == 2
    assert not any(re.search(r"\$(request|request_uri|args|query_string|http_referer)\b", form) for form in forms)


def test_what_an_update_is_judged_by_is_nobody_s_address_and_nobody_s_word() -> None:
    text = render("proxy", "nginx.conf.j2", proxy_relays=[])
    (form,) = re.findall("log_format filae_outcome .*", text)
    fields = {"msec", "filae_client", "status", "upstream_status", "upstream_header_time", "upstream_addr"}
    assert set(re.findall(r"\$(\w+)", form)) == fields
    assert "$http_" not in text[text.index("$filae_network") :]
    assert "set_real_ip_from" not in text


def test_a_relay_is_believed_about_its_clients_and_nobody_else_is() -> None:
    text = render("proxy", "nginx.conf.j2", proxy_relays=["192.0.2.30", "2001:db8::30"])
    assert re.findall(r"set_real_ip_from (\S+);", text) == ["192.0.2.30", "2001:db8::30"]
    assert "real_ip_recursive on;" in text, "what a client wrote before the relay is not believed"
    assert "$realip_remote_addr $server_addr" in text, "a relay makes nobody the machine itself"


@pytest.mark.parametrize(("proxy", "lines"), [("", 0), ("http://proxy.example:3128", 2)])
def test_apt_takes_the_declared_proxy(proxy: str, lines: int) -> None:
    assert render("base", "proxy.conf.j2", base_proxy=proxy).count("Acquire::") == lines


@pytest.mark.parametrize(("time", "automatic"), [("", '"false"'), ("22:00", '"true"')])
def test_the_machine_restarts_by_itself_only_in_a_window(time: str, automatic: str) -> None:
    text = render("base", "unattended.conf.j2", base_reboot_time=time)
    assert f"Automatic-Reboot {automatic};" in text
    assert ("Automatic-Reboot-Time" in text) is bool(time)
    assert "-security,label=Debian-Security" in text


def test_chrony_asks_the_declared_servers_only() -> None:
    text = render("base", "chrony.conf.j2", base_time_sources=["192.0.2.1", "time.example"])
    asked = re.findall("^(?:server|pool|peer) .*", text, re.M)
    assert asked == ["server 192.0.2.1 iburst", "server time.example iburst"]


@pytest.mark.parametrize("name", sorted(str(path.relative_to(ROLES)) for path in ROLES.glob("*/templates/*.j2")))
def test_a_template_is_short_undated_and_says_who_manages_it(name: str) -> None:
    path = ROLES / name
    text = path.read_text()
    assert len(text.splitlines()) <= 100
    assert not re.search(r"now\(|ansible_date_time|strftime", text)
    if ".html" not in path.suffixes:
        assert MANAGED in "".join(text.splitlines(True)[:2])


@pytest.mark.parametrize("unit", ["filae-web@.service.j2", "filae-worker@.service.j2"])
def test_an_application_whose_database_is_away_is_never_given_up(unit: str) -> None:
    lines = render("app", unit).splitlines()
    assert "StartLimitIntervalSec=0" in lines
    assert "RestartMaxDelaySec=30" in lines
    assert "Restart=on-failure" in lines


def test_a_worker_s_stop_does_not_wait_for_ever_for_what_the_application_may_prevent() -> None:
    (line,) = re.findall(r"^ExecStop=\+(.*)$", render("app", "filae-worker@.service.j2"), re.M)
    with subprocess.Popen(["sleep", "60"]) as never_blocking:
        try:
            done = subprocess.run(shlex.split(line), env={"MAINPID": str(never_blocking.pid)}, timeout=30, check=False)
        finally:
            never_blocking.kill()
    assert done.returncode == 0
