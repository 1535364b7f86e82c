# ruff: noqa: E501 - tables: one case per row
"""Values that are refused, and who answers for each: one case per row."""

from __future__ import annotations

import pytest
from material.inventories import quick

from filae_ops.errors import OpsError

# case, file, text, its replacement, what the message says, who acts
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
    ("relay on the machine", "flows.yml", "outbound_internet: ", "reverse_proxy: {addresses: ['::1']}\n  outbound_internet: ", "the relay's address ::1 is a loopback address", "dsi"),
    ("relay by network", "flows.yml", "outbound_internet: ", "reverse_proxy: {addresses: [192.0.2.0/24]}\n  outbound_internet: ", "'192.0.2.0/24' is not an IP", "dsi"),
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
    ("a variable in a path", "hosts.yml", 'version: "13"', 'version: "13"\n          extended_support: {name: x, contract: "evidence/$HOME.pdf"}', "holds a `$`", "provider"),
    ("this computer", "hosts.yml", "    filae-demo:", "    localhost:", "'localhost' stands for something else", "provider"),
    ("everything", "hosts.yml", "    filae-demo:", "    all:", "'all' stands for something else", "provider"),
    ("a scope", "hosts.yml", "ansible_host: 192.0.2.10", "ansible_host: fe80::1%eth0", "is neither an IP address", "dsi"),
    ("an option for an account", "hosts.yml", "      host_key:", "      ansible_user: -oProxyCommand\n      host_key:", "is not the name of an account", "provider"),
    ("a token in a key's path", "hosts.yml", "      host_key:", "      ansible_ssh_private_key_file: ~/%h\n      host_key:", "is not a path of letters", "provider"),
    ("a directive in a proxy", "flows.yml", "http://192.0.2.55:3128", "'http://a:3128/\";APT::Update::Pre-Invoke{\"x\"};//'", "not an http(s) address", "provider"),
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
    ("wait's name", "app.yml", "  signers:\n", "  timings: {soaking: 3}\n  signers:\n", "unknown key", "provider"),
    ("wait of none", "app.yml", "  signers:\n", "  timings: {start: 0}\n  signers:\n", "greater than 0", "provider"),
    ("wait of days", "app.yml", "  signers:\n", "  timings: {soak: 90000}\n  signers:\n", "86400", "provider"),
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
    assert problem.where.startswith(f"{path}:") or said.startswith(("mode 'local-ca'", "site.maintenance_window"))
