"""Plots as inline SVG and pages that hold everything themselves: no script, no network, readable in light and dark."""
