class RewardServerError(RuntimeError):
    """The server cannot be started or reached, or refused a request; never a property of a completion."""
