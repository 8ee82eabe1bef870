"""A slow, plain, row-by-row interpreter of the rule language, for the tests only.

Written from the text of the language alone: it imports nothing of `engine/`, so that two independent
readings are compared. Exact fractions, one firm and one item at a time.
"""
