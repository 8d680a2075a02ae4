"""What the checks of machine code share."""

import re

Instructions = list[tuple[int, str]]  # with their addresses


def innermost_loops(body: Instructions, jump: re.Pattern[str]) -> list[list[str]]:
    """What lies between a backward jump and its target, no such jump in between.

    `jump` matches a jump and captures its target.
    """
    loops = []
    last = 0  # address of the backward jump before
    for end, (address, instruction) in enumerate(body):
        found = jump.match(instruction)
        if not found or int(found[1], 16) > address:
            continue
        start = int(found[1], 16)
        if start > last:
            loops.append([text for at, text in body[: end + 1] if at >= start])
        last = address
    return loops
