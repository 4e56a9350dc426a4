"""The conversation in README.md, as it happens."""

import json
import re

from fake import GROUP
from mcp.types import InputRequiredResult
from session import APPROVE, MODERN, User, session

BEGIN, END = "<!-- transcript -->\n", "<!-- end of the transcript -->\n"


async def record(fake):
    lines = []
    soft_delete(fake)
    azure = fake.stores()["azure"]

    def tell(text, *, fence=""):
        text = text.replace(fake.url.removeprefix("http://"), "my-org.truefoundry.cloud")
        # The number of an identifier stays, the random part does not; tables keep their width.
        text = re.sub(r"cm[0-9a-f]{16}(?=\d{7})", "cm" + 16 * "0", text)
        text = re.sub(r"fake-\d+", "fake-1", text)
        lines.extend([f"```{fence}", text.rstrip(), "```", ""])

    def call(tool, arguments):
        inner = ", ".join(f"{name}={json.dumps(value)}" for name, value in arguments.items())
        tell(f"{tool}({inner})", fence="python")

    async with session(fake, MODERN, User()) as s:

        async def say(heading, tool, arguments, *, data=False):
            lines.extend([f"{heading}", ""])
            call(tool, arguments)
            result = await s.once(tool, arguments)
            if isinstance(result, InputRequiredResult):
                lines.extend(["The user is asked:", ""])
                tell(result.input_requests["approval"].params.message, fence="text")
                lines.extend(["and approves:", ""])
                result = await s.once(tool, arguments, result.request_state, APPROVE)
            if data:
                tell(json.dumps(result.structured_content, indent=2), fence="json")
            else:
                tell("\n".join(block.text for block in result.content), fence="text")

        group = fake.group_id()
        await say("What groups are there?", "tfy_secrets_list", {})
        await say("And in this one?", "tfy_secrets_list", {"secret_group_id": group})
        raw = [{"key": "DB_PASSWORD", "value": "..."}]
        await say(
            "The agent tries to write a value that the user typed:",
            "tfy_secret_groups_edit",
            {"id": group, "payload": {"set": raw}},
        )
        secrets = [{"key": "DB_PASSWORD", "from_env": "DB_NEW"}]
        edits = {"set": secrets, "remove": ["JWT_SECRET"]}
        await say(
            "The user sets `DB_NEW` where the server is configured:",
            "tfy_secret_groups_edit",
            {"id": group, "payload": edits},
        )
        text = f"env:\n  DB_PASSWORD: tfy-secret://my-org:{GROUP}:DB_PASSWORD\n  JWT: tfy-secret://my-org:{GROUP}:JWT_SECRET\n"
        await say("Before a deployment:", "tfy_references_check", {"text": text})
        secrets = [{"key": "DB-PASSWORD", "from_env": "DB_PASSWORD"}]
        payload = {"name": "app-secrets", "integrationId": azure, "secrets": secrets}
        await say(
            "A group of this name was deleted in this store last week. The error is data, too; this is its "
            "`structuredContent`:",
            "tfy_secret_groups_create",
            {"payload": payload},
            data=True,
        )
    return "\n".join(lines)


def soft_delete(fake):
    secrets = [{"key": "DB-PASSWORD", "value": "made-up"}]
    body = {"name": "app-secrets", "integrationId": fake.stores()["azure"], "secrets": secrets}
    fake.request("POST", "/secret-groups", body)
    fake.request("DELETE", f"/secret-groups/{fake.group_id('app-secrets')}")


def compare(readme, text, *, write):
    whole = readme.read_text()
    before, rest = whole.split(BEGIN)
    _, after = rest.split(END)
    now = f"{before}{BEGIN}\n{text}\n{END}{after}"
    if write:
        readme.write_text(now)
    return write or now == whole
