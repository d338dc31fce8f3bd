"""The book's colours by name, and the names that keep one colour through the whole book.

The six hues stay apart for readers with any common colour blindness and on
white as on dark paper.  Neutral colours are shares of the page's ink: black
turns light in dark mode.
"""

BLUE, RED, GREEN = "#085ccd", "#e5610d", "#0da874"
GOLD, VIOLET, SKY = "#857735", "#9d3a96", "#6c9ab1"
GREY = "0.55"

#: The three worlds.
W, X, Y = BLUE, RED, GREEN

#: The two thermostats.
DUMB, SMART = RED, BLUE

#: What is known exactly, what was drawn at random, and what only guides the eye.
EXACT, SAMPLED, GUIDE = "black", GREY, "0.7"

#: Each colour under its name, for code that chooses by name.
COLOURS: dict[str, str] = {
    "blue": BLUE,
    "red": RED,
    "green": GREEN,
    "gold": GOLD,
    "violet": VIOLET,
    "sky": SKY,
    "W": W,
    "X": X,
    "Y": Y,
    "exact": EXACT,
    "Monte Carlo": SAMPLED,
    "guide": GUIDE,
}
