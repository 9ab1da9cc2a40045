"""The embedded run: the real template, deployed to an emulated AWS on this machine."""
