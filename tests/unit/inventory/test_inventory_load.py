# ruff: noqa: E501 - tables: one case per row
"""What is refused, and in which words: one case per row."""

from __future__ import annotations

import shutil

import pytest
from inventory_material import quick

from filae_ops.errors import OpsError

# file, text, its replacement, what the message says; the line is that of the replacement's `@`, else not checked
FILES = [
    ("tab", "site.yml", "  name: chv-demo", "\tname: chv-demo", ["a tab where YAML wants spaces"]),
    ("duplicate", "site.yml", "  locale:", "  name: twice\n  locale:", ["duplicate key 'name'"]),
    ("unknown section", "tls.yml", "tls:", "tsl:", ["tls.yml:2:1: tsl: unknown key; did you mean 'tls'?"]),
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
    ("impossible date", "access.yml", "until: 2027-06-30", "until: 2027-02-30", ["access.yml:11:", "'2027-02-30' is not a date that exists"]),
    ("impossible quoted date", "access.yml", "until: 2027-06-30", 'until: "2027-02-30"', ["access.yml:11:", "YYYY-MM-DD", "2027-02-30"]),
    ("french date", "access.yml", "until: 2027-06-30", "until: 30/06/2027", ["YYYY-MM-DD is wanted, not '30/06/2027'"]),
    ("number as date", "access.yml", "until: 2027-06-30", "until: 20270630", ["YYYY-MM-DD is wanted, not 20270630"]),
    ("no date", "access.yml", "until: 2027-06-30", "until:", ["access.operators.0.keys.0.until", "YYYY-MM-DD is wanted"]),
    ("alias", "site.yml", "site:", "a: &a [x, x]\nb: [*a, *a]\nsite:", ["anchors and aliases are refused"]),
    ("two documents", "site.yml", "site:", "---\nsite: {}\n---\nsite:", ["a second document"]),
    ("vault value", "app.yml", 'APP_LOCALE: "fr"', "APP_LOCALE: !vault |\n      $ANSIBLE_VAULT;1.1;AES256", ["app.yml:"]),
    ("unsafe", "app.yml", 'APP_LOCALE: "fr"', "APP_LOCALE: !unsafe fr", ["app.yml:"]),
    ("template", "site.yml", "name: chv-demo", "name: \"{{ lookup('pipe', 'id') }}\"", ["a template", "write the value itself"]),
    ("to fill in", "site.yml", "name: chv-demo", "name: a-renseigner", ["site.yml:4:3: site.name: still to fill in"]),
    ("secret in clear", "tls.yml", "tls:", "tls_key: x\ntls:", ["tls_key: a secret, in a file in clear", "secrets.yml"]),
    ("section twice", "tls.yml", "tls:", "hosting: {model: ght}\ntls:", ["already declared at", "hosting.yml:2"]),
    ("no machine", "hosts.yml", "  hosts:\n", "  hosts: {}\n  children:\n", ["unknown group 'filae-demo'"]),
    ("unknown group", "hosts.yml", "filae:", "filea:", ["unknown group 'filea'; did you mean 'filae'?"]),
    ("group variables", "hosts.yml", "filae:", "filae:\n  vars: {ansible_user: root}", ["filae.vars: unknown key"]),
    ("wrong group", "hosts.yml", "filae:", "all:", ["machines outside of the group filae"]),
    ("machine's name", "hosts.yml", "filae-demo:", "../../x:", ["hosts.../../x", "not of the wanted form"]),
    ("machine's range", "hosts.yml", "filae-demo:", '"web[01:03]":', ["hosts.web[01:03]", "not of the wanted form"]),
    ("host variable", "hosts.yml", "host_key:", "hostkey:", ["unknown key; did you mean 'host_key'?"]),
    ("password", "hosts.yml", "host_key:", "ansible_password: x\n      host_key:", ["never in clear"]),
    ("host key off", "hosts.yml", "host_key:", "ansible_ssh_common_args: -o StrictHostKeyChecking=no\n      host_key:", ["pinned"]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "old", "new", "said"), [row[1:] for row in FILES], ids=[row[0] for row in FILES]
)
def test_a_bad_file_is_refused_with_its_place(edit, site, name, old, new, said):
    path = edit(name, old, new)
    with pytest.raises(OpsError) as caught:
        quick(site)
    message = str(caught.value)
    assert f"{path}:" in message
    assert all(part in message for part in said), message
    assert "who acts: " in message
    assert "next: " in message


