"""The fake control plane as a separate process, and the official SDK pointed at it."""

import subprocess
import sys

from truefoundry_sdk import AsyncTrueFoundry, TrueFoundry


def without_retries(client):
    """The SDK retries 409 and 5xx twice, a second apart; the tests want the first response."""
    client._client_wrapper.httpx_client.base_max_retries = 0
    return client


class FakeServer:
    """Runs until the block ends. Each argument is a secret store to connect."""

    def __init__(self, *stores):
        self.command = [sys.argv[1], "--empty", *stores]

    def __enter__(self):
        self.process = subprocess.Popen(
            self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        line = self.process.stdout.readline()
        pairs = dict(word.split("=", 1) for word in line.split())
        self.base_url, self.api_key = pairs["TFY_BASE_URL"], pairs["TFY_API_KEY"]
        self.client = self.sync_client(self.api_key)
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        assert self.process.wait(timeout=30) == 0

    def sync_client(self, api_key):
        return without_retries(TrueFoundry(base_url=self.base_url, api_key=api_key))

    def async_client(self):
        return without_retries(AsyncTrueFoundry(base_url=self.base_url, api_key=self.api_key))

    def raw(self, path, method="GET", **options):
        """For endpoints that this version of the SDK has models for, but no method."""
        wrapper = self.client._client_wrapper
        return wrapper.httpx_client.request(path, method=method, **options)

    def stores(self):
        response = self.raw("api/svc/v1/provider-integrations", params={"type": "secret-store"})
        assert response.status_code == 200, response.text
        return response.json()["data"]

    def group(self, name="app", **secrets):
        from truefoundry_sdk import SecretInput

        secrets = {key.replace("_", "-"): value for key, value in secrets.items()} or {"A": "1"}
        return self.client.secret_groups.create(
            name=name,
            integration_id=self.stores()[0]["id"],
            secrets=[SecretInput(key=key, value=value) for key, value in secrets.items()],
        ).data

    def values(self, group):
        listed = self.client.secrets.list(secret_group_id=group.id, with_value=True)
        return {secret.name: secret.value for secret in listed}
