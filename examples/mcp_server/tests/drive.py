"""Every tool, every way to answer, on both protocols; then the transcript of the README."""

import asyncio
import pathlib
import subprocess
import sys
import traceback

import transcript
from fake import GROUP, KEYS, Fake
from mcp.shared.exceptions import MCPError
from mcp.types import ElicitResult, ErrorData, InputRequiredResult
from session import APPROVE, DECLINE, LEGACY, MODERN, VALUES, User, session

SERVER, FAKE, *OPTIONS = sys.argv[1:]
BOTH = (LEGACY, MODERN)
TESTS = []
TOOLS = {
    "tfy_secrets_list": "read",
    "tfy_secret_stores_list": "read",
    "tfy_references_check": "read",
    "tfy_secret_groups_create": "add",
    "tfy_secret_groups_edit": "destroy",
    "tfy_secret_groups_update": "destroy",
    "tfy_secret_groups_delete": "destroy",
    "tfy_secrets_delete": "destroy",
}


def test(*modes):
    def register(function):
        TESTS.extend((function, mode) for mode in modes)
        return function

    return register


def from_env(key, variable=None):
    return {"key": key, "from_env": variable or key}


@test(*BOTH)
async def lists(fake, mode):
    async with session(SERVER, fake, mode, None) as s:
        expected = "2025-11-25" if mode == LEGACY else MODERN
        assert s.client.protocol_version == expected, s.client.protocol_version
        tools = {tool.name: tool for tool in (await s.client.list_tools()).tools}
        assert tools.keys() == TOOLS.keys(), tools.keys()
        for name, kind in TOOLS.items():
            hints = tools[name].annotations
            assert hints.read_only_hint == (kind == "read"), name
            assert kind == "read" or hints.destructive_hint == (kind == "destroy"), name
            assert tools[name].output_schema["type"] == "object", name
            assert tools[name].input_schema["additionalProperties"] is False, name
        assert "tfy_secret_groups_edit" in tools["tfy_secret_groups_update"].description
        properties = tools["tfy_secrets_list"].input_schema["properties"]
        assert properties.keys() == {"secret_group_id", "secret_id"}
        assert tools["tfy_secret_groups_edit"].input_schema["required"] == ["id", "payload"]

        result = await s.call("tfy_secrets_list")
        assert "| Name" in result.content[0].text and GROUP in result.content[0].text
        [group] = result.structured_content["groups"]
        assert (group["name"], group["secrets"]) == (GROUP, 3), group

        listed = await s.done("tfy_secrets_list", secret_group_id=group["id"])
        assert {secret["value"] for secret in listed["secrets"]} == {"(set)"}, listed
        references = {secret["reference"] for secret in listed["secrets"]}
        assert references == {f"tfy-secret://my-org:{GROUP}:{key}" for key in KEYS}

        one = await s.done("tfy_secrets_list", secret_id=fake.secret_id("API_KEY"))
        assert [(s["key"], s["value"]) for s in one["secrets"]] == [("API_KEY", "made***")], one
        assert (await s.failed("tfy_secrets_list", secret_id="no"))["kind"] == "NotFound"
        both = await s.failed("tfy_secrets_list", secret_id="a", secret_group_id="b")
        assert both["kind"] == "InvalidInput"

        stores = (await s.done("tfy_secret_stores_list"))["stores"]
        assert {store["kind"] for store in stores} == {"AWS Secrets Manager", "Azure Key Vault"}

        text = f"a: tfy-secret://my-org:{GROUP}:API_KEY\nb: tfy-secret://my-org:{GROUP}:NO\nc: tfy-secret://x"
        checked = await s.done("tfy_references_check", text=text)
        assert [row["exists"] for row in checked["references"]] == [True, False]
        assert [row["line"] for row in checked["malformed"]] == [3], checked


