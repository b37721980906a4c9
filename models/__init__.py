"""Model plugins: one file = one plugin = one class, named in model_configs.csv."""
