"""Print what a shell needs to complete the commands of fctry, their options, and files.

In ~/.bashrc or ~/.zshrc: eval "$(fctry completion bash)", or zsh; in ~/.config/fish/config.fish:
fctry completion fish | source.

fctry completion bash
"""

from __future__ import annotations

from click.shell_completion import get_completion_class

from fctry.cli.arguments import Argument, Arguments, Choice

PARAMETERS = (
    Argument("shell", type=Choice(("bash", "zsh", "fish")), metavar="SHELL", help="bash, zsh or fish"),
)


def run(args: Arguments) -> int:
    from fctry.cli.main import COMPLETE_VARIABLE, root

    made = get_completion_class(args.shell)
    assert made  # click has the three
    source = made(root(), {}, "fctry", COMPLETE_VARIABLE).source()
    # click's script for fish ends what is said of a command or an option at its first comma
    print(source.replace('string split ","', 'string split --max 1 ","'))
    return 0
