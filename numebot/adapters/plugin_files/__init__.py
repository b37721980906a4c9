"""New plugin files from templates."""
