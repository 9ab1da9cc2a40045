"""The messengers a bot is connected to, and the credentials for that."""
