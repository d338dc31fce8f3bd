"""A folder a chapter: `numbers` computes, `pictures` draws, `sweeps` declares stored tables.

What a chapter needs beyond these three doors lies beside them under its own name.
"""