@test(*BOTH)
async def creates(fake, mode):
    user = User(APPROVE)
    async with session(SERVER, fake, mode, user) as s:
        secrets = [from_env("DB_PASSWORD"), from_env("SHORT", "DB_SHORT")]
        payload = {"name": "my-secrets", "secrets": secrets}
        choose = await s.failed("tfy_secret_groups_create", payload=payload)
        assert choose["kind"] == "InvalidInput" and fake.stores()["aws"] in choose["hint"], choose
        payload["integrationId"] = fake.stores()["aws"]
        made = await s.done("tfy_secret_groups_create", payload=payload)
        assert made["added"] == ["DB_PASSWORD", "SHORT"], made
        assert made["references"][0] == "tfy-secret://my-org:my-secrets:DB_PASSWORD", made
        [question] = user.questions
        host = fake.url.removeprefix("http://")
        for part in (host, "my-secrets", "+ DB_PASSWORD", "variable DB_SHORT", "tenant my-org"):
            assert part in question, question
        user.answers.append(APPROVE)
        taken = await s.failed("tfy_secret_groups_create", payload=payload)
        assert (taken["kind"], taken["name"]) == ("AlreadyExists", "my-secrets"), taken
    wanted = {"DB_PASSWORD": VALUES["DB_PASSWORD"], "SHORT": VALUES["DB_SHORT"]}
    assert fake.values("my-secrets") == wanted


@test(*BOTH)
async def edits(fake, mode):
    user = User(APPROVE)
    async with session(SERVER, fake, mode, user) as s:
        edits = {"set": [from_env("DB_PASSWORD", "DB_NEW"), from_env("NEW", "DB_SHORT")]}
        edits["remove"] = ["JWT_SECRET"]
        done = await s.done("tfy_secret_groups_edit", id=fake.group_id(), payload=edits)
        changes = (done["added"], done["rotated"], done["removed"], done["kept"])
        assert changes == (["NEW"], ["DB_PASSWORD"], ["JWT_SECRET"], ["API_KEY"]), done
        [question] = user.questions
        assert "+ NEW  ~ DB_PASSWORD  - JWT_SECRET  = 1 kept" in question, question
        nothing = await s.done("tfy_secret_groups_edit", id=fake.group_id(), payload={})
        assert nothing["kept"] and len(user.questions) == 1, nothing
    values = fake.values()
    assert values.keys() == {"DB_PASSWORD", "API_KEY", "NEW"}
    assert (values["DB_PASSWORD"], values["NEW"]) == (VALUES["DB_NEW"], VALUES["DB_SHORT"])


@test(*BOTH)
async def replaces(fake, mode):
    user = User(APPROVE)
    async with session(SERVER, fake, mode, user) as s:
        update = lambda *secrets: {"id": fake.group_id(), "payload": {"secrets": list(secrets)}}
        empty = await s.failed("tfy_secret_groups_update", **update())
        assert empty["kind"] == "EmptyGroup", empty
        unknown = await s.failed("tfy_secret_groups_update", **update({"key": "NO"}))
        assert unknown["kind"] == "InvalidInput", unknown
        twice = await s.failed("tfy_secret_groups_update", **update({"key": "API_KEY"}, from_env("API_KEY", "DB_NEW")))
        assert twice["kind"] == "InvalidInput" and "twice" in twice["message"], twice
        full = update({"key": "API_KEY"}, from_env("DB_PASSWORD"))
        done = await s.done("tfy_secret_groups_update", **full)
        assert (done["removed"], done["kept"]) == (["JWT_SECRET"], ["API_KEY"]), done
        [question] = user.questions
        assert "~ DB_PASSWORD  - JWT_SECRET  = 1 kept" in question, question
    assert fake.values() == {"API_KEY": "made-up-value-of-API_KEY", "DB_PASSWORD": VALUES["DB_PASSWORD"]}


