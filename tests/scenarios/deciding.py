"""What was tried on a machine to decide what it does: how it is done and undone, and which check names it."""

from __future__ import annotations

OLD_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBRlaOjEpEB6GtgJQ0bTid9DwaHqeIGMuASlpJitURUt"
LOAD = "systemctl restart nginx"
SIGNERS = "/etc/filae/allowed_signers"
UPSTREAM = "/etc/nginx/filae/upstream.conf"
RELEASE = "/opt/filae/releases/2.0.0"
DPKG = "/var/lib/dpkg/status"
SCRIPT = "/var/lib/dpkg/info/base-files.postinst"
# Of modules that nothing imports: Python itself would put them right.
MODULE = "/usr/lib/python3.13/__pycache__/pyclbr.cpython-313.pyc"
OTHER = "/usr/lib/python3.13/__pycache__/tabnanny.cpython-313.pyc"
SNAKEOIL = "/etc/ssl/certs/ssl-cert-snakeoil.pem"
PSQL = 'runuser -u postgres -- psql -qXAt -d filae -c "SET allow_system_table_mods = on" -c "{}" >/dev/null'
# Without a name of this run in its way: what waits in a session, and what runs from elsewhere.
LEFT = "systemd-run -q --collect --scope --unit=session-99 setsid"

# A comment that ends so hides nothing: neither PAM nor the C library joins it with the line that follows.
HIDDEN = "# local \\\\\\n"


def as_unpacked(package: str) -> str:
    """Return what gives all records of a package the time of what was put back."""
    return f"for f in /var/lib/dpkg/info/{package}.*; do touch -r $f $f; done"


