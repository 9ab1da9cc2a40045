"""What runs have collected, brought to the account's main system."""
