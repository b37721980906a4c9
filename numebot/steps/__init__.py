"""The steps of a round, one file each: predicting → submitting → confirming, and settling after the deadline."""
