"""What every Lambda of Parley is made of; the subpackages carry the meaning."""
