# ruff: noqa: E501 - tables: one case per row
"""Files that are refused, with the place and in which words: one case per row."""

from __future__ import annotations

import re

import pytest
from material.inventories import quick

from filae_ops.errors import OpsError

# case, file, text, its replacement, what the message says
FILES = [
    ("tab", "site.yml", "  name: chv-demo", "\tname: chv-demo", ["a tab where YAML wants spaces"]),
    ("duplicate", "site.yml", "  locale:", "  name: twice\n  locale:", ["duplicate key 'name'"]),
    ("unknown section", "tls.yml", "tls:", "tsl:", ["tls.yml:3:1: tsl: unknown key; did you mean 'tls'?"]),
    ("unknown key", "site.yml", "  locale:", "  local:", ["site.local: unknown key; did you mean 'locale'?", "site.locale: missing key"]),
    ("unknown nested", "access.yml", "          until:", "          untill:", ["access.operators.0.keys.0.untill", "did you mean 'until'"]),
    ("missing key", "site.yml", "  timezone: Europe/Paris\n", "", ["site.timezone: missing key", "add `timezone`"]),
    ("number for text", "hosts.yml", 'version: "13"', "version: 13", ["text is wanted, not 13: put quotes around it"]),
    ("text for number", "backup.yml", "interval_hours: 24", 'interval_hours: "24"', ["a whole number is wanted, not '24'"]),
    ("text for bool", "flows.yml", "inbound_internet: false", 'inbound_internet: "false"', ["true or false is wanted"]),
    ("number for bool", "hosts.yml", "guest_tools: true", "guest_tools: 1", ["true or false is wanted, not 1"]),
    ("text for mapping", "tls.yml", "  mode: local-ca", "  local-ca", ["tls: a mapping"]),
    ("text for list", "flows.yml", "[192.0.2.53, 2001:db8::53]\n  #", "192.0.2.53\n  #", ["network.dns_servers: a list"]),
    ("nothing for mapping", "tls.yml", "  mode: local-ca", "", ["tls: a mapping"]),
    ("base 60", "site.yml", 'start: "22:00"', "start: 22:00", ["text is wanted, not 1320: put quotes around it"]),
    ("choice", "site.yml", "environment: demo", "environment: prod", ["'production', 'preproduction'", "not 'prod'"]),
    ("impossible date", "access.yml", "until: 2027-06-30", "until: 2027-02-30", ["access.yml:12:", "'2027-02-30' is not a date that exists"]),
    ("impossible quoted date", "access.yml", "until: 2027-06-30", 'until: "2027-02-30"', ["access.yml:12:", "YYYY-MM-DD", "2027-02-30"]),
    ("french date", "access.yml", "until: 2027-06-30", "until: 30/06/2027", ["YYYY-MM-DD is wanted, not '30/06/2027'"]),
    ("number as date", "access.yml", "until: 2027-06-30", "until: 20270630", ["YYYY-MM-DD is wanted, not 20270630"]),
    ("no date", "access.yml", "until: 2027-06-30", "until:", ["access.operators.0.keys.0.until", "YYYY-MM-DD is wanted"]),
    ("alias", "site.yml", "site:", "a: &a [x, x]\nb: [*a, *a]\nsite:", ["anchors and aliases are refused"]),
    ("two documents", "site.yml", "site:", "---\nsite: {}\n---\nsite:", ["a second document"]),
    ("vault value", "app.yml", 'APP_LOCALE: "fr"', "APP_LOCALE: !vault |\n      $ANSIBLE_VAULT;1.1;AES256", ["app.yml:"]),
    ("unsafe", "app.yml", 'APP_LOCALE: "fr"', "APP_LOCALE: !unsafe fr", ["app.yml:"]),
    ("template", "site.yml", "name: chv-demo", "name: \"{{ lookup('pipe', 'id') }}\"", ["a template", "write the value itself"]),
    ("to fill in", "site.yml", "name: chv-demo", "name: a-renseigner", ["site.yml:5:3: site.name: still to fill in"]),
    ("secret in clear", "tls.yml", "tls:", "tls_key: x\ntls:", ["tls_key: a secret, in a file in clear", "secrets.yml"]),
    ("section twice", "tls.yml", "tls:", "hosting: {model: ght}\ntls:", ["already declared at", "hosting.yml:3"]),
    ("no machine", "hosts.yml", "  hosts:\n", "  hosts: {}\n  children:\n", ["unknown group 'filae-demo'"]),
    ("unknown group", "hosts.yml", "filae:", "filea:", ["unknown group 'filea'; did you mean 'filae'?"]),
    ("group variables", "hosts.yml", "filae:", "filae:\n  vars: {ansible_user: root}", ["filae.vars: unknown key"]),
    ("wrong group", "hosts.yml", "filae:", "all:", ["machines outside of the group filae"]),
    ("machine's name", "hosts.yml", "filae-demo:", "../../x:", ["hosts.../../x", "not of the wanted form"]),
    ("machine's range", "hosts.yml", "filae-demo:", '"web[01:03]":', ["hosts.web[01:03]", "not of the wanted form"]),
    ("host variable", "hosts.yml", "host_key:", "hostkey:", ["unknown key; did you mean 'host_key'?"]),
    ("password", "hosts.yml", "host_key:", "ansible_password: x\n      host_key:", ["declares ansible_host, ansible_port"]),
    ("host key off", "hosts.yml", "host_key:", "ansible_ssh_common_args: -o StrictHostKeyChecking=no\n      host_key:", ["declares ansible_host, ansible_port"]),
]  # fmt: skip


