"""What every admin app shares: its door, its problems, its lists, and who may touch what."""
