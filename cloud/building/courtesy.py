"""What people say around a command and nobody writes into a template: politeness, fillers, a change of mind.

As sentence templates, with what each costs: how much less likely a sentence is with it, a negative natural logarithm.
"""

BEFORE = (
    "(please|um|uh|er|well|so|okay|ok|right|hey|hi|hello|just|now|now then)",
    "(can|could|would|will) you [please|just]",
    "(i want|i need|i would like|i'd like) you to",
    "(can|could) we",
)
"""Any number of these before a sentence."""

AFTER = (
    "(please|thanks|thank you|cheers|now|right now|will you|would you|could you|can you|for me|if you can)",
    "if you (don't|do not) mind",
    "(um|uh|er)",
)
"""Any number of these after it."""

CHANGE = (
    "(no|no wait|wait|sorry|no sorry|actually|i mean|scratch that|or rather|or better)"
    " [make (that|it)|(with|for|in|at|to)] [a|an|the]",
    "make (that|it) [a|an|the]",
)
"""A change of mind, after which a slot is said again."""

COURTESY_COST = 3.0
CHANGE_COST = 6.0
