"""One dialog between a person and a bot: what happens to it and what follows.

`events` go in, `messages` come out, `state` is what is remembered between, `processor` is the pure
step from one to the next, and `manager` makes that step durable.
"""
