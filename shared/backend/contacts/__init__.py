"""A person's record in the account's main system, which scenarios read as `contact.*`."""
