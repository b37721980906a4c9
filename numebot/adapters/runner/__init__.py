"""Runs plugins in processes of their own; whatever they do there becomes a PluginError here.

The doors are `runner` (needs pandas) and `nursery` (needs nothing, so that its libraries may load first of all).
"""
