"""A client program of the official SDK, whose user answers as a test says."""

import base64
import contextlib
import json
import pathlib
import re
import sys
import tempfile
import urllib.parse

from mcp import Client, StdioServerParameters
from mcp.types import ElicitResult

SERVER, FAKE, *OPTIONS = sys.argv[1:]
LEGACY = "legacy"
MODERN = "2026-07-28"
BOTH = (LEGACY, MODERN)
TESTS = []
VALUES = {
    "DB_PASSWORD": "Xq7~first~password~Zw9",
    "DB_NEW": "Vk3~second\"pass\\word~Jh5",
    "DB_SHORT": "t9~Rm2~x",
    "OTHER_SECRET": "Bn4~Kd2~Yt6~Gd8",
}
APPROVE = ElicitResult(action="accept", content={"approve": True})
DECLINE = ElicitResult(action="decline")
WIRE = str(pathlib.Path(__file__).with_name("wire.py"))


def test(*modes):
    def register(function):
        TESTS.extend((function, mode) for mode in modes)
        return function

    return register


def from_env(key, variable=None):
    return {"key": key, "from_env": variable or key}


class User:
    """Answers in turn; each answer may be a function that is called while the question is open."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.questions = []

    async def __call__(self, _context, params):
        self.questions.append(params.message)
        assert params.requested_schema["properties"]["approve"]["type"] == "boolean", params
        assert params.requested_schema["required"] == ["approve"], params
        answer = self.answers.pop(0)
        return await answer() if callable(answer) else answer


class Session:
    def __init__(self, client, fake, user):
        self.client, self.fake, self.user = client, fake, user

    async def call(self, tool, **arguments):
        return await self.client.call_tool(tool, arguments)

    async def done(self, tool, **arguments):
        result = await self.call(tool, **arguments)
        assert not result.is_error, result
        return result.structured_content

    async def failed(self, tool, **arguments):
        result = await self.call(tool, **arguments)
        assert result.is_error, result
        error = result.structured_content["error"]
        assert error["hint"] and error["message"] in result.content[0].text, result
        return error

    async def once(self, tool, arguments, state=None, answer=None):
        """One round of 2026-07-28, without what the SDK does by itself."""
        responses = None if answer is None else {"approval": answer}
        return await self.client.session.call_tool(
            tool, arguments, request_state=state, input_responses=responses,
            allow_input_required=True,
        )


@contextlib.asynccontextmanager
async def session(fake, mode, user, *options, sends_value=None):
    """The server with its client. At the end no recorded byte may hold a value."""
    with tempfile.TemporaryDirectory() as record:
        environment = {**fake.environment, **VALUES, "HOME": record}
        parameters = StdioServerParameters(
            command=sys.executable,
            args=[WIRE, record, SERVER, "--allow-env", "DB_*", *options],
            env=environment,
        )
        before = fake.values() if fake.group_id() else {}
        async with Client(parameters, mode=mode, elicitation_callback=user) as client:
            yield Session(client, fake, user)
        secret = [*VALUES.values(), *before.values(), fake.key]
        for name in ("to_server", "to_client", "stderr"):
            recorded = pathlib.Path(record, name).read_bytes()
            assert recorded, name
            assert_absent(recorded, secret, name)
            if sends_value and name == "to_server":
                assert sends_value.encode() in recorded
            elif sends_value:
                assert_absent(recorded, [sends_value], name)
        assert pathlib.Path(record, "stderr").read_text().startswith("Control plane: ")


def assert_absent(recorded, values, where):
    # The content of a sealed state is not encrypted.
    for state in re.findall(rb"rs1\.([\w-]+)", recorded):
        recorded += base64.urlsafe_b64decode(state + b"==")
    for value in values:
        # Values that the fake makes up contain the key's name, so only the whole value counts.
        size = len(value) if value.startswith("made-up") else min(6, len(value))
        parts = {value[at : at + size] for at in range(len(value) - size + 1)}
        for text in {value, *parts}:
            data = text.encode()
            forms = [data, json.dumps(text)[1:-1].encode(), urllib.parse.quote(text).encode()]
            if text == value:
                forms += [base64.b64encode(data), base64.urlsafe_b64encode(data), data.hex().encode()]
            for form in forms:
                assert form not in recorded, f"a value ({text!r}) is in {where}"
