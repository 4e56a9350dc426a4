"""When a change is made, and when not."""

import asyncio
import subprocess

from mcp.shared.exceptions import MCPError
from mcp.types import ElicitResult, ErrorData, InputRequiredResult
from session import (
    APPROVE, BOTH, DECLINE, LEGACY, MODERN, SERVER, VALUES, User, from_env, session, test,
)


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
    async with session(fake, mode, user) as s:
        for tool, arguments in changes.items():
            for _ in answers:
                error = await s.failed(tool, **arguments)
                assert error["kind"] == "NotApproved", error
    assert not user.answers and fake.secrets() == before and len(fake.groups()) == 1


@test(*BOTH)
async def writes_nothing_if_the_client_cannot_ask(fake, mode):
    before = fake.secrets()
    async with session(fake, mode, None) as s:
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
    async with session(fake, mode, user) as s:
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
    async with session(fake, mode, user, "--approval-timeout", "1s") as s:
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
    async with session(fake, mode, user) as s:
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
    async with session(fake, mode, user) as s:
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
    async with session(fake, mode, user) as s:
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
    async with session(fake, mode, User()) as s:

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
        # A refusal uses it up, too.
        state = await asked()
        refused = await s.once("tfy_secret_groups_edit", edit, state=state, answer=DECLINE)
        assert refused.structured_content["error"]["kind"] == "NotApproved", refused
        await asked(state=state, answer=APPROVE)
        assert fake.secrets() == after

        # If two calls use one approval, only one writes.
        state = await asked()
        both = await asyncio.gather(
            *(s.once("tfy_secret_groups_edit", edit, state=state, answer=APPROVE) for _ in range(2))
        )
        assert sum(isinstance(result, InputRequiredResult) for result in both) == 1, both


@test(MODERN)
async def an_approval_of_another_process_is_none(fake, mode):
    delete = {"id": fake.group_id()}
    async with session(fake, mode, User()) as s:
        state = (await s.once("tfy_secret_groups_delete", delete)).request_state
    async with session(fake, mode, User()) as s:
        again = await s.once("tfy_secret_groups_delete", delete, state=state, answer=APPROVE)
        assert isinstance(again, InputRequiredResult), again
    assert fake.group_id()


@test(*BOTH)
async def yes_is_for_the_fake_within(fake, mode):
    async with session(fake, mode, None, "--fake", "--yes") as s:
        [group] = (await s.done("tfy_secrets_list"))["groups"]
        await s.done("tfy_secret_groups_delete", id=group["id"])
        assert (await s.done("tfy_secrets_list"))["groups"] == []
    assert fake.group_id(), "the control plane of the environment is left alone"
    ended = subprocess.run([SERVER, "--yes"], stdin=subprocess.DEVNULL, capture_output=True, text=True)
    assert ended.returncode == 1 and "--fake" in ended.stderr, ended
