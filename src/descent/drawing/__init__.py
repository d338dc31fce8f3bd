"""Draw matplotlib figures as SVG that takes on the page's font and colours."""
