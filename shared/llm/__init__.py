"""Language models: who is asked and how, and what is made of what they say."""