# All at once: what each is, how it is undone, which check tells it, and what its message names.
DECIDING = {
    "a second signer": (
        f"cp -p {SIGNERS} /root/signers; echo 'x namespaces=\"filae-release\" {OLD_KEY}' >> {SIGNERS}",
        f"cp -p /root/signers {SIGNERS}", "placed-roles", SIGNERS,
    ),
    "the DSI as root": (
        "echo '%filae-dsi ALL=(ALL) NOPASSWD: ALL' > /etc/sudoers.d/90-dsi", "rm /etc/sudoers.d/90-dsi",
        "known-sudo", "/etc/sudoers.d/90-dsi",
    ),
    "a Match of sshd": (
        "printf 'Match Address 203.0.113.0/24\\n PermitRootLogin yes\\n PasswordAuthentication yes\\n' "
        "> /etc/ssh/sshd_config.d/zz.conf; systemctl reload ssh",
        "rm /etc/ssh/sshd_config.d/zz.conf; systemctl reload ssh", "known-ssh", "/etc/ssh/sshd_config.d/zz.conf",
    ),
    "PAM lets in": (
        "cp -p /etc/pam.d/common-auth /root/pam; sed -i '1i auth sufficient pam_permit.so' /etc/pam.d/common-auth",
        "cp -p /root/pam /etc/pam.d/common-auth", "known-pam", "/etc/pam.d/common-auth",
    ),
    "a command as root after a start": (
        "mkdir /etc/systemd/system/nginx.service.d; systemctl daemon-reload; "
        "printf '[Service]\\nExecStartPost=+/bin/true\\n' > /etc/systemd/system/nginx.service.d/x.conf",
        "rm -r /etc/systemd/system/nginx.service.d; systemctl daemon-reload",
        "known-services", "/etc/systemd/system/nginx.service.d/x.conf",
    ),
    "units that changed since": ("", "", "settings-read", "nginx.service"),
    "a unit that is attached": (
        "mkdir -p /run/systemd/system.attached; touch /run/systemd/system.attached/x.service",
        "rm -r /run/systemd/system.attached", "known-services", "/run/systemd/system.attached/x.service",
    ),
    "a job of root's": (
        "mkdir -p /etc/cron.d; echo '* * * * * root true' > /etc/cron.d/x", "rm -r /etc/cron.d",
        "known-schedules", "/etc/cron.d/x",
    ),
    "a hook of apt's": (
        "echo 'DPkg::Pre-Invoke { \"true\"; };' > /etc/apt/apt.conf.d/99x", "rm /etc/apt/apt.conf.d/99x",
        "known-apt", "/etc/apt/apt.conf.d/99x",
    ),
    "a server of nginx's": (
        f"cp -p {UPSTREAM} /root/upstream; echo 'server {{ listen 127.0.0.1:8099; root /etc; }}' >> {UPSTREAM}; {LOAD}",
        f"cp -p /root/upstream {UPSTREAM}; {LOAD}", "placed-agent", UPSTREAM,
    ),
    "another file of nginx's": (
        "touch /etc/nginx/conf.d/x.conf", "rm /etc/nginx/conf.d/x.conf",
        "known-web", "conf.d/x.conf",
    ),
    "a setting of the kernel's": (
        "echo net.ipv4.ip_forward=0 > /etc/sysctl.d/x.conf; sysctl -qw net.ipv4.ip_forward=1",
        "rm /etc/sysctl.d/x.conf; sysctl -qw net.ipv4.ip_forward=0", "known-kernel", "/etc/sysctl.d/x.conf",
    ),
    "a kernel that does not obey": ("", "", "settings-kernel", "net.ipv4.ip_forward = 1"),
    "a profile": ("touch /etc/profile.d/x.sh", "rm /etc/profile.d/x.sh", "known-shells", "/etc/profile.d/x.sh"),
    "a name": (
        "cp -p /etc/hosts /root/hosts; echo '127.0.0.9 mirror.example' >> /etc/hosts", "cp -p /root/hosts /etc/hosts",
        "known-network", "/etc/hosts",
    ),
    "a variable behind a comment": (
        f"cp -p /etc/environment /root/environment; printf '{HIDDEN}LD_BIND_NOW=1\\n' >> /etc/environment",
        "cp -p /root/environment /etc/environment", "known-shells", "/etc/environment",
    ),
    "a name server": (
        "cp -p /etc/resolv.conf /root/resolv; echo nameserver 203.0.113.66 >> /etc/resolv.conf",
        "cat /root/resolv > /etc/resolv.conf", "dns-servers", "203.0.113.66",
    ),
    "a table": ("nft add table inet mallory", "nft delete table inet mallory", "known-network", "inet mallory"),
    "a folder of libraries": (
        "echo /opt > /etc/ld.so.conf.d/x.conf", "rm /etc/ld.so.conf.d/x.conf", "known-programs",
        "/etc/ld.so.conf.d/x.conf",
    ),
    "code of every Python": (
        "touch /usr/lib/python3/dist-packages/x.pth", "rm /usr/lib/python3/dist-packages/x.pth",
        "known-programs", "x.pth",
    ),
    "a gem of every Ruby": (
        "mkdir -p /var/lib/gems/3.3.0/specifications; touch /var/lib/gems/3.3.0/specifications/json-99.gemspec",
        "rm -r /var/lib/gems/3.3.0/specifications", "known-programs", "json-99.gemspec",
    ),
    "a choice that no package offers": (
        "update-alternatives --quiet --install /usr/sbin/ls mallory /usr/bin/true 10",
        "update-alternatives --quiet --remove-all mallory", "known-programs", "/usr/sbin/ls",
    ),
    "a file that ucf was made to keep": (
        "touch /root/new; ucf /root/new /etc/mallory.conf; ucfr bash /etc/mallory.conf",
        "ucf --purge /etc/mallory.conf; ucfr --purge bash /etc/mallory.conf; rm /etc/mallory.conf",
        "known-settings", "/etc/mallory.conf",
    ),
    "an authority in another's place": (
        f"cp -p {SNAKEOIL} /root/snakeoil; openssl req -quiet -x509 -newkey rsa:2048 -nodes -keyout /dev/null "
        f"-subj /CN=x -addext basicConstraints=critical,CA:TRUE -out {SNAKEOIL}",
        f"cat /root/snakeoil > {SNAKEOIL}", "known-programs", SNAKEOIL,
    ),
    "a setuid shell": (
        "cp /bin/bash /usr/local/bin/x; chmod 4755 /usr/local/bin/x", "rm /usr/local/bin/x",
        "known-privileges", "/usr/local/bin/x (4755 root:root)",
    ),
    "an account": ("useradd mallory", "userdel mallory", "known-accounts", "mallory"),
    "another name of PostgreSQL's account": (
        "useradd -o -u $(id -u postgres) -s /usr/sbin/nologin mallet", "userdel --force mallet",
        "known-accounts", "mallet",
    ),
    "numbers that are lent to the application": (
        "echo filae:900000:65536 >> /etc/subuid", "sed -i /^filae:/d /etc/subuid", "known-settings", "/etc/subuid",
    ),
    "a list that is gone": ("mv /etc/shells /root/shells", "mv /root/shells /etc/shells", "known-pam", "/etc/shells"),
    "what waits in a session": (
        f"{LEFT} python3 -m http.server 8098 --bind 127.0.0.1 --directory /var/empty >/dev/null 2>&1 & "
        "until ss -Hltn | grep -q ':8098 '; do sleep 0.1; done",
        "systemctl stop session-99.scope", "known-sockets", "127.0.0.1:8098",
    ),
    "a program from elsewhere": (
        "cp /bin/sleep /var/tmp/x; "
        "systemd-run -q --collect --scope --unit=session-98 setsid /var/tmp/x 600 >/dev/null 2>&1 &",
        "systemctl stop session-98.scope; rm /var/tmp/x", "known-processes", "/var/tmp/x",
    ),
    "a variable of every service": (
        "systemctl set-environment MALLORY=1", "systemctl unset-environment MALLORY", "settings-environment", "MALLORY",
    ),
    "a package left half-way": (
        f"cp -p {DPKG} /root/status; sed -i '/^Package: logrotate$/,/^$/s/ok installed/ok half-configured/' {DPKG}",
        f"cp -p /root/status {DPKG}", "packages-whole", "logrotate",
    ),
    "a program of a package's": (
        "cp -p /usr/sbin/logrotate /root/logrotate; echo >> /usr/sbin/logrotate",
        "cp -p /root/logrotate /usr/sbin/logrotate", "packages-intact", "/usr/sbin/logrotate",
    ),
    "a folder of a package's that leads elsewhere": (
        "mv /etc/tmpfiles.d /var/lib/mallory; ln -s /var/lib/mallory /etc/tmpfiles.d",
        "rm /etc/tmpfiles.d; mv /var/lib/mallory /etc/tmpfiles.d", "packages-intact", "/etc/tmpfiles.d",
    ),
    "a link of a package's that leads elsewhere": (
        "ln -sfn true /usr/bin/sudoedit", f"ln -sfn sudo /usr/bin/sudoedit; {as_unpacked('sudo')}",
        "packages-intact", "/usr/bin/sudoedit",
    ),
    "a file in the place of a link": (
        "mv /usr/bin/uncompress /root/link; cp /bin/true /usr/bin/uncompress",
        f"rm /usr/bin/uncompress; mv /root/link /usr/bin/uncompress; {as_unpacked('gzip')}",
        "packages-intact", "/usr/bin/uncompress",
    ),
    "a program that a list was made to name": (
        "cp -p /var/lib/dpkg/info/gzip.list /root/list; touch /usr/bin/mallory; "
        "echo /usr/bin/mallory >> /var/lib/dpkg/info/gzip.list",
        "cp -p /root/list /var/lib/dpkg/info/gzip.list; rm /usr/bin/mallory", "packages-intact", "/usr/bin/mallory",
    ),
    "a script that dpkg runs": (
        f"cp -p {SCRIPT} /root/script; echo >> {SCRIPT}",
        f"cp -p /root/script {SCRIPT}; {as_unpacked('base-files')}", "packages-intact", SCRIPT,
    ),
    "byte code of a package's": (
        f"cp -p {MODULE} /root/code; cp -p {OTHER} {MODULE}", f"cp -p /root/code {MODULE}", "known-programs", MODULE,
    ),
    "a file that anybody may change": (
        "chmod 0666 /etc/profile", "chmod 0644 /etc/profile",
        "files-protected", "/etc/profile",
    ),
    "a program that a unit starts and all may change": (
        "mkdir /opt/mallory; cp /bin/true /opt/mallory/x; chmod 0777 /opt/mallory/x; "
        "printf '[Service]\\nExecStart=-/opt/mallory/x\\n' > /etc/systemd/system/mallory.service",
        "rm -r /opt/mallory /etc/systemd/system/mallory.service", "files-protected", "/opt/mallory/x",
    ),
    "a folder above others": ("chmod 0777 /srv", "chmod 0755 /srv", "files-protected", "/srv"),
    "a slot that keeps all of the log": (
        PSQL.format("SELECT pg_create_physical_replication_slot('mallory')"),
        PSQL.format("SELECT pg_drop_replication_slot('mallory')"), "db-contents", "slot mallory",
    ),
    "a function in the place of PostgreSQL's": (
        PSQL.format("CREATE FUNCTION pg_catalog.lower(varchar) RETURNS text LANGUAGE sql AS 'SELECT NULL::text'"),
        PSQL.format("DROP FUNCTION pg_catalog.lower(varchar)"), "db-contents", "function pg_catalog.lower",
    ),
    "a changed release": (
        f"cp -p {RELEASE}/Rakefile /root/Rakefile; echo >> {RELEASE}/Rakefile; touch {RELEASE}/x.rb",
        f"cp -p /root/Rakefile {RELEASE}/Rakefile; rm {RELEASE}/x.rb", "release-intact", "Rakefile",
    ),
    "an added file of the release": ("", "", "release-intact", "x.rb"),
}  # fmt: skip
