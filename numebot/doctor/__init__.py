"""STORY 5: the doctor: what on this machine keeps rounds from being played, and what to do about it.

Each module looks after one part and holds small functions from facts to points. Nothing is changed, nothing is sent.
"""
