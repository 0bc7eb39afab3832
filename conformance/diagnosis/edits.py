"""What a list of alterations is made of: each makes, of one draft of a signature base, others that hold one mistake."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from conformance.diagnosis.draft import Draft, Surroundings
from conformance.diagnosis.form import Mistake

__all__ = ["Altered", "Edit", "Edits", "altered"]

Altered = tuple[Mistake, Draft]
Maker = Callable[[Draft, Surroundings], Iterable[Altered]]


@dataclass(frozen=True)
class Edit:
    """One kind of alteration.

    Args:
        rank: How rare it is: 0 for what is met often, 1 for what is met, 2 for what is looked for by itself alone.
        make: Gives the altered drafts, each with the mistake in it.
    """

    rank: int
    make: Maker


class Edits(list[Edit]):
    """A list of edits to which functions are added by their mark."""

    def __call__(self, rank: int) -> Callable[[Maker], Maker]:
        """The mark of a function that makes altered drafts of this rank."""

        def add(make: Maker) -> Maker:
            self.append(Edit(rank, make))
            return make

        return add


def altered(
    edits: Sequence[Edit], draft: Draft, around: Surroundings, *, most: int = 2
) -> Iterator[tuple[int, Altered]]:
    """The altered drafts of all edits, each with the rank of its edit.

    Args:
        edits: The edits.
        draft: What is altered.
        around: What is known besides.
        most: The highest rank that is wanted.
    """
    for edit in edits:
        if edit.rank <= most:
            for each in edit.make(draft, around):
                yield edit.rank, each
