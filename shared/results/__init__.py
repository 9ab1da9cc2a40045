"""What runs came to, as tables: their columns, and files of them made in the background."""
