"""Disposable machines: real systemd, sshd, nftables and PostgreSQL, on a network that leads nowhere."""
