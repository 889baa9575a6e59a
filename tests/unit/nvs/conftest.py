from __future__ import annotations

from pathlib import Path

import pytest

DATA = Path(__file__).parents[2] / "data" / "nvs"


@pytest.fixture
def article_csv() -> Path:
    return DATA / "article.csv"


@pytest.fixture
def article_image() -> bytes:
    return (DATA / "article.bin").read_bytes()