@test(*BOTH)
async def deletes_and_says_the_ways_out(fake, mode):
    user = User(*[APPROVE] * 5)
    async with session(SERVER, fake, mode, user) as s:
        done = await s.done("tfy_secrets_delete", id=fake.secret_id("API_KEY"))
        assert done["removed"] == ["API_KEY"] and fake.values().keys() == {"DB_PASSWORD", "JWT_SECRET"}
        done = await s.done("tfy_secret_groups_delete", id=fake.group_id())
        assert sorted(done["removed"]) == ["DB_PASSWORD", "JWT_SECRET"], done
        assert "- DB_PASSWORD" in user.questions[1], user.questions
        assert fake.groups() == []

        secrets = [from_env("DB-PASSWORD", "DB_PASSWORD")]
        payload = {"name": "az", "integrationId": fake.stores()["azure"], "secrets": secrets}
        wrong = {**payload, "secrets": [from_env("DB_PASSWORD")]}
        refused = await s.failed("tfy_secret_groups_create", payload=wrong)
        assert (refused["kind"], refused["suggestion"]) == ("KeyNotSupported", "DB-PASSWORD")
        made = await s.done("tfy_secret_groups_create", payload=payload)
        await s.done("tfy_secret_groups_delete", id=made["group_id"])
        result = await s.call("tfy_secret_groups_create", payload=payload)
        error = result.structured_content["error"]
        ways = {way["way"]: way for way in error["recovery_options"]}
        assert (error["kind"], error["state"], error["retention_days"]) == ("SoftDeleted", "deleted", 90)
        assert ways.keys() == {"use_another_name", "purge_in_portal", "purge_with_cli", "wait"}, ways
        assert "az keyvault secret purge" in ways["purge_with_cli"]["command"]
        assert ways["purge_with_cli"]["command"] in result.content[0].text


@test(*BOTH)
async def writes_nothing_without_approval(fake, mode):
    before = fake.secrets()
    unticked = ElicitResult(action="accept", content={"approve": False})
    empty = ElicitResult(action="accept")
    answers = [DECLINE, ElicitResult(action="cancel"), unticked, empty]
    secrets, group = [from_env("DB_PASSWORD")], fake.group_id()
    new = {"name": "n", "integrationId": fake.stores()["aws"], "secrets": secrets}
    changes = {
        "tfy_secret_groups_create": {"payload": new},
        "tfy_secret_groups_edit": {"id": group, "payload": {"set": secrets}},
        "tfy_secret_groups_update": {"id": group, "payload": {"secrets": secrets}},
        "tfy_secret_groups_delete": {"id": group},
        "tfy_secrets_delete": {"id": fake.secret_id("API_KEY")},
    }
    user = User(*answers * len(changes))
    async with session(SERVER, fake, mode, user) as s:
        for tool, arguments in changes.items():
            for _ in answers:
                error = await s.failed(tool, **arguments)
                assert error["kind"] == "NotApproved", error
    assert not user.answers and fake.secrets() == before and len(fake.groups()) == 1


@test(*BOTH)
async def writes_nothing_if_the_client_cannot_ask(fake, mode):
    before = fake.secrets()
    async with session(SERVER, fake, mode, None) as s:
        if mode == LEGACY:
            error = await s.failed("tfy_secret_groups_delete", id=fake.group_id())
            assert error["kind"] == "ApprovalUnavailable", error
        else:
            try:
                await s.call("tfy_secret_groups_delete", id=fake.group_id())
                raise AssertionError("an error was expected")
            except MCPError as error:
                assert error.code == -32021, error
                assert error.data["requiredCapabilities"] == {"elicitation": {"form": {}}}, error
    assert fake.secrets() == before


@test(LEGACY)
async def writes_nothing_if_the_client_does_not_ask(fake, mode):
    user = User(ErrorData(code=-32603, message="no window to ask in"))
    async with session(SERVER, fake, mode, user) as s:
        error = await s.failed("tfy_secret_groups_delete", id=fake.group_id())
        assert error["kind"] == "NotApproved", error
    assert fake.group_id()


@test(*BOTH)
async def an_answer_that_comes_too_late_is_none(fake, mode):
    before = fake.secrets()

    async def late():
        await asyncio.sleep(1.3)
        return APPROVE

    user = User(late, DECLINE)
    async with session(SERVER, fake, mode, user, "--approval-timeout", "1s") as s:
        error = await s.failed("tfy_secret_groups_delete", id=fake.group_id())
        assert error["kind"] == "NotApproved", error
    if mode == LEGACY:
        assert "within 1 s" in error["message"], error
    else:
        assert user.questions[1].startswith("Asked again: "), user.questions
    assert fake.secrets() == before


