"""What the agent stands on: paths, settings, durable writes, other programs, versions, the maintenance window."""
