"""The sheet that asks a DSI for the machine, and its cloud-init file."""
