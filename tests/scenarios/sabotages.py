"""How a deployed machine is broken, how it is mended, and which checks turn red for it."""

from __future__ import annotations

import datetime as dt

OLD_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBRlaOjEpEB6GtgJQ0bTid9DwaHqeIGMuASlpJitURUt"
SERVER = "/etc/nginx/filae/server.conf"
KEEP = f"cp -p {SERVER} /root/server.conf"
# A reload returns before the workers from before are gone.
LOAD = "systemctl restart nginx"
BACK = f"cp -p /root/server.conf {SERVER} && {LOAD}"
WEAK = (
    "sed -i -e 's/TLSv1.2 TLSv1.3/TLSv1 TLSv1.1 TLSv1.2 TLSv1.3/' "
    f"-e 's/^ssl_ciphers .*/ssl_ciphers ALL:@SECLEVEL=0;/' {SERVER}"
)
NAME = "$(openssl x509 -noout -ext subjectAltName -in /etc/filae/tls/fullchain.pem | grep -o 'DNS:[^, ]*')"
SWAP = (
    "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 90 -subj /CN=swap "
    f"-addext subjectAltName={NAME} -keyout /root/swap.key -out /root/swap.pem 2>/dev/null && "
    "sed -i -e 's|ssl_certificate /etc.*|ssl_certificate /root/swap.pem;|' "
    f"-e 's|ssl_certificate_key .*|ssl_certificate_key /root/swap.key;|' {SERVER}"
)
# chronyd needs its four first answers, and asks again for a name that was not resolved after several seconds.
FOLLOWS = "chronyc waitsync 120 0 0 0.5"
UP = f"systemctl is-system-running --wait; systemctl start filae-web@blue.service; {FOLLOWS}"
LISTEN = "/etc/postgresql/17/main/conf.d/zz-open.conf"
RESTART = "systemctl restart postgresql@17-main"
OPENED = "/etc/systemd/system/filae-web@blue.service.d/zz-open.conf"
AGAIN = "systemctl daemon-reload; systemctl restart filae-web@blue.service"
HBA = "/etc/postgresql/17/main/pg_hba.conf"
AS_POSTGRES = "runuser -u postgres -- psql -XAtq -v ON_ERROR_STOP=1 -d filae"
STRANGE = f"""cp -p {HBA} /root/hba && sed -i '1i local all all trust' {HBA} && {AS_POSTGRES} <<'EOF'
ALTER ROLE filae SET search_path='public';
CREATE ROLE mallory;
GRANT pg_read_server_files TO mallory;
GRANT postgres TO filae;
ALTER SYSTEM SET log_min_messages='panic';
CREATE EXTENSION pg_trgm;
GRANT INSERT ON public.schema_migrations TO filae;
EOF"""
DECLARED = f"""cp -p /root/hba {HBA} && {AS_POSTGRES} <<'EOF'
ALTER ROLE filae RESET search_path;
DROP ROLE mallory;
REVOKE postgres FROM filae;
ALTER SYSTEM RESET log_min_messages;
DROP EXTENSION pg_trgm;
REVOKE INSERT ON public.schema_migrations FROM filae;
EOF"""
WEB = "filae-web@blue.socket filae-web@blue.service"

