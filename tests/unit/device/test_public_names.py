from types import ModuleType

import pytest

from fctry import device, serialport


@pytest.mark.parametrize(
    ("package", "names"),
    [
        (
            device,
            "Answer Chip Comparison Console Deadline Event FakeConsole Proof Report ReportedItem Wire compare connect",
        ),
        (serialport, "ROM_BAUD FoundPort find_ports is_connected only_port open_port port_at register"),
    ],
)
def test_public_names_are_these(package: ModuleType, names: str) -> None:
    """Others build on them: a name that goes or changes its meaning is a new major version."""
    assert package.__all__ == names.split()
    assert all(getattr(package, name) for name in package.__all__)


def test_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        device.nothing  # noqa: B018
