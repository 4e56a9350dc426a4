"""What each tool does, and what it refuses."""

from fake import GROUP, KEYS
from session import APPROVE, BOTH, LEGACY, MODERN, VALUES, User, from_env, session, test

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


@test(*BOTH)
async def lists(fake, mode):
    async with session(fake, mode, None) as s:
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
    async with session(fake, mode, user) as s:
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
    async with session(fake, mode, user) as s:
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
    async with session(fake, mode, user) as s:
        update = lambda *secrets: {"id": fake.group_id(), "payload": {"secrets": list(secrets)}}
        empty = await s.failed("tfy_secret_groups_update", **update())
        assert empty["kind"] == "EmptyGroup", empty
        unknown = await s.failed("tfy_secret_groups_update", **update({"key": "NO"}))
        assert unknown["kind"] == "InvalidInput", unknown
        both = update({"key": "API_KEY"}, from_env("API_KEY", "DB_NEW"))
        twice = await s.failed("tfy_secret_groups_update", **both)
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
    async with session(fake, mode, user) as s:
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
async def a_raw_value_is_refused_and_not_echoed(fake, mode):
    before = fake.secrets()
    raw = "Wr8~typed~into~a~chat~Pf1"
    entry = {"key": "DB_PASSWORD", "value": raw}
    payloads = {
        "tfy_secret_groups_create": {"payload": {"name": "n", "secrets": [entry]}},
        "tfy_secret_groups_update": {"id": fake.group_id(), "payload": {"secrets": [entry]}},
        "tfy_secret_groups_edit": {"id": fake.group_id(), "payload": {"set": [entry]}},
    }
    async with session(fake, mode, User(), sends_value=raw) as s:
        for tool, arguments in payloads.items():
            error = await s.failed(tool, **arguments)
            assert error["kind"] == "RawValueRefused", error
            assert "environment variable" in error["hint"], error
        # In the wrong place.
        for entry in ({"from_env": raw}, {"from_env": {"x": raw}}, {"from_env": "DB_NEW", raw: 1}):
            edit = {"id": fake.group_id(), "payload": {"set": [{"key": "K", **entry}]}}
            error = await s.failed("tfy_secret_groups_edit", **edit)
            assert error["kind"] in ("VariableNotAllowed", "InvalidArguments"), error
        error = await s.failed("tfy_secret_groups_edit", id=fake.group_id(), payload=raw)
        assert error["kind"] == "InvalidArguments", error
    assert fake.secrets() == before


@test(*BOTH)
async def only_allowed_variables_are_written(fake, mode):
    before = fake.secrets()
    async with session(fake, mode, User(), "--allow-env", "TFY_*", "--allow-env", "*PATH*") as s:
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
    async with session(fake, mode, None) as s:
        assert s.client.protocol_version == MODERN
