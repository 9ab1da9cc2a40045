"""The linter's parts, one subject each; `shared.scenario.linter` puts them together."""
