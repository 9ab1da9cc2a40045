"""One adapter per messenger, pure: bytes in, values out. The contract is in `base`."""
