"""Machines from afar: SSH with pinned keys, the agent asked, a rollout over several sites."""
