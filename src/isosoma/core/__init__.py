"""The nouns: units, vocabulary, observations, models, evidence. Imports numpy at most.

One file a noun: import from it, ``from isosoma.core.observation import Observation``.
"""
