"""The nouns: units, vocabulary, observations, models, evidence. Imports numpy at most."""