VALUES = [
    ("root", "access.yml", "amartin", "root", "'root' is an account of the system", "provider"),
    ("toolkit's user", "access.yml", "amartin", "filae_migrate", "'filae_migrate' is an account", "provider"),
    ("capital", "access.yml", "amartin", "AMartin", "'AMartin' is not a Linux user name", "provider"),
    ("dot", "access.yml", "amartin", "a.martin", "'a.martin' is not a Linux user name", "provider"),
    ("long name", "access.yml", "amartin", "a" * 33, "is not a Linux user name", "provider"),
    ("same name", "access.yml", "bnguyen", "amartin", "the account 'amartin' is declared twice", "provider"),
    ("no key", "access.yml", "      keys:\n", "      state: present\n      keyz:\n", "unknown key", "provider"),
    ("network", "access.yml", "192.0.2.128/26", "192.0.2.300/26", "'192.0.2.300/26' is not a network", "dsi"),
    ("host bits", "access.yml", "192.0.2.128/26", "192.0.2.129/26", "write 192.0.2.128/26", "dsi"),
    ("everyone", "access.yml", "192.0.2.128/26", "0.0.0.0/0", "'0.0.0.0/0' is every address", "dsi"),
    ("public name is an address", "flows.yml", "filae.chv.example", "192.0.2.1", "not a full DNS name", "dsi"),
    ("public name with capitals", "flows.yml", "filae.chv.example", "Filae.chv.example", "not a full DNS name", "dsi"),
    ("public name alone", "flows.yml", "filae.chv.example", "filae", "not a full DNS name", "dsi"),
    ("public name with underscore", "flows.yml", "filae.chv.example", "fi_lae.chv.example", "full DNS name", "dsi"),
    ("proxy missing", "flows.yml", "  proxy: http://192.0.2.55:3128\n", "", "`proxy` is missing", "dsi"),
    ("proxy unused", "flows.yml", "outbound_internet: proxy", "outbound_internet: none", "proxy 'http", "dsi"),
    ("proxy with password", "flows.yml", "//192.0.2.55", "//u:secret@192.0.2.55", "a user or a password in it", "dsi"),
    ("proxy not a URL", "flows.yml", "http://192.0.2.55:3128", "192.0.2.55:3128", "is not an http(s) address", "provider"),
    ("name server by name", "flows.yml", "[192.0.2.53, ", "[dns.chv.example, ", "'dns.chv.example' is not an IP", "dsi"),
    ("time source", "flows.yml", "time_sources: [192.0.2.54]", "time_sources: [ntp_1]", "'ntp_1' is neither", "dsi"),
    ("flow id twice", "flows.yml", "id: dns-tcp", "id: dns-udp", "the flow 'dns-udp' is declared twice", "provider"),
    ("port 0", "flows.yml", "port: 443", "port: 0", "greater than or equal to 1, not 0", "provider"),
    ("port 70000", "flows.yml", "port: 443", "port: 70000", "less than or equal to 65535, not 70000", "provider"),
    ("port as text", "flows.yml", "port: 443", "port: https", "a whole number is wanted, not 'https'", "provider"),
    ("no port", "flows.yml", "    port: 443\n", "", "flow 'https': tcp needs a port", "provider"),
    ("port of icmp", "flows.yml", "proto: udp", "proto: icmp", "flow 'dns-udp': icmp takes no port", "provider"),
    ("inbound elsewhere", "flows.yml", "to: machine", "to: internet", "flow 'https' has direction 'in' but to is", "provider"),
    ("outbound from", "flows.yml", "from: machine", "from: internet", "flow 'dns-udp' has direction 'out'", "provider"),
    ("unknown zone", "flows.yml", "from: administration", "from: admin", "'admin' is neither a zone", "dsi"),
    ("zone in a list", "flows.yml", "from: administration", "from: [administration, 192.0.2.1]", "stands alone", "provider"),
    ("itself", "flows.yml", "from: administration", "from: machine", "from the machine to itself", "provider"),
    ("every address", "flows.yml", "from: administration", "from: 0.0.0.0/0", "may say `internet`", "dsi"),
    ("no ssh", "flows.yml", "port: 22\n", "port: 2222\n", "no inbound flow opens TCP 22", "provider"),
    ("no https", "flows.yml", "port: 443", "port: 8443", "no inbound flow opens TCP 443", "provider"),
    ("dns not open", "flows.yml", "dns_servers: [192.0.2.53, ", "dns_servers: [192.0.2.99, ", "udp 53 to 192.0.2.99", "provider"),
    ("mail not open", "flows.yml", "    port: 25\n\n", "    port: 587\n\n", "tcp 587 to 192.0.2.25", "provider"),
    ("address", "hosts.yml", "ansible_host: 192.0.2.10", "ansible_host: 192.0.2.300", "is neither an IP address", "dsi"),
    ("tools without hypervisor", "hosts.yml", "hypervisor: kvm", "hypervisor: none", "guest_tools is true but", "dsi"),
    ("no processor", "hosts.yml", "cpus: 2", "cpus: 0", "greater than or equal to 1, not 0", "provider"),
    ("unknown system", "hosts.yml", "id: debian", "id: gentoo", "is wanted, not 'gentoo'", "provider"),
    ("host without model", "hosting.yml", "model: internal_vendor_admin", "model: ght\n  host_id: x", "has no meaning with model ght", "dsi"),
    ("party", "governance.yml", "approval_owner: dsi", "approval_owner: umj", "is wanted, not 'umj'", "provider"),
    ("time zone", "site.yml", "Europe/Paris", "Europe/Valombre", "'Europe/Valombre' is not a time zone", "provider"),
    ("time zone path", "site.yml", "Europe/Paris", "../../etc/passwd", "is not a time zone", "provider"),
    ("locale", "site.yml", "fr_FR.UTF-8", "fr_FR@euro", "'fr_FR@euro' is not a UTF-8 locale", "provider"),
    ("hour", "site.yml", '"22:00"', '"24:00"', "'24:00' is not a time of day", "provider"),
    ("day", "site.yml", "[tue, thu]", "[mardi]", "is wanted, not 'mardi'", "provider"),
    ("no day", "site.yml", "[tue, thu]", "[]", "empty: at least one is wanted", "provider"),
    ("e-mail", "site.yml", "astreinte@prestataire.example", "astreinte", "'astreinte' is not an e-mail address", "provider"),
    ("window needed", "site.yml", "  maintenance_window:\n    days: [tue, thu]\n    start: \"22:00\"\n    minutes: 120\n", "", "site.maintenance_window is missing", "dsi"),
    ("setting's name", "app.yml", "APP_LOCALE:", "app-locale:", "setting 'app-locale' is not a variable's name", "provider"),
    ("setting of ours", "app.yml", "APP_LOCALE:", "DATABASE_URL:", "is set by the toolkit", "provider"),
    ("setting's secret", "app.yml", "APP_LOCALE:", "SMTP_PASSWORD:", "looks like a secret", "provider"),
    ("setting's number", "app.yml", 'APP_LOCALE: "fr"', "APP_LOCALE: 5", "text is wanted, not 5", "provider"),
    ("setting's lines", "app.yml", 'APP_LOCALE: "fr"', 'APP_LOCALE: "a\\nb"', "has a line break", "provider"),
    ("no signer", "app.yml", "  signers:\n", "  signers: []\n  other:\n", "empty: at least one is wanted", "provider"),
    ("backup kind", "backup.yml", "database, machine_snapshot]", "tapes]", "is wanted, not 'tapes'", "provider"),
    ("backup kind twice", "backup.yml", "database, machine_snapshot]", "files]", "the kind 'files' is listed twice", "dsi"),
    ("interval", "backup.yml", "interval_hours: 24", "interval_hours: 0", "greater than or equal to 1", "provider"),
    ("mirror alone", "patching.yml", "patching:", "patching:\n  mirror: {url: http://m.example}", "security_url: missing key", "provider"),
    ("certificate out", "tls.yml", "mode: local-ca", "{mode: provided, certificate: ../x, chain: c, root: r}", "'../x' leaves", "provider"),
    ("certificate absolute", "tls.yml", "mode: local-ca", "{mode: provided, certificate: /x, chain: c, root: r}", "'/x' leaves", "provider"),
    ("no chain", "tls.yml", "mode: local-ca", "{mode: provided, certificate: c, root: r}", "mode `provided` needs `chain`", "provider"),
    ("no certificate file", "tls.yml", "mode: local-ca", "{mode: provided, certificate: c, chain: c, root: r}", "'c': no such file", "dsi"),
    ("local CA with root", "tls.yml", "mode: local-ca", "{mode: local-ca, root: r}", "`root` has no meaning", "provider"),
    ("local CA in production", "site.yml", "environment: demo", "environment: production", "mode 'local-ca' in production", "provider"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "old", "new", "said", "owner"), [row[1:] for row in VALUES], ids=[row[0] for row in VALUES]
)
def test_a_bad_value_is_refused_with_its_owner(edit, site, name, old, new, said, owner):
    path = edit(name, old, new)
    with pytest.raises(OpsError) as caught:
        quick(site)
    problem = next(p for p in caught.value.problems if said in str(p))
    assert problem.owner == owner
    assert problem.next_step
    assert problem.where.startswith(f"{path}:") or said.startswith(
        ("mode 'local-ca'", "site.maintenance_window")
    )


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
@pytest.mark.parametrize("name", ["hosts.yml", "group_vars/all/site.yml"])
def test_a_hostile_file_is_refused_with_its_place(site, name, content, said):
    if (name, content[:5]) == ("hosts.yml", b"site:"):
        content = content.replace(b"site:", b"filae:", 1)
    (site / name).write_bytes(content)
    with pytest.raises(OpsError) as caught:
        quick(site)
    assert said in str(caught.value)
    assert f"{site / name}" in str(caught.value)


