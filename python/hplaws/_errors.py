"""The one exception of its own that the package raises."""


class BackendError(RuntimeError):
    """A backend, instruction set or optional part that was asked for is not there.

    The message says how to get it.
    """
