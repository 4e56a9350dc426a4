"""The fake control plane in a process of its own, and a second client that changes it from behind."""

import json
import subprocess
import urllib.request

GROUP = "prod-secrets"
KEYS = ("DB_PASSWORD", "API_KEY", "JWT_SECRET")
API = "/api/svc/v1"


class Fake:
    def __init__(self, command):
        self.command = [command, "--empty", "--tenant", "my-org", "aws/secrets-manager", "azure/vault"]
        self.command += ["--group", f"{GROUP}:{','.join(KEYS)}"]

    def __enter__(self):
        self.process = subprocess.Popen(
            self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        pairs = dict(word.split("=", 1) for word in self.process.stdout.readline().split())
        self.url, self.key = pairs["TFY_BASE_URL"], pairs["TFY_API_KEY"]
        self.environment = pairs
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.stdout.close()
        assert self.process.wait(timeout=30) == 0

    def request(self, method, path, body=None):
        request = urllib.request.Request(self.url + API + path, method=method)
        request.add_header("Authorization", f"Bearer {self.key}")
        if body is not None:
            request.data = json.dumps(body).encode()
            request.add_header("Content-Type", "application/json")
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(request, timeout=30) as response:
            return json.loads(response.read()).get("data")

    def group_id(self, name=GROUP):
        groups = self.request("GET", f"/secret-groups?limit=100&offset=0&fqn=my-org:{name}")
        return groups[0]["id"] if groups else None

    def secret_id(self, key, name=GROUP):
        return next(s["id"] for s in self.secrets(name) if s["name"] == key)

    def secrets(self, name=GROUP):
        body = {"limit": 100, "offset": 0, "secretGroupId": self.group_id(name), "withValue": True}
        return self.request("POST", "/secrets", body)

    def values(self, name=GROUP):
        return {secret["name"]: secret["value"] for secret in self.secrets(name)}

    def groups(self):
        return [g["fqn"] for g in self.request("GET", "/secret-groups?limit=100&offset=0")]

    def stores(self):
        stores = self.request("GET", "/provider-integrations?limit=100&offset=0&type=secret-store")
        return {store["manifest"]["type"].rsplit("/", 2)[1]: store["id"] for store in stores}

    def rotate(self, key, value):
        """As another client does."""
        secrets = [{"key": other} for other in self.values() if other != key]
        body = {"secrets": [*secrets, {"key": key, "value": value}]}
        self.request("PUT", f"/secret-groups/{self.group_id()}", body)