@pytest.mark.parametrize(("name", "old", "new", "said"), [row[1:] for row in FILES], ids=[row[0] for row in FILES])
def test_a_bad_file_is_refused_with_its_place(edit, site, name, old, new, said):
    path = edit(name, old, new)
    with pytest.raises(OpsError) as caught:
        quick(site)
    message = str(caught.value)
    assert f"{path}:" in message
    assert all(part in message for part in said), message
    assert "who acts: " in message
    assert "next: " in message


def test_every_problem_is_told_at_once(edit, site):
    edit("site.yml", "environment: demo", "environment: prod")
    edit("backup.yml", "interval_hours: 24", "interval_hours: no")
    with pytest.raises(OpsError) as caught:
        quick(site)
    assert len(caught.value.problems) == 2
    assert "2 problems" in str(caught.value)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"site:\n  name: caf\xe9\n", ":2:1: not UTF-8 (byte 0xe9)"),
        (b"# " + b"x" * (10 * 1024 * 1024), "larger than"),
        (b"[" * 100_000, "nested more than"),
        (b"- a\n- b\n", "a mapping"),
        (b"just words", "a mapping"),
        (b"site: [1, 2", "expected"),
        (b"site: \x00", "control character"),
        (b"1: x\n", "is not read as text"),
        (b"site: 2027-13-45\n", "is not a date that exists"),
        (b"site: !!python/object/apply:os.system [id]\n", "is a tag"),
    ],
    ids=["latin1", "10 MB", "deep", "list", "text", "open", "NUL", "number as key", "date", "python tag"],
)
@pytest.mark.parametrize("name", ["hosts.yml", "group_vars/all/site.yml", "group_vars/all/documents.yml"])
def test_a_hostile_file_is_refused_with_its_place(site, name, content, said):
    if (name, content[:5]) == ("hosts.yml", b"site:"):
        content = content.replace(b"site:", b"filae:", 1)
    (site / name).write_bytes(content)
    with pytest.raises(OpsError) as caught:
        quick(site)
    assert said in str(caught.value)
    assert f"{site / name}" in str(caught.value)


def runnable(hosts):
    hosts.write_text(f"#!/bin/sh\n{hosts.read_text()}")
    hosts.chmod(0o755)


PROGRAMS = {
    "an executable inventory": (lambda site: runnable(site / "hosts.yml"), "a program, by its first line"),
    "settings of Ansible": (lambda site: (site / "ansible.cfg").write_text("[defaults]\n"), "settings of Ansible"),
    "JSON": (lambda site: (site / "group_vars/all/x.yml").write_text('{"admin": {"mfa": true}}'), "takes it for JSON"),
    "a line break of its own": (
        lambda site: (site / "group_vars/all/x.yml").write_text("admin: {access_path: 'a\x85b'}"), "U+0085"),
}  # fmt: skip


@pytest.mark.parametrize("case", PROGRAMS)
def test_files_that_ansible_reads_otherwise_or_runs_are_refused(case, site):
    put, reason = PROGRAMS[case]
    put(site)
    with pytest.raises(OpsError, match=re.escape(reason)):
        quick(site)
