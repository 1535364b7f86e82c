"""Where everything lies on the machine; tests give another root."""

from __future__ import annotations

from pathlib import Path

AGENT = "/usr/local/sbin/filaectl"
TRANSACTION = "filae-transaction"
RECOVER = "filae-recover.service"
RECOVERER = "filae-recoverer.service"
COLOURS = ("blue", "green")
APP_USER, MIGRATE_USER = "filae", "filae_migrate"
DOOR_GROUP = "filae-door"  # who may connect to a colour's socket: nginx, and the probe
LOGS = "filae"  # journald's namespace for what the application writes
SLICE = "filae.slice"


class Layout:
    """The paths of one machine."""

    def __init__(self, root: Path = Path("/")) -> None:
        self.root = root
        self.releases = root / "opt/filae/releases"
        self.current = root / "opt/filae/current"
        self.files = root / "srv/filae/files"
        self.home = root / "srv/filae"
        self.scratch = root / "var/cache/filae"
        self.etc = root / "etc/filae"
        self.secrets = self.etc / "secrets"
        self.colours = self.etc / "colours"
        self.settings = self.etc / "settings.json"
        self.agent_config = self.etc / "agent.json"
        self.signers = self.etc / "allowed_signers"
        self.units = root / "etc/systemd/system"
        self.nginx = root / "etc/nginx/filae"
        self.outcomes = root / "var/log/nginx/filae-outcome.log"
        self.run = root / "run/filae"
        self.private = root / "run/filae-ops"
        self.state = root / "var/lib/filae-ops"
        self.journal = self.state / "journal.jsonl"
        self.incoming = self.state / "incoming"
        self.safety = self.state / "safety"
        self.receipts = self.state / "receipts"
        self.requests = self.state / "transactions"
        self.maintenance = self.state / "maintenance.json"
        self.closed_page = root / "var/www/filae/maintenance/page.html"
        self.setup_done = self.state / "setup-done"

    def release(self, version: str) -> Path:
        """Return the directory of a release."""
        return self.releases / version

    def socket(self, colour: str) -> Path:
        """Return the socket on which a colour answers."""
        return self.run / f"web-{colour}.sock"

    def colour_file(self, colour: str) -> Path:
        """Return the file that says which version a colour runs."""
        return self.colours / colour
