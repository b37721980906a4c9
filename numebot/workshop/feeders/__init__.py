"""Training rows on their way into a library, in batches and without a copy of the whole."""
