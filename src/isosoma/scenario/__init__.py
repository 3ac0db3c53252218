"""Treatments rehearsed on a twin before one is chosen: acts in time, options side by side, what may
go wrong with each, and an answer that says what it rests on.
"""