@test(*BOTH)
async def asks_again_if_the_group_changes_meanwhile(fake, mode):
    async def meanwhile():
        fake.rotate("API_KEY", "changed by another client")
        return APPROVE

    user = User(meanwhile, APPROVE)
    async with session(SERVER, fake, mode, user) as s:
        edits = {"set": [from_env("DB_PASSWORD")]}
        await s.done("tfy_secret_groups_edit", id=fake.group_id(), payload=edits)
    assert user.questions[1] == "Asked again: the group has changed since the question.\n" + user.questions[0]
    values = fake.values()
    assert (values["API_KEY"], values["DB_PASSWORD"]) == ("changed by another client", VALUES["DB_PASSWORD"])


@test(LEGACY)
async def gives_up_if_the_group_changes_every_time(fake, mode):
    async def meanwhile():
        fake.rotate("API_KEY", f"version {len(user.questions)}")
        return APPROVE

    user = User(*[meanwhile] * 3)
    async with session(SERVER, fake, mode, user) as s:
        edits = {"set": [from_env("DB_PASSWORD")]}
        error = await s.failed("tfy_secret_groups_edit", id=fake.group_id(), payload=edits)
        assert error["kind"] == "NotApproved", error
    assert fake.values()["DB_PASSWORD"] == "made-up-value-of-DB_PASSWORD"


@test(LEGACY)
async def writes_nothing_for_a_call_that_was_cancelled(fake, mode):
    before = fake.secrets()
    asked = asyncio.Event()

    async def meanwhile():
        asked.set()
        await asyncio.sleep(1)
        return APPROVE

    user = User(meanwhile)
    async with session(SERVER, fake, mode, user) as s:
        call = asyncio.ensure_future(s.call("tfy_secret_groups_delete", id=fake.group_id()))
        await asked.wait()
        call.cancel()
        await asyncio.sleep(1.5)
        assert fake.secrets() == before
        assert (await s.done("tfy_secrets_list"))["groups"], "the server goes on"
    assert fake.secrets() == before


@test(MODERN)
async def an_approval_holds_once_and_for_its_call_only(fake, mode):
    edit = {"id": fake.group_id(), "payload": {"set": [from_env("DB_PASSWORD")]}}
    other = {"id": fake.group_id(), "payload": {"set": [from_env("DB_PASSWORD", "DB_NEW")]}}
    async with session(SERVER, fake, mode, User()) as s:

        async def asked(tool="tfy_secret_groups_edit", arguments=edit, **answered):
            result = await s.once(tool, arguments, **answered)
            assert isinstance(result, InputRequiredResult), result
            return result.request_state

        before = fake.secrets()
        state = await asked()
        # For other arguments, for another tool, forged, without an answer or for another question.
        await asked(arguments=other, state=state, answer=APPROVE)
        await asked("tfy_secret_groups_delete", {"id": edit["id"]}, state=state, answer=APPROVE)
        forged = state[:-2] + ("AA" if state[-2:] != "AA" else "BB")
        await asked(state=forged, answer=APPROVE)
        await asked(state="", answer=APPROVE)
        await asked(answer=APPROVE)
        assert fake.secrets() == before

        done = await s.once("tfy_secret_groups_edit", edit, state=state, answer=APPROVE)
        assert done.structured_content["rotated"] == ["DB_PASSWORD"], done
        after = fake.secrets()
        assert after != before
        await asked(state=state, answer=APPROVE)
        # A refusal spends it as well.
        state = await asked()
        refused = await s.once("tfy_secret_groups_edit", edit, state=state, answer=DECLINE)
        assert refused.structured_content["error"]["kind"] == "NotApproved", refused
        await asked(state=state, answer=APPROVE)
        assert fake.secrets() == after

        # Of two calls with one approval one writes.
        state = await asked()
        both = await asyncio.gather(
            *(s.once("tfy_secret_groups_edit", edit, state=state, answer=APPROVE) for _ in range(2))
        )
        assert sum(isinstance(result, InputRequiredResult) for result in both) == 1, both


@test(MODERN)
async def an_approval_of_another_process_is_none(fake, mode):
    delete = {"id": fake.group_id()}
    async with session(SERVER, fake, mode, User()) as s:
        state = (await s.once("tfy_secret_groups_delete", delete)).request_state
    async with session(SERVER, fake, mode, User()) as s:
        again = await s.once("tfy_secret_groups_delete", delete, state=state, answer=APPROVE)
        assert isinstance(again, InputRequiredResult), again
    assert fake.group_id()


