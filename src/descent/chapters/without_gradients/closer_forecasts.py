"""Chapter 10: what was expected of three closer looks at the race, written before their runs.

Ten seeds and not five choose the settings on the networks. Grids whose best setting stands at an
end are moved beyond it. COCO's functions come in five instances and not in two.
"""

FORMER = {"keep": [3, 8], "drop": [5, 6, 9, 10, 16]}
"""The verdicts by the former tables; the other lines were open."""

TEN_SEEDS = (
    "With ten seeds at most a quarter of the choices on the networks are other ones than with five.",
    "Each of these others is a neighbour of the former choice: one option differs, by one step.",
    "With ten seeds the lines that are kept are the same two, and at most one other line gets "
    "another verdict.",
)
MOVED = (
    "Of the choices that stand at an end, at least half stand inside their grid once it is moved.",
    "With the moved grids the lines that are kept are the same, and at most two other lines get "
    "another verdict.",
    "A method that takes a setting of the moved grid ends lower than before, beyond chance, on at "
    "most a third of the problems that it is set for.",
    "On COCO's functions no method moves by more than three points with its moved grid.",
    "CMA-ES, the library's, does not take a wider first spread than before.",
)
INSTANCES = (
    "With five instances no method's share of the targets is more than two points from that with "
    "two.",
    "The best of the list on COCO is the same with five instances as with two.",
    "COCO still overturns the same two lines, 7 and 19, and no other.",
    "By the interval over functions and instances Nelder and Mead's simplex cannot be told from "
    "CMA-ES as documented.",
    "By that interval the plainest walk cannot be told from random search.",
    "By that interval more than half of the listed methods cannot be told from the method that they "
    "are judged against.",
)
