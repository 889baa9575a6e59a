"""What is refused before anything is written, and a whole run without a board."""

import pytest

from fctry.device import Console, Deadline, FakeConsole
from fctry.errors import CapacityError, InputError
from fctry.nvs import Item, ItemType
from fctry.nvs.item import with_secrets
from fctry.partitions.table import Partition, PartitionTable
from fctry.project import check_partition
from fctry.provision import check_fits, read_proof

FACTORY = Partition("fctry", 1, 2, 0x10000, 0x3000)


def test_image_larger_than_the_partition_is_refused() -> None:
    with pytest.raises(CapacityError, match="0x4000 bytes, the partition 'fctry' 0x3000") as caught:
        check_fits(bytes(0x4000), Partition("fctry", 1, 2, 0x10000, 0x3000))
    assert "--size 0x3000" in caught.value.hint


def test_partition_that_is_not_nvs_is_refused_with_those_that_are() -> None:
    app, nvs_keys = Partition("factory", 0, 0, 0x20000, 0x1000), Partition("keys", 1, 4, 0x21000, 0x1000)
    factory = Partition("fctry", 1, 2, 0x10000, 0x3000)
    table = PartitionTable((factory, app, nvs_keys), file="partitions.csv")
    check_partition(table, factory)
    for other in (app, nvs_keys):
        with pytest.raises(InputError, match=f"`{other.name}` is not of type data, nvs") as caught:
            check_partition(table, other)
        assert caught.value.hint.endswith(": fctry")
        assert caught.value.file == "partitions.csv"


def test_firmware_that_has_all_is_proven_public_or_secret() -> None:
    items = with_secrets(
        [
            Item("fctryNamespace", "serial", ItemType.STR, "1"),
            Item("calibration", "offset", ItemType.BLOB, b"\0\1"),
            Item("secrets", "password", ItemType.STR, "correct horse"),
        ]
    )
    heard = []
    proof = read_proof(Console(FakeConsole(items), heard.append), items, FACTORY, Deadline.after(1))
    assert proof.is_proven
    assert [(row.is_secret, row.is_accepted) for row in proof.comparisons] == [
        (False, None),
        (False, True),
        (True, True),
    ]
    assert "correct horse" not in "".join(heard) + repr(proof) + repr(items)
