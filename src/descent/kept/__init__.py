"""What a build keeps of the work of former builds, by all that the work could see."""

from descent.kept.results import kept

__all__ = ["kept"]
