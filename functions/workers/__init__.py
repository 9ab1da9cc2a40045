"""Lambdas that queues invoke."""