PATHS = [
    ("missing", lambda site: site / "nowhere", "no inventory at", "init"),
    ("missing hosts.yml", lambda site: site.parent / "no" / "hosts.yml", "no inventory at", "init"),
    (
        "another file",
        lambda site: site / "group_vars/all/site.yml",
        "is not an inventory",
        "give a directory",
    ),
]


@pytest.mark.parametrize(("path", "said", "step"), [row[1:] for row in PATHS], ids=[row[0] for row in PATHS])
def test_a_path_that_is_no_inventory(site, path, said, step):
    with pytest.raises(OpsError, match=said) as caught:
        quick(path(site))
    assert step in caught.value.next_step


def test_an_empty_directory(tmp_path):
    with pytest.raises(OpsError, match="is empty") as caught:
        quick(tmp_path)
    assert caught.value.next_step == f"filae-ops init {tmp_path} --hosting MODEL"


@pytest.mark.parametrize(
    ("gone", "said"), [("hosts.yml", "has no hosts.yml"), ("group_vars", "has no group_vars/all")]
)
def test_a_part_is_missing(site, gone, said):
    path = site / gone
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    with pytest.raises(OpsError, match=said):
        quick(site)


@pytest.mark.parametrize(
    "content", ["", "# nothing\n", "filae:\n", "filae:\n  hosts:\n", "filae: {hosts: {}}\n", "{}\n"]
)
def test_no_machine(site, content):
    (site / "hosts.yml").write_text(content)
    with pytest.raises(OpsError, match="no machine in the group filae"):
        quick(site)


