"""The account's side of Parley: who its people are, and what they may do."""
