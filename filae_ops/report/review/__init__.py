"""The review that a DSI signs."""
