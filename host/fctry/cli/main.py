"""Entry point: finds the sub-command, imports only that one, and turns errors into text and an exit code."""

from __future__ import annotations

import errno
import io
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from types import ModuleType
from typing import Any

import rich_click as click
from click.exceptions import Exit, NoArgsIsHelpError

from fctry import cli
from fctry.cli.arguments import Arguments, Option
from fctry.cli.text import escaped
from fctry.errors import FctryError

EXIT_DONE, EXIT_FAILED, EXIT_USAGE = 0, 1, 2
ERRORS_SHOWN_MAX = 20
OUTPUT_ERRORS = (errno.EPIPE, errno.ENOSPC, errno.EIO, errno.EFBIG)
COMPLETE_VARIABLE = "_FCTRY_COMPLETE"  # says that a shell wants to complete a line
EXIT_INTERRUPTED, EXIT_BROKEN_PIPE = 130, 141  # as a shell has them for SIGINT and SIGPIPE
SETTINGS = {
    "help_option_names": ["-h", "--help"],
    "rich_help_config": {
        "text_paragraph_linebreaks": "\n\n",
        "commands_before_options": True,
        "default_string": "(default: {})",  # as help texts say it of what is found out
        "style_option_default": "",
    },
}


class Group(click.RichGroup):
    """The commands of a package, of which each is imported when it is to run; until then, its line of help."""

    def __init__(self, name: str, package: ModuleType) -> None:
        headings: dict[str, dict[str, str]] = package.COMMANDS
        super().__init__(
            name=name,
            commands=[
                click.RichCommand(name=name, help=line)
                for lines in headings.values()
                for name, line in lines.items()
            ],
            panels=[click.RichCommandPanel(heading, list(lines)) for heading, lines in headings.items()],
            context_settings=SETTINGS,
            help=_text(package),
            epilog=_examples(package),
        )
        self._package = package.__name__

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names in the package's order."""
        return list(self.commands)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Import the command that the arguments begin with."""
        name, line, rest = super().resolve_command(ctx, args)
        return name, line and _command(self._package, line.name or ""), rest


def _command(package: str, name: str) -> click.RichCommand:
    """The command in a module: what PARAMETERS it takes, and what it does in run(args) -> exit code."""
    module = import_module(f"{package}.{name.replace('-', '_')}")
    if hasattr(module, "COMMANDS"):
        return Group(name, module)
    return click.RichCommand(
        name=name,
        params=list(module.PARAMETERS),
        panels=[  # before the others
            click.RichOptionPanel("Arguments", column_types=["required", "opt_long", "help"]),
            click.RichOptionPanel("Options"),
        ],
        callback=lambda **given: _run(module, Arguments(**given)),
        help=_text(module),
        epilog=_examples(module),
        **getattr(module, "PARSING", {}),
    )


def _run(module: ModuleType, args: Arguments) -> int:
    """Run a command. An error is told; its exit code is the module's own where 1 would say that a device failed."""
    try:
        return int(module.run(args))
    except FctryError as error:
        _tell((error, *error.also))
        return int(getattr(module, "EXIT_NOT_TRIED", EXIT_FAILED))


def _text(module: ModuleType) -> str:
    return (module.__doc__ or "").partition("\n\nfctry ")[0]


def _examples(module: ModuleType) -> str:
    """What follows the text, from the line on that begins with `fctry`: it stands below the options."""
    _, _, rest = (module.__doc__ or "").partition("\n\nfctry ")
    return "\n\n".join(f"$ {line}" for line in f"fctry {rest}".splitlines()) if rest else ""


def root() -> Group:
    """The command `fctry`."""
    group = Group("fctry", cli)
    flag: dict[str, Any] = {
        "is_flag": True,
        "is_eager": True,
        "expose_value": False,
        "callback": _say_version,
    }
    group.params.append(Option("--version", "-V", help="Show the version and exit.", **flag))
    return group


def _say_version(ctx: click.Context, _: click.Parameter, is_wanted: bool) -> None:
    if is_wanted and not ctx.resilient_parsing:
        from importlib.metadata import version  # costs more than most commands

        click.echo(f"fctry {version('fctry')}")
        ctx.exit()


def main(argv: Sequence[str] | None = None) -> int:
    """Run `fctry ARGV…`. Returns 0 (done), 1 (failed) or 2 (usage)."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a terminal that does not know a character gets a `?`
    try:
        if instruction := os.environ.get(COMPLETE_VARIABLE):
            from click.shell_completion import shell_complete

            return shell_complete(root(), {}, "fctry", COMPLETE_VARIABLE, instruction)
        with root().make_context("fctry", sys.argv[1:] if argv is None else list(argv)) as context:
            code = int(context.command.invoke(context))
        sys.stdout.flush()
        return code
    except Exit as end:  # help was asked for, or the version
        return end.exit_code
    except NoArgsIsHelpError as error:
        print(error.format_message(), file=sys.stderr)
        return EXIT_USAGE
    except click.UsageError as error:
        print(f"error: {escaped(error.format_message())}", file=sys.stderr)
        print(f"hint: {error.ctx.command_path if error.ctx else 'fctry'} --help", file=sys.stderr)
        return EXIT_USAGE
    except (KeyboardInterrupt, click.Abort):
        return EXIT_INTERRUPTED
    except OSError as error:
        if error.errno not in OUTPUT_ERRORS:
            raise
        # so that the flush at exit does not fail too
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if isinstance(error, BrokenPipeError):  # the reader has seen enough: `fctry … | head`
            return EXIT_BROKEN_PIPE
        print(f"error: cannot write the output: {error.strerror}", file=sys.stderr)
        return EXIT_FAILED


def _tell(errors: Sequence[FctryError]) -> None:
    for one in errors[:ERRORS_SHOWN_MAX]:
        print(f"error: {escaped(str(one))}", file=sys.stderr)
        if one.hint:
            print(f"hint: {escaped(one.hint)}", file=sys.stderr)
    if len(errors) > ERRORS_SHOWN_MAX:
        print(f"and {len(errors) - ERRORS_SHOWN_MAX} more errors", file=sys.stderr)