@pytest.mark.parametrize(
    "stray",
    ["host_vars/filae-demo.yml", "group_vars/filae.yml", "group_vars/all/more.yaml", "group_vars/all/more.json",
     "group_vars/all/more", "group_vars/all/sub/x.yml", "group_vars/filae/x.yml"],
)  # fmt: skip
def test_what_only_ansible_would_read_is_refused(site, stray):
    (site / stray).parent.mkdir(exist_ok=True)
    (site / stray).write_text("site: {}\n")
    with pytest.raises(OpsError, match="Ansible reads this"):
        quick(site)


@pytest.mark.parametrize("stray", ["group_vars/all/.site.yml.swp", "group_vars/all/site.yml~", "README.md"])
def test_what_nobody_reads_is_let_alone(site, stray):
    (site / stray).write_text("{")
    assert quick(site).site.name == "chv-demo"


def test_a_whole_section_missing_names_it(site):
    (site / "group_vars/all/backup.yml").unlink()
    with pytest.raises(OpsError, match=r"backup\.yml: backup: missing key"):
        quick(site)


def test_secrets_in_clear(edit, site):
    secrets = site / "secrets.yml"
    secrets.write_text("app_secrets: {smtp: x}\n")
    secrets.chmod(0o644)
    with pytest.raises(OpsError, match="other users can read it") as caught:
        quick(site)
    assert caught.value.next_step == f"chmod 600 {secrets}"
    secrets.chmod(0o600)
    assert quick(site).site.environment == "demo"


