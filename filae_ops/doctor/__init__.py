"""Go or no-go before anything is touched."""
