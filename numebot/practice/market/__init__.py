"""The data of the practice tournament: made up from a seed, or a folder of real files."""
