"""Transactions: the journal, the plan, the lock, and the engine that chooses forward or back."""
