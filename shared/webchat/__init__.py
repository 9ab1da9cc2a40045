"""The web chat's own side: taking in what a page sends, listing what was said, and the page itself."""
