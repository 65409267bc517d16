"""What is done is kept with who did it."""

import getpass

import pytest

from cloud.typist import typist


def test_who_types_sudo_is_who_logged_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGNAME", "root")
    monkeypatch.delenv("SUDO_USER", raising=False)
    assert typist() == "root"
    monkeypatch.setenv("SUDO_USER", "ann")
    assert typist() == "ann"


@pytest.mark.parametrize("error", [KeyError("uid not found"), OSError("No username set")])
def test_who_has_no_name_is_somebody(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def nameless() -> str:
        raise error

    monkeypatch.delenv("SUDO_USER", raising=False)
    monkeypatch.setattr(getpass, "getuser", nameless)
    assert typist() == "somebody"