@test(*BOTH)
async def a_raw_value_is_refused_and_not_echoed(fake, mode):
    before = fake.secrets()
    raw = "Wr8~typed~into~a~chat~Pf1"
    entry = {"key": "DB_PASSWORD", "value": raw}
    payloads = {
        "tfy_secret_groups_create": {"payload": {"name": "n", "secrets": [entry]}},
        "tfy_secret_groups_update": {"id": fake.group_id(), "payload": {"secrets": [entry]}},
        "tfy_secret_groups_edit": {"id": fake.group_id(), "payload": {"set": [entry]}},
    }
    async with session(SERVER, fake, mode, User(), sends_value=raw) as s:
        for tool, arguments in payloads.items():
            error = await s.failed(tool, **arguments)
            assert error["kind"] == "RawValueRefused", error
            assert "environment variable" in error["hint"], error
        # In the wrong place.
        for entry in ({"key": "K", "from_env": raw}, {"key": "K", "from_env": {"x": raw}}, {"key": "K", raw: 1}):
            edit = {"id": fake.group_id(), "payload": {"set": [entry]}}
            error = await s.failed("tfy_secret_groups_edit", **edit)
            assert error["kind"] in ("VariableNotAllowed", "InvalidArguments"), error
        error = await s.failed("tfy_secret_groups_edit", id=fake.group_id(), payload=raw)
        assert error["kind"] == "InvalidArguments", error
    assert fake.secrets() == before


@test(*BOTH)
async def only_allowed_variables_are_written(fake, mode):
    before = fake.secrets()
    async with session(SERVER, fake, mode, User(), "--allow-env", "TFY_*", "--allow-env", "*PATH*") as s:
        kinds = {
            "OTHER_SECRET": "VariableNotAllowed",
            "TFY_API_KEY": "VariableReserved",
            "TFY_BASE_URL": "VariableReserved",
            "PATH": "VariableReserved",
            "DB_NOT_SET": "VariableUnusable",
        }
        for variable, kind in kinds.items():
            edit = {"id": fake.group_id(), "payload": {"set": [from_env("K", variable)]}}
            error = await s.failed("tfy_secret_groups_edit", **edit)
            assert error["kind"] == kind, (variable, error)
    assert fake.secrets() == before


@test("auto")
async def the_newest_protocol_is_found(fake, mode):
    async with session(SERVER, fake, mode, None) as s:
        assert s.client.protocol_version == MODERN


@test(*BOTH)
async def yes_is_for_the_fake_within(fake, mode):
    async with session(SERVER, fake, mode, None, "--fake", "--yes") as s:
        [group] = (await s.done("tfy_secrets_list"))["groups"]
        await s.done("tfy_secret_groups_delete", id=group["id"])
        assert (await s.done("tfy_secrets_list"))["groups"] == []
    assert fake.group_id(), "the control plane of the environment is left alone"
    ended = subprocess.run([SERVER, "--yes"], stdin=subprocess.DEVNULL, capture_output=True, text=True)
    assert ended.returncode == 1 and "--fake" in ended.stderr, ended


async def main():
    failures = 0
    # Only the tests that are named, to try something out.
    named = {option for option in OPTIONS if option != "--write"}
    tests = [test for test in TESTS if not named or test[0].__name__ in named]
    for function, mode in tests:
        name = f"{function.__name__} ({mode})"
        try:
            with Fake(FAKE) as fake:
                await asyncio.wait_for(function(fake, mode), 60)
            print(f"ok   {name}", flush=True)
        except Exception:
            failures += 1
            print(f"FAIL {name}", flush=True)
            traceback.print_exc()
    if not named:
        failures += not await transcript_is_true()
    print(f"{len(tests)} tests, {failures} failures")
    sys.exit(failures != 0)


async def transcript_is_true():
    readme = pathlib.Path(__file__).parents[1] / "README.md"
    with Fake(FAKE) as fake:
        text = await transcript.record(SERVER, fake)
    if transcript.compare(readme, text, write="--write" in OPTIONS):
        return True
    print("FAIL the transcript in README.md is not what happens; tests/run.sh --write takes that over")
    return False


asyncio.run(main())
