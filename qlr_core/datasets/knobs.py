"""The knobs that the generated datasets share."""

from typing import Annotated

from qlr_core.ranges import Range, Scalar

# A size is a shape: another one compiles anew. 2,000 rows keep a step of a small network below a millisecond or so.
Size = Annotated[
    Scalar,
    Range(400.0, 40.0, 2000.0, "n", "Size", "How many rows there are: 60 % train, 20 % validate, 20 % test.",
          log=True, integer=True, minimum=20.0, maximum=2000.0),
]  # fmt: skip
