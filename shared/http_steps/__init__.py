"""The `http` action of a scenario, outside of the engine: a request goes out, what comes back is read."""
