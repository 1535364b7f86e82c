"""The operators by the names that the register gives them."""

from __future__ import annotations

from collections.abc import Mapping

from filae_ops.judge.operators import comparisons, hosting, matrices, support
from filae_ops.judge.operators.comparisons import Operator
from filae_ops.register.model import Op

OPERATORS: Mapping[Op, Operator] = {
    "exists": comparisons.exists,
    "claimed": comparisons.claimed,
    "eq": comparisons.eq,
    "in": comparisons.is_in,
    "subset_of": comparisons.subset_of,
    "not_subset_of": comparisons.not_subset_of,
    "gte": comparisons.gte,
    "lte": comparisons.lte,
    "between": comparisons.between,
    "after": comparisons.after,
    "within_days": comparisons.within_days,
    "not_empty": comparisons.not_empty,
    "contains": comparisons.contains,
    "contains_all": comparisons.contains_all,
    "lte_field": comparisons.lte_field,
    "rpo_covers": comparisons.rpo_covers,
    "confirm": comparisons.confirm,
    "eq_or_certified": hosting.eq_or_certified,
    "covers": hosting.covers,
    "hds_covers": hosting.hds_covers,
    "in_catalogue": hosting.in_catalogue,
    "supported_at": support.supported_at,
    "supported_for_days": support.supported_for_days,
    "has_outbound": matrices.has_outbound,
    "outbound_described": matrices.outbound_described,
    "no_inbound_port": matrices.no_inbound_port,
    "certificate_days": support.certificate_days,
    "all_rows_owned": matrices.all_rows_owned,
}
ALONE = frozenset({"claimed", "hds_covers", "in_catalogue", "all_rows_owned"})
"""Operators that say themselves what a missing or a null value means."""
