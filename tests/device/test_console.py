"""What the firmware's console answers."""

import pytest

from fctry.device import compare
from fctry.pytest_plugin import FactoryDevice

from .identities import ARTICLE, NAMESPACE


def test_factory_reports_the_same_as_the_boot(factory_device: FactoryDevice, article_image: bytes) -> None:
    at_boot = factory_device.flash_factory(article_image)
    assert factory_device.ask("factory").report("fctry") == at_boot


def test_key_is_read_by_its_name(factory_device: FactoryDevice, article_image: bytes) -> None:
    factory_device.flash_factory(article_image)
    answer = factory_device.ask("factory-get serial_number")
    assert compare(ARTICLE[:1], answer.report("fctry")).is_proven


def test_key_that_is_not_there_is_an_error_by_name(
    factory_device: FactoryDevice, article_image: bytes
) -> None:
    factory_device.flash_factory(article_image)
    answer = factory_device.ask("factory-get other")
    assert answer.report("fctry").items == ()
    assert answer.report("fctry").codes == ("ESP_ERR_NVS_NOT_FOUND",)
    assert answer.result == "ESP_ERR_NVS_NOT_FOUND"


@pytest.mark.parametrize("kind", ["u8", "i64", "blob"])
def test_key_of_another_type_is_an_error_by_name(
    factory_device: FactoryDevice, article_image: bytes, kind: str
) -> None:
    factory_device.flash_factory(article_image)
    report = factory_device.ask(f"factory-get serial_number {kind}").report("fctry")
    assert report.items == ()
    assert report.codes == ("ESP_ERR_NVS_NOT_FOUND",)


def test_info_tells_the_partitions_of_the_layout(factory_device: FactoryDevice, article_image: bytes) -> None:
    factory_device.flash_factory(article_image)
    answer = factory_device.ask("info")
    assert [
        (event["label"], event["type"], event["subtype"], event["offset"], event["size"], event["readonly"])
        for event in answer.named("partition")
    ] == [
        (entry.name, entry.type, entry.subtype, entry.offset, entry.size_bytes, int(entry.readonly))
        for entry in factory_device.table
    ]


def test_info_tells_the_entries_of_both_partitions(
    factory_device: FactoryDevice, article_image: bytes
) -> None:
    factory_device.flash_factory(article_image)
    entries = {event["partition"]: event for event in factory_device.ask("info").named("entries")}
    assert entries.keys() == {"nvs", "fctry"}
    assert entries["fctry"]["used"] == 5  # the namespace, and a header and one entry of text for each key
    assert entries["fctry"]["total"] == 6 * 126


def test_command_that_does_not_exist_is_an_error_by_name(factory_device: FactoryDevice) -> None:
    assert factory_device.ask("nonsense").result == "ESP_ERR_NOT_FOUND"


@pytest.mark.parametrize("command", ["factory-get", "user-set key", "prove a b", "prove a b c str e"])
def test_command_with_too_few_or_many_arguments_is_an_error_by_name(
    factory_device: FactoryDevice, command: str
) -> None:
    assert factory_device.ask(command).result == "ESP_ERR_INVALID_ARG"


def test_restart_boots_the_application_again(factory_device: FactoryDevice, article_image: bytes) -> None:
    at_boot = factory_device.flash_factory(article_image)
    assert factory_device.ask("restart").result == "ESP_OK"
    factory_device.expect_event("boot")
    assert factory_device.report() == at_boot


@pytest.mark.not_on("linux", reason="ESP-IDF's linux target knows no reset reasons")
def test_restart_is_reported_as_software_reset(factory_device: FactoryDevice) -> None:
    factory_device.ask("restart")
    assert factory_device.expect_event("boot")["reset"] == "software"


def test_namespace_is_the_one_of_the_configuration(
    factory_device: FactoryDevice, article_image: bytes
) -> None:
    report = factory_device.flash_factory(article_image)
    assert {item.namespace for item in report.items} == {NAMESPACE}
