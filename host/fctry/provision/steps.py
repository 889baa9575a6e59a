"""Which steps a run takes."""

from __future__ import annotations

from collections.abc import Sequence

from fctry.provision.app import plan_app, write_app
from fctry.provision.identify import identify
from fctry.provision.identity import (
    check_label,
    choose_identity,
    plan_identity,
    recognise,
    record_flashed,
    record_proven,
)
from fctry.provision.prove import prove, start
from fctry.provision.run import Step
from fctry.provision.seal import SEALS
from fctry.provision.write import check_table, check_vacant, plan_table, plan_write, verify, write


def flash_steps(*, is_dry: bool = False) -> Sequence[Step]:
    """An image that is given, into a device that runs its application; or what that would write."""
    before = (identify, check_table, check_vacant)
    return (*before, plan_write) if is_dry else (*before, write, verify, start, prove)


def verify_steps() -> Sequence[Step]:
    """The same without those that write: what is there is compared."""
    return (identify, check_table, verify, start, prove)


def provision_steps(
    *, has_app: bool, has_tests: bool = False, has_label: bool = False, seal: str | None = None
) -> Sequence[Step]:
    """An identity of the ledger's for a device. `seal` is the project's setting."""
    app: tuple[Step, ...] = (write_app,) if has_app else ()
    tests: tuple[Step, ...] = ()
    if has_tests:
        from fctry.provision.product_tests import run_tests  # pytest is an extra

        tests = (run_tests,)
    label: tuple[Step, ...] = (check_label,) if has_label else ()
    # the ledger is told while the device boots
    writing = (check_table, choose_identity, write, verify, start, record_flashed)
    sealing: tuple[Step, ...] = (SEALS[seal],) if seal else ()
    return (identify, *app, *writing, prove, *tests, *label, *sealing, record_proven)


def plan_steps(*, has_app: bool) -> Sequence[Step]:
    """What `provision_steps` would do, without those that write."""
    app: tuple[Step, ...] = (plan_app,) if has_app else ()
    return (identify, *app, plan_table, plan_identity, plan_write)


def recognise_steps() -> Sequence[Step]:
    """That a device has the identity that the ledger gave it."""
    return (identify, check_table, recognise, start, prove)