SABOTAGES = {
    "service stopped": (f"systemctl stop {WEB}", f"systemctl start {WEB}", {"app-units", "app-health", "app-probe"}),
    "port opened": (
        "systemd-run -q --unit=open-port python3 -m http.server 8080 --bind 0.0.0.0 --directory /var/empty; "
        "until ss -Hltn | grep -q ':8080 '; do sleep 0.1; done; "
        "nft insert rule inet filae input tcp dport 8080 accept",
        "systemctl stop open-port; systemctl reload filae-firewall",
        {"net-listening", "net-closed", "firewall-rules", "known-services", "known-sockets"},
    ),
    "weak TLS": (f"{KEEP}; {WEAK} && {LOAD}", BACK, {"tls-versions", "tls-suites", "placed-roles"}),
    "key readable": (
        "chmod 0644 /etc/filae/tls/key.pem",
        "chmod 0600 /etc/filae/tls/key.pem",
        {"files-secret", "secrets-files", "placed-roles"},
    ),
    "clock service off": (
        "systemctl stop chrony",
        f"systemctl start chrony; {FOLLOWS}",
        {"service-clock"},
    ),
    "certificate swapped": (
        f"{KEEP}; {SWAP} && {LOAD}",
        f"{BACK}; rm /root/swap.*",
        {"tls-installed", "tls-chain", "app-health", "app-page", "app-probe", "placed-roles"},
    ),
    "firewall flushed": ("nft delete table inet filae", "systemctl restart filae-firewall", {"firewall-rules"}),
    "root login opened": (
        "echo PermitRootLogin yes > /etc/ssh/sshd_config.d/0-open.conf && systemctl restart ssh",
        "rm /etc/ssh/sshd_config.d/0-open.conf && systemctl restart ssh",
        {"ssh-root", "known-ssh"},
    ),
    "database on 0.0.0.0": (
        f"echo \"listen_addresses = '0.0.0.0'\" > {LISTEN}; {RESTART}",
        f"rm {LISTEN}; {RESTART}",
        {"net-listening", "db-local", "db-settings", "known-database", "known-sockets"},
    ),
    "what nobody declared in the database": (
        STRANGE,
        DECLARED,
        {"db-access", "db-timeouts", "db-roles", "db-settings", "db-contents", "db-schema", "placed-roles"},
    ),
    "attachments not writable": (
        "chown root:root /srv/filae/files/attachments && chmod 0755 /srv/filae/files/attachments",
        "chown filae:filae /srv/filae/files/attachments && chmod 0750 /srv/filae/files/attachments",
        {"app-store", "app-probe", "app-health", "placed-agent"},
    ),
    # systemd's own measure of the exposure stays as it is.
    "sandbox opened": (
        f"printf '[Service]\\nReadOnlyPaths=\\nReadWritePaths=/etc/systemd\\n' > {OPENED}; {AGAIN}",
        f"rm {OPENED}; {AGAIN}",
        {"app-writes", "known-services"},
    ),
    "application held by less": (
        f"printf '[Service]\\nMemoryMax=infinity\\n' > {OPENED}; systemctl daemon-reload; "
        "systemd-run -q --unit=beside --uid=filae sleep 600",
        f"rm {OPENED}; systemctl daemon-reload; systemctl stop beside",
        {"app-isolation", "known-services"},
    ),
    "disk nearly full": (
        "fallocate -l $(( $(df --output=avail -B1 / | tail -1) - 1024 * 1024 * 1024 )) /var/full",
        "rm /var/full",
        {"disk-space"},
    ),
    "backup forgotten": (
        f"filaectl receipt --kind backup --at {dt.datetime.now(dt.UTC) - dt.timedelta(days=3):%Y-%m-%dT%H:%M:%S+00:00}",
        "rm /var/lib/filae-ops/receipts/backup.json",
        {"backup-receipt"},
    ),
    "sudoers stranger": (
        "echo 'mallory ALL=(ALL) NOPASSWD: ALL' > /etc/sudoers.d/mallory",
        "rm /etc/sudoers.d/mallory",
        {"access-sudo", "known-sudo"},
    ),
    "stranger's key": (
        f"echo '{OLD_KEY}' > /etc/ssh/authorized_keys.d/mallory",
        "rm /etc/ssh/authorized_keys.d/mallory",
        {"access-keys", "known-ssh"},
    ),
    "secret in the journal": (
        "logger < /etc/filae/secrets/secret_key_base; journalctl --sync",
        "journalctl --rotate --vacuum-time=1s",
        {"secrets-journal"},
    ),
}  # fmt: skip
