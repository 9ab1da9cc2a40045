"""The queues between the Lambdas: what crosses them, putting in, taking out."""
