"""The library of files: what scenarios show, and what people sent."""
