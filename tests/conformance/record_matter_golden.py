"""Record what esp-matter-mfg-tool makes, for tests without it: it pins older versions of what the tests use.

    python -m venv TOOL && TOOL/bin/pip install esp-matter-mfg-tool==1.0.29
    TOOL/bin/python tests/conformance/record_matter_golden.py

writes tests/data/matter/codes.json: verifiers, QR payloads and manual codes by its modules `spake2p` and
`generate_setup_payload`, of random devices; factory.json and factory.bin: the values of one device, and the image that
the command makes of them, with certificates that are for nothing else.
"""

from __future__ import annotations

import base64
import csv
import json
import random
import subprocess
import sys
import tempfile
from datetime import datetime, timezone
from importlib.metadata import version
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

DATA = Path(__file__).parents[1] / "data" / "matter"
TOOL = "esp-matter-mfg-tool"
SEED, DEVICES = 15, 40
VENDOR_ID_OID = "1.3.6.1.4.1.37244.2.1"
COMMAND = (
    "-v 0xFFF1 -p 0x8001 --vendor-name Example --product-name Lamp --hw-ver 1 --hw-ver-str v1 --mfg-date 2026-03-09"
    " --serial-num SN0000001G --rd-id-uid 00112233445566778899aabbccddeeff --enable-rotating-device-id"
    " --product-finish matte --product-color red --part-number PN1 --product-label Lamp"
    " --product-url https://example.com/ --passcode 20202021 --discriminator 3840 --pai -c pai.pem -k pai.key"
    " -cd cd.der --outdir out --no-secure-cert-bin -s 0x3000"
)


def record_codes() -> None:
    import deps
    import sources.mfg_tool  # noqa: F401 puts the folder of its modules on the path

    sys.path.insert(0, str(Path(deps.__file__).parent))
    from generate_setup_payload import CommissioningFlow, SetupPayload
    from spake2p import INVALID_PASSCODES, generate_verifier

    draw = random.Random(SEED)
    devices = []
    for _ in range(DEVICES):
        salt, iterations = draw.randbytes(draw.randint(16, 32)), draw.choice((1_000, 1_001, 2_345))
        passcode, discriminator = draw.randint(1, 99_999_998), draw.randrange(1 << 12)
        ids = draw.randint(1, 0xFFF4), draw.randint(1, 0xFFFF)
        flow, discovery = draw.randrange(3), draw.randrange(2, 64, 2)
        payload = SetupPayload(discriminator, passcode, discovery, CommissioningFlow(flow), *ids)
        devices.append(
            {
                "vendor_id": ids[0],
                "product_id": ids[1],
                "flow": flow,
                "discovery": discovery,
                "passcode": passcode,
                "discriminator": discriminator,
                "salt": salt.hex(),
                "iterations": iterations,
                "verifier": generate_verifier(passcode, salt, iterations).hex(),
                "payload": payload.generate_qrcode(),
                "manual_code": payload.generate_manualcode(),
            }
        )
    record = {"tool": TOOL, "version": version(TOOL), "forbidden": INVALID_PASSCODES, "devices": devices}
    (DATA / "codes.json").write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


def record_image() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_pai(folder)
        (folder / "cd.der").write_bytes(b"no declaration")
        command = [str(Path(sys.executable).parent / TOOL), *COMMAND.split()]
        subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL)
        (rows,) = folder.glob("out/*/*/internal/partition.csv")
        (image,) = folder.glob("out/*/*/*-partition.bin")
        (codes,) = folder.glob("out/*/*/*-onb_codes.csv")
        values = [
            [row["key"], row["encoding"], content(row, folder)]
            for row in csv.DictReader(rows.open(encoding="utf-8"))
            if row["type"] != "namespace"
        ]
        said = next(csv.DictReader(codes.open(encoding="utf-8")))
        record = {"tool": TOOL, "version": version(TOOL), "command": COMMAND, "codes": said, "values": values}
        (DATA / "factory.json").write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
        (DATA / "factory.bin").write_bytes(image.read_bytes())


def content(row: dict[str, str], folder: Path) -> str:
    """The value of a row; that of a file in base64."""
    if row["type"] != "file":
        return row["value"]
    return base64.b64encode((folder / row["value"]).read_bytes()).decode()


def write_pai(folder: Path) -> None:
    """An intermediate that signs itself, as the tool wants it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name(
        [
            x509.NameAttribute(x509.NameOID.COMMON_NAME, "Test PAI"),
            x509.NameAttribute(x509.ObjectIdentifier(VENDOR_ID_OID), "FFF1"),
        ]
    )
    usage = x509.KeyUsage(True, False, False, False, False, True, True, False, False)
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(datetime(2026, 1, 1, tzinfo=timezone.utc))
        .not_valid_after(datetime(9999, 12, 31, 23, 59, 59, tzinfo=timezone.utc))
        .add_extension(x509.BasicConstraints(True, 0), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key()), critical=False)
    )
    pem, plain = serialization.Encoding.PEM, serialization.NoEncryption()
    (folder / "pai.pem").write_bytes(builder.sign(key, hashes.SHA256()).public_bytes(pem))
    (folder / "pai.key").write_bytes(key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain))


if __name__ == "__main__":
    DATA.mkdir(parents=True, exist_ok=True)
    record_codes()
    record_image()
