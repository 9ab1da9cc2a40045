"""The one door every messenger comes through: API Gateway's event in, its answer out, events queued."""
