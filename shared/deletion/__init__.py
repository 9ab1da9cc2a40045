"""What is left of deleted bots and dialogs, removed step by step.

Nothing is noted down. Each step goes by what is still there, and doing it again does no harm: so a removal
may be broken off anywhere, and is simply begun again. What leads to other things goes after them.
"""
