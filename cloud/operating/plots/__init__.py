"""Plots as SVG and PNG, made here: the browser needs no library, and the page's colours apply by class."""
