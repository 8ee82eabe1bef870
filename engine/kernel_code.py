"""机器码: the loops of the fast matcher, compiled by numba and cached; plain arrays in, plain arrays out.

Rows are worked in blocks of BLOCK; a block's bit planes are planes[block, literal, 0 possible | 1 sure, word].
"""

from engine.kernel_compiled import BLOCK, WORDS
from engine.kernel_listing import count_hits, list_every, list_hits
from engine.kernel_planes import densities, fill_planes
from engine.kernel_values import amounts

__all__ = ["BLOCK", "WORDS", "amounts", "count_hits", "densities", "fill_planes", "list_every", "list_hits"]
