"""The flows of a standard site, in words that a DSI reads."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from filae_ops.agent.system.host_name import is_address
from filae_ops.inventory.types.choices import TO_FILL
from filae_ops.inventory.writing.answers import Answers

_CLEAR = "aucun"
Line = dict[str, Any]


def standard_flows(answers: Answers) -> list[Line]:
    """Return the flows that the answers call for, inbound first."""
    lines = [*_inbound(answers), *_outbound(answers), *map(dict, answers.more_flows)]
    approval = dict(zip(("approved_by", "approved_on"), answers.flows_approved or (), strict=False))
    return [line | approval for line in lines]


def _inbound(answers: Answers) -> Iterator[Line]:
    yield _flow(
        ("https", "Accès des utilisateurs à Filaé", "in", answers.users, "tcp", 443),
        ("TLS 1.2 ou 1.3", "certificat du serveur ; compte de l'utilisateur", "dossiers", "dsi"),
        "usage de l'application",
    )
    yield _flow(
        ("http", "Renvoi vers HTTPS", "in", answers.users, "tcp", 80),
        (_CLEAR, _CLEAR, "aucune : simple renvoi", "dsi"),
        "adresse saisie sans https",
    )
    yield _flow(
        ("ssh", "Administration par le prestataire", "in", ("administration",), "tcp", 22),
        ("SSH 2", "clé nominative à date de fin ; clé d'hôte connue", "administration", "provider"),
        "maintien en condition opérationnelle",
    )


def _outbound(answers: Answers) -> Iterator[Line]:
    for proto in ("udp", "tcp"):
        yield _flow(
            (f"dns-{proto}", "Résolution de noms", "out", answers.dns_servers, proto, 53),
            (_CLEAR, _CLEAR, "noms des services appelés", "dsi"),
            "relais de messagerie, temps et paquets désignés par leur nom",
        )
    yield _flow(
        ("ntp", "Mise à l'heure", "out", _addresses(answers.time_sources, answers.time_to), "udp", 123),
        (_CLEAR, _CLEAR, "heure", "dsi"),
        "traces et certificats exigent une heure juste",
    )
    yield from _packages(answers)
    if answers.mail:
        mail = answers.mail
        yield _flow(
            ("mail", "Envoi de courriels", "out", _addresses((mail.host,), mail.to), "tcp", mail.port),
            (
                "TLS si le relais le propose",
                "adresse de la machine",
                "notifications sans donnée de santé",
                "dsi",
            ),
            "notifications de l'application et alertes",
        )


def _packages(answers: Answers) -> Iterator[Line]:
    words = ("aucun ; paquets signés", "signature du dépôt", "paquets du système", "dsi")
    why = "correctifs de sécurité"
    if answers.mirror_url:
        urls = [url for url in (answers.mirror_url, answers.mirror_security_url) if url]
        to = _addresses(tuple(dict.fromkeys(map(_host, urls))), answers.mirror_to)
        ports = sorted(set(map(_port, urls)))
        yield _flow(("packages", "Miroir de paquets de l'hôpital", "out", to, "tcp", ports), words, why)
    if answers.proxy:
        to = _addresses((_host(answers.proxy),), answers.proxy_to)
        yield _flow(("proxy", "Mandataire sortant", "out", to, "tcp", _port(answers.proxy)), words, why)
    if not (answers.mirror_url or answers.proxy):
        peer = ("internet",) if answers.outbound_internet == "direct" else (TO_FILL,)
        yield _flow(("packages", "Paquets du système", "out", peer, "tcp", [80, 443]), words, why)


def _flow(ends: tuple[str, str, str, tuple[str, ...], str, Any], words: tuple[str, ...], why: str) -> Line:
    name, description, direction, peer, proto, port = ends
    source, to = (peer, ("machine",)) if direction == "in" else (("machine",), peer)
    line = {"id": name, "description": description, "direction": direction, "proto": proto, "port": port}
    line |= dict(zip(("encryption", "authentication", "data", "owner"), words, strict=True))
    return line | {"source": _one(source), "to": _one(to), "justification": why}


def _one(peer: tuple[str, ...]) -> str | tuple[str, ...]:
    return peer[0] if peer in (("machine",), ("administration",), ("internet",), (TO_FILL,)) else peer


def _addresses(names: tuple[str, ...], given: tuple[str, ...]) -> tuple[str, ...]:
    """Return addresses for a rule: those given, else the names when they are addresses."""
    return given or (names if all(map(is_address, names)) else (TO_FILL,))


def _host(url: str) -> str:
    return urlsplit(url).hostname or TO_FILL


def _port(url: str) -> int:
    parts = urlsplit(url)
    return parts.port or (443 if parts.scheme == "https" else 80)
