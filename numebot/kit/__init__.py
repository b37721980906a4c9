"""STORY 4: the plugin author's kit: a new plugin, its check, switching it on, and replaying what it did.

Nothing here asks the network, and nothing here sends anything.
"""
