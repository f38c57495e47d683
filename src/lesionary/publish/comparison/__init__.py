"""Tables and figures of agreement and evaluation: CSV, JSON and LaTeX; SVG and PNG."""
