"""The operators by the names that the register gives them."""

from __future__ import annotations

from collections.abc import Mapping

from filae_ops.judge import hosting, machine, operators
from filae_ops.judge.operators import Operator
from filae_ops.register.model import Op

OPERATORS: Mapping[Op, Operator] = {
    "exists": operators.exists,
    "claimed": operators.claimed,
    "eq": operators.eq,
    "in": operators.is_in,
    "subset_of": operators.subset_of,
    "not_subset_of": operators.not_subset_of,
    "gte": operators.gte,
    "lte": operators.lte,
    "between": operators.between,
    "after": operators.after,
    "within_days": operators.within_days,
    "not_empty": operators.not_empty,
    "contains": operators.contains,
    "contains_all": operators.contains_all,
    "lte_field": operators.lte_field,
    "rpo_covers": operators.rpo_covers,
    "confirm": operators.confirm,
    "eq_or_certified": hosting.eq_or_certified,
    "covers": hosting.covers,
    "hds_covers": hosting.hds_covers,
    "in_catalogue": hosting.in_catalogue,
    "supported_at": machine.supported_at,
    "supported_for_days": machine.supported_for_days,
    "has_outbound": machine.has_outbound,
    "outbound_described": machine.outbound_described,
    "no_inbound_port": machine.no_inbound_port,
    "certificate_days": machine.certificate_days,
    "all_rows_owned": machine.all_rows_owned,
}
ALONE = frozenset({"claimed", "hds_covers", "in_catalogue", "all_rows_owned"})
"""Operators that say themselves what a missing or a null value means."""
