"""parrotlet-cloud models and domains: a candidate in the shadow, before some boards, promoted, taken back."""

from cloud.changing.board_commands import boards
from cloud.changing.candidate_commands import candidate_group

models = candidate_group(
    "model",
    {
        "models": """
            Try other weights of Whisper beside those that serve, and change to them without fear.

            \b
            Example:
              parrotlet-cloud models shadow base --why "knows more languages"
              parrotlet-cloud models list
            """,
        "shadow": """
            Have weights hear what those that serve answer: after and below them, answering nobody.

            NAME is as `parrotlet-cloud engines` lists them, and must be fetched.

            \b
            Example:
              parrotlet-cloud models shadow base --why "knows more languages"
            """,
        "canary": """
            Have the candidate answer a share of the boards. It is returned by itself if it turns out to be worse.

            NAME is that of weights; without it, it is the one that is tried already, whose margins stay.

            \b
            Example:
              parrotlet-cloud models canary --share 0.2 --why "better in the shadow for a week"
            """,
        "promote": """
            Have the candidate serve from now on, if its gate lets it through.

            \b
            Example:
              parrotlet-cloud models promote --why "fewer errors, none of them new"
            """,
        "rollback": """
            Take back the last step: the candidate that is being tried, else the promotion.

            \b
            Example:
              parrotlet-cloud models rollback --why "it is slow in the evening"
            """,
        "list": """
            Tell which weights serve, which are tried, what their gate says, and how long it will take.

            \b
            Example:
              parrotlet-cloud models list --see 3
            """,
        "history": """
            Tell what was changed: when, by whom, why, and by which figures.

            \b
            Example:
              parrotlet-cloud models history
            """,
    },
)
models.add_command(boards)

domains = candidate_group(
    "domain",
    {
        "domains": """
            Try another version of a domain beside the one that serves, and change to it without fear.

            \b
            Example:
              parrotlet-cloud domains shadow ./next/coffee --why "the winter menu"
              parrotlet-cloud domains list
            """,
        "shadow": """
            Have a domain's next version understand what the one that serves answers, answering nobody.

            DIR is named like the domain, and is copied: what is edited in it afterwards is another candidate.

            \b
            Example:
              parrotlet-cloud domains shadow ./next/coffee --why "the winter menu"
            """,
        "canary": """
            Have a domain's candidate answer a share of the boards. It is returned by itself if it turns out to be
            worse.

            NAME is a domain whose candidate is in the shadow and keeps its margins; DIR is a new candidate.

            \b
            Example:
              parrotlet-cloud domains canary coffee --share 0.1 --why "better in the shadow"
            """,
        "promote": """
            Have a domain's candidate serve from now on, if its gate lets it through.

            \b
            Example:
              parrotlet-cloud domains promote coffee --why "the winter menu is on"
            """,
        "rollback": """
            Take back a domain's last step: the candidate that is being tried, else the promotion.

            \b
            Example:
              parrotlet-cloud domains rollback coffee --why "two drinks are missing"
            """,
        "list": """
            Tell which domains serve, which are tried, what their gate says, and how long it will take.

            \b
            Example:
              parrotlet-cloud domains list
            """,
        "history": """
            Tell what was changed: when, by whom, why, and by which figures.

            \b
            Example:
              parrotlet-cloud domains history coffee
            """,
    },
)