def test_secrets_in_clear_in_production(production):
    secrets = production / "secrets.yml"
    secrets.write_text("tls_key: x\n")
    secrets.chmod(0o600)
    with pytest.raises(OpsError, match=r"is not encrypted, and site.environment is production") as caught:
        quick(production)
    assert "ansible-vault encrypt" in caught.value.next_step
    secrets.write_text("$ANSIBLE_VAULT;1.1;AES256\n3132\n")
    secrets.chmod(0o644)
    assert quick(production).production


def test_the_demo_key_in_production(production):
    app = production / "group_vars/all/app.yml"
    app.write_text(app.read_text().replace("name: release", "name: demo"))
    with pytest.raises(OpsError, match="the demonstration key 'demo' in production"):
        quick(production)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("-----BEGIN PRIVATE KEY-----\nx\n", "holds a private key"),
        ("hello", "is not a certificate in PEM"),
        ("", "is not a certificate in PEM"),
        (None, "leaves the inventory by a link"),
    ],
)
def test_a_bad_certificate_file(production, content, said):
    path = production / "tls/chain.pem"
    path.unlink()
    path.symlink_to("/etc/hostname") if content is None else path.write_text(content)
    with pytest.raises(OpsError, match=said) as caught:
        quick(production)
    assert caught.value.owner == "dsi"


@pytest.fixture
def production(edit, site):
    edit("site.yml", "environment: demo", "environment: production")
    edit("app.yml", "name: demo", "name: release")
    edit(
        "tls.yml",
        "mode: local-ca",
        "{mode: provided, certificate: tls/a.pem, chain: tls/chain.pem, root: tls/r.pem}",
    )
    (site / "tls").mkdir()
    for name in ("a", "chain", "r"):
        (site / f"tls/{name}.pem").write_text("-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----\n")
    return site


def test_the_fingerprint_follows_the_files(edit, site):
    before = quick(site).fingerprint
    assert quick(site / "hosts.yml").fingerprint == before
    edit("backup.yml", "interval_hours: 24", "interval_hours: 12")
    assert quick(site).fingerprint != before
