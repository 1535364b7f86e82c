"""What was tried on a machine to decide what it does: how it is done and undone, and which check names it."""

from __future__ import annotations

OLD_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBRlaOjEpEB6GtgJQ0bTid9DwaHqeIGMuASlpJitURUt"
LOAD = "systemctl restart nginx"
SIGNERS = "/etc/filae/allowed_signers"
UPSTREAM = "/etc/nginx/filae/upstream.conf"
RELEASE = "/opt/filae/releases/2.0.0"
DPKG = "/var/lib/dpkg/status"
SCRIPT = "/var/lib/dpkg/info/base-files.postinst"
LISTING = "/var/lib/dpkg/info/base-files.list"
# Of modules that nothing imports: Python itself would put them right.
MODULE = "/usr/lib/python3.13/__pycache__/pyclbr.cpython-313.pyc"
OTHER = "/usr/lib/python3.13/__pycache__/tabnanny.cpython-313.pyc"
# Without a name of this run in its way: what waits in a session, and what runs from elsewhere.
LEFT = "systemd-run -q --collect --scope --unit=session-99 setsid"

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
    "a table": ("nft add table inet mallory", "nft delete table inet mallory", "known-network", "inet mallory"),
    "a folder of libraries": (
        "echo /opt > /etc/ld.so.conf.d/x.conf", "rm /etc/ld.so.conf.d/x.conf", "known-programs",
        "/etc/ld.so.conf.d/x.conf",
    ),
    "code of every Python": (
        "touch /usr/lib/python3/dist-packages/x.pth", "rm /usr/lib/python3/dist-packages/x.pth",
        "known-programs", "x.pth",
    ),
    "a setuid shell": (
        "cp /bin/bash /usr/local/bin/x; chmod 4755 /usr/local/bin/x", "rm /usr/local/bin/x",
        "known-privileges", "/usr/local/bin/x (4755 root:root)",
    ),
    "an account": ("useradd mallory", "userdel mallory", "known-accounts", "mallory"),
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
    "a script that dpkg runs": (
        f"cp -p {SCRIPT} /root/script; echo >> {SCRIPT}",
        f"cp -p /root/script {SCRIPT}; touch -r {LISTING} {LISTING}", "packages-intact", SCRIPT,
    ),
    "byte code of a package's": (
        f"cp -p {MODULE} /root/code; cp -p {OTHER} {MODULE}", f"cp -p /root/code {MODULE}", "known-programs", MODULE,
    ),
    "a file that anybody may change": (
        "chmod 0666 /etc/profile", "chmod 0644 /etc/profile",
        "files-protected", "/etc/profile",
    ),
    "a changed release": (
        f"cp -p {RELEASE}/Rakefile /root/Rakefile; echo >> {RELEASE}/Rakefile; touch {RELEASE}/x.rb",
        f"cp -p /root/Rakefile {RELEASE}/Rakefile; rm {RELEASE}/x.rb", "release-intact", "Rakefile",
    ),
    "an added file of the release": ("", "", "release-intact", "x.rb"),
}  # fmt: skip
