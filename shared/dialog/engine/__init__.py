"""The engine in layers, each of which knows those before it: turn, values, speech, walk, answers, events.

All are one object, the turn that is being made: `Workspace` holds what it has come to so far, each layer
adds what can be done with it. `shared.dialog.processor` is the door.
"""
