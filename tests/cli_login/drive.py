"""The CLI's own credential code and this crate share one file."""

import importlib.metadata
import importlib.util
import os
import subprocess
import sys
import threading
import time
import types

# Only what is below `common`: importing the package itself would need all of its dependencies.
package = types.ModuleType("truefoundry")
package.__path__ = importlib.util.find_spec("truefoundry").submodule_search_locations
sys.modules["truefoundry"] = package

import requests  # noqa: E402
from filelock import FileLock, Timeout  # noqa: E402
from truefoundry.common.constants import CREDENTIAL_FILEPATH  # noqa: E402
from truefoundry.common.credential_file_manager import CredentialsFileManager  # noqa: E402
from truefoundry.common.credential_provider import FileCredentialProvider  # noqa: E402
from truefoundry.common.entities import CredentialsFileContent  # noqa: E402


class Driver:
    """The fake and the crate's client, in a process of its own."""

    def __init__(self):
        self.process = subprocess.Popen(
            [sys.argv[1], str(CREDENTIAL_FILEPATH)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __call__(self, order):
        self.process.stdin.write(order + "\n")
        self.process.stdin.flush()
        return self.process.stdout.readline().rstrip("\n")

    def close(self):
        self.process.stdin.close()
        assert self.process.wait(timeout=30) == 0


def log_in(driver, seconds, user=""):
    """As `tfy login` ends: the CLI's own code writes the file."""
    content = CredentialsFileContent.parse_raw(driver(f"login {seconds} {user}"))
    with CredentialsFileManager() as file:
        file.write(content)
    return content


def stored():
    with CredentialsFileManager() as file:
        return file.read()


def works(content):
    answer = requests.get(
        f"{content.host}/api/svc/v1/session",
        headers={"Authorization": f"Bearer {content.access_token}"},
        timeout=30,
    )
    return answer.status_code == 200


def we_use_what_the_cli_wrote(driver):
    log_in(driver, 3600)
    driver("open")
    assert driver("call") == "ok"
    assert driver("refreshes") == "0"


def the_cli_uses_what_we_refreshed(driver):
    before = log_in(driver, 60)
    provider = FileCredentialProvider()
    driver("open")
    assert driver("call") == "ok"
    assert driver("refreshes") == "1"
    after = stored()
    assert before.access_token != after.access_token and works(after)
    assert after.refresh_token not in (None, before.refresh_token)
    # A program that is already running, and one that starts now.
    assert provider.token.access_token == after.access_token
    assert FileCredentialProvider().token.access_token == after.access_token
    assert driver("refreshes") == "0"


def we_use_what_the_cli_refreshed(driver):
    before = log_in(driver, 60)
    driver("open")
    token = FileCredentialProvider().token
    assert token.access_token != before.access_token
    assert driver("refreshes") == "1"
    assert driver("call") == "ok"
    driver("open")
    assert driver("call") == "ok"
    assert driver("refreshes") == "0"


def refreshes_alternate(driver):
    log_in(driver, 60)
    driver("open")
    for _ in range(3):
        driver("expire")
        # Ours: the token is refused, although it has not expired by this machine's clock.
        assert driver("call") == "ok"
        assert driver("refreshes") == "1"
        # Theirs: no refresh token is ever sent twice, or the fake would revoke the login.
        driver("expire")
        provider = FileCredentialProvider()
        with CredentialsFileManager() as file:
            content = file.read()
            token = provider._auth_service.refresh_token(content.to_token(), content.host)
            file.write(
                CredentialsFileContent(
                    access_token=token.access_token,
                    refresh_token=token.refresh_token,
                    host=content.host,
                )
            )
        assert driver("refreshes") == "1"
        assert driver("call") == "ok"
        assert driver("refreshes") == "0"


def its_lock_keeps_us_out(driver):
    content = log_in(driver, 0)
    driver("open")
    with CredentialsFileManager() as file:
        driver("begin")
        time.sleep(0.5)
        assert driver("refreshes") == "0"
        assert file.read() == content
    assert driver("end") == "ok"
    assert driver("refreshes") == "1"


def our_lock_keeps_it_out(driver):
    log_in(driver, 0)
    driver("open")
    driver("hold")
    driver("begin")
    driver("reached")
    lock = FileLock(f"{CREDENTIAL_FILEPATH}.lock")
    try:
        lock.acquire(timeout=0.5)
        raise AssertionError("both have the lock")
    except Timeout:
        pass
    # And its own code waits, and then finds our token.
    found = []
    waiting = threading.Thread(target=lambda: found.append(FileCredentialProvider().token))
    waiting.start()
    time.sleep(0.3)
    assert not found
    driver("release")
    assert driver("end") == "ok"
    waiting.join(timeout=30)
    assert driver("refreshes") == "1"
    assert found[0].access_token == stored().access_token and works(stored())


def another_user_stops_both(driver):
    log_in(driver, 3600)
    driver("open")
    assert driver("call") == "ok"
    provider = FileCredentialProvider()
    log_in(driver, 3600, "grace@example.com")
    driver("expire")
    assert "another user" in driver("call")
    try:
        provider.token
        raise AssertionError("the CLI took another user's login")
    except Exception as error:
        assert "changed" in str(error), error


def older_control_planes(_):
    # A new control plane, because the CLI remembers how one refreshes.
    driver = Driver()
    driver("older")
    the_cli_uses_what_we_refreshed(driver)
    we_use_what_the_cli_refreshed(driver)
    driver.close()


def main():
    assert str(CREDENTIAL_FILEPATH).startswith(os.environ["HOME"]), CREDENTIAL_FILEPATH
    print("truefoundry", importlib.metadata.version("truefoundry"))
    print("filelock", importlib.metadata.version("filelock"))
    driver = Driver()
    for check in (
        we_use_what_the_cli_wrote,
        the_cli_uses_what_we_refreshed,
        we_use_what_the_cli_refreshed,
        refreshes_alternate,
        its_lock_keeps_us_out,
        our_lock_keeps_it_out,
        another_user_stops_both,
        older_control_planes,
    ):
        check(driver)
        print("ok", check.__name__)
    driver.close()


main()
