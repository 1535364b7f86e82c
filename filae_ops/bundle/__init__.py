"""Release bundles: the contract that an application states, building, signing and verifying."""
