"""Every secret-group and secret method of the official SDK, against the fake control plane."""

import asyncio
import datetime
import traceback

from server import FakeServer
from truefoundry_sdk import (
    AwsParameterStore,
    AwsSecretsManager,
    AzureVault,
    Collaborator,
    ConflictError,
    GcpGsm,
    GenericSecretStoreIntegration,
    HashicorpVaultIntegration,
    NotFoundError,
    OwnedBy,
    ProviderAccount,
    ProviderIntegration,
    SecretGroupManifest,
    SecretInput,
    SecretVersion,
    TrueFoundryDbssm,
    UnprocessableEntityError,
    UpdateSecretInput,
)
from truefoundry_sdk.core.api_error import ApiError
from truefoundry_sdk.core.parse_error import ParsingError
from truefoundry_sdk.core.pydantic_utilities import parse_obj_as

TESTS = []
AZURE = "azure/vault"


def test(*stores):
    def register(function):
        TESTS.append((function, stores))
        return function

    return register


def refused(kind, call):
    try:
        call()
    except kind as error:
        return error
    raise AssertionError(f"{kind.__name__} was expected")


@test()
def groups_list_and_pager(fake):
    for number in range(5):
        fake.group(f"group-{number}", **{f"KEY{number}": "v"})
    groups = fake.client.secret_groups
    page = groups.list(limit=2, offset=1)
    assert [group.fqn for group in page.items] == ["my-tenant:group-1", "my-tenant:group-2"]
    pagination = page.response.pagination
    assert (pagination.total, pagination.offset, pagination.limit) == (5, 1, 2)
    assert len(list(page)) == 4
    assert [len(part.items) for part in groups.list(limit=2).iter_pages()] == [2, 2, 1]
    assert [group.fqn for group in groups.list(search="group-3")] == ["my-tenant:group-3"]
    assert [group.fqn for group in groups.list(search="KEY4")] == ["my-tenant:group-4"]
    assert [group.fqn for group in groups.list(fqn="my-tenant:group-0")] == ["my-tenant:group-0"]
    assert list(groups.list(fqn="my-tenant:group")) == []


@test()
def groups_list_attributes(fake):
    group = fake.group()
    required = ["fqn", "tenantName", "createdBySubject", "associatedSecrets"]
    required += ["accountId", "createdAt", "updatedAt"]
    (sparse,) = fake.client.secret_groups.list(attributes=required)
    assert (sparse.id, sparse.fqn) == (group.id, group.fqn)
    assert sparse.manifest is None and sparse.integration_id is None
    # The SDK cannot parse the response to its own request here: its model requires more.
    list_sparse = lambda: fake.client.secret_groups.list(attributes=["id", "fqn"])
    error = refused(ParsingError, list_sparse)
    assert error.body["data"] == [{"id": group.id, "fqn": group.fqn}]


@test()
def groups_create(fake):
    group = fake.group("new", A="1", B="2")
    assert group.fqn == "my-tenant:new" and group.tenant_name == "my-tenant"
    assert group.integration_id == fake.stores()[0]["id"]
    assert group.manifest["integration_fqn"] == fake.stores()[0]["fqn"]
    assert isinstance(group.created_at, datetime.datetime) and group.created_at.tzinfo
    assert group.created_by_subject.subject_type.value == "user"
    for secret in group.associated_secrets:
        assert secret.value is None and secret.secret_group_id == group.id
        assert [version.version for version in secret.secret_versions] == [1]
    assert fake.values(group) == {"A": "1", "B": "2"}
    # 409 is not one of this method's documented errors, so it is raised as the general one.
    error = refused(ApiError, lambda: fake.group("new"))
    assert error.status_code == 409 and not isinstance(error, ConflictError)
    assert error.body["message"] == "Secret group with this name already exists"


@test()
def groups_create_refusals(fake):
    store = fake.stores()[0]["id"]
    twice = [SecretInput(key="A", value="1"), SecretInput(key="A", value="2")]
    create = fake.client.secret_groups.create
    error = refused(
        UnprocessableEntityError, lambda: create(name="x", integration_id=store, secrets=twice)
    )
    assert error.body.status_code == 422 and "Duplicate" in error.body.message
    error = refused(ApiError, lambda: create(name="x", integration_id="no", secrets=[]))
    assert error.status_code == 404


@test()
def groups_get(fake):
    group = fake.group()
    assert fake.client.secret_groups.get(group.id).data == group
    assert fake.client.secret_groups.get_by_fqn("my-tenant:app").data == group
    error = refused(NotFoundError, lambda: fake.client.secret_groups.get("unknown"))
    assert error.body["message"] == "Secret group ID not found"
    refused(NotFoundError, lambda: fake.client.secret_groups.get_by_fqn("my-tenant:no"))


@test()
def groups_update(fake):
    group = fake.group("app", A="1", B="2", C="3")
    after = fake.client.secret_groups.update(
        group.id,
        secrets=[
            UpdateSecretInput(key="A"),
            UpdateSecretInput(key="B", value="2b"),
            UpdateSecretInput(key="D", value="4"),
        ],
    ).data
    assert fake.values(group) == {"A": "1", "B": "2b", "D": "4"}
    versions = {secret.name: len(secret.secret_versions) for secret in after.associated_secrets}
    assert versions == {"A": 1, "B": 2, "D": 1}
    assert after.updated_at > group.updated_at and after.created_at == group.created_at
    # An explicit None is sent as null.
    kept = [UpdateSecretInput(key="A", value=None)]
    fake.client.secret_groups.update(group.id, secrets=kept)
    assert fake.values(group) == {"A": "1"}


@test()
def groups_update_refusals(fake):
    group = fake.group()
    update = fake.client.secret_groups.update
    error = refused(UnprocessableEntityError, lambda: update(group.id, secrets=[]))
    assert "zero secrets" in error.body.message
    new = [UpdateSecretInput(key="NEW")]
    error = refused(UnprocessableEntityError, lambda: update(group.id, secrets=new))
    assert error.body.details[0]["path"] == "secrets.0.value"
    refused(NotFoundError, lambda: update("unknown", secrets=new))
    assert fake.values(group) == {"A": "1"}


@test()
def groups_create_or_update(fake):
    apply = fake.client.secret_groups.create_or_update
    manifest = SecretGroupManifest(
        name="declared",
        integration_fqn=fake.stores()[0]["fqn"],
        collaborators=[Collaborator(subject="team:ops", role_id="secret-group-editor")],
        owned_by=OwnedBy(account="ops"),
    )
    preview = apply(manifest=manifest, dry_run=True).data
    assert preview.id is None and preview.manifest["name"] == "declared"
    assert list(fake.client.secret_groups.list()) == []
    made = apply(manifest=manifest).data
    assert made.id and made.manifest["ownedBy"] == {"account": "ops"}
    assert made.manifest["type"] == "secret-group"

    manifest.collaborators = [Collaborator(subject="user:a@b.c", role_id="secret-group-admin")]
    preview = apply(manifest=manifest, dry_run=True).data
    assert preview.id == made.id
    assert preview.manifest["collaborators"][0]["subject"] == "user:a@b.c"
    assert fake.client.secret_groups.get(made.id).data == made
    changed = apply(manifest=manifest).data
    assert (changed.id, changed.updated_at > made.updated_at) == (made.id, True)

    manifest.integration_fqn = "no:such:store"
    refused(NotFoundError, lambda: apply(manifest=manifest))


@test()
def groups_delete(fake):
    for number, options in enumerate([{}, {"force_delete": True}, {"force_delete": False}]):
        group = fake.group(f"group-{number}")
        response = fake.client.secret_groups.delete(group.id, **options)
        assert response.dict() == {}
        refused(NotFoundError, lambda: fake.client.secret_groups.delete(group.id))


@test()
def secrets_list(fake):
    app, other = fake.group("app", A="1", B="2", C="3"), fake.group("other", A="4")
    secrets = fake.client.secrets
    page = secrets.list(secret_group_id=app.id, limit=2)
    assert [secret.fqn for secret in page.items] == ["my-tenant:app:A", "my-tenant:app:B"]
    assert page.response.pagination.total == 3
    assert [secret.value for secret in page] == [None] * 3
    assert fake.values(app) == {"A": "1", "B": "2", "C": "3"}
    fqns = ["my-tenant:app:C", "my-tenant:other:A", "my-tenant:app:NO"]
    found = list(secrets.list(secret_fqns=fqns, with_value=True))
    assert [(secret.fqn, secret.value) for secret in found] == list(zip(fqns, ["3", "4"]))
    both = secrets.list(secret_fqns=fqns, secret_group_id=other.id)
    assert [secret.fqn for secret in both] == ["my-tenant:other:A"]
    assert len(list(secrets.list())) == 4
    refused(NotFoundError, lambda: secrets.list(secret_group_id="unknown"))


@test()
def secrets_get_and_versions(fake):
    group = fake.group()
    secret_id = group.associated_secrets[0].id
    change = [UpdateSecretInput(key="A", value="2")]
    fake.client.secret_groups.update(group.id, secrets=change)
    secret = fake.client.secrets.get(secret_id).data
    assert (secret.name, secret.value, secret.active_deployments_count) == ("A", "2", 0)
    assert [version.version for version in secret.secret_versions] == [1, 2]
    response = fake.raw(f"api/svc/v1/secrets/{secret_id}/versions").json()
    versions = [parse_obj_as(SecretVersion, version) for version in response["data"]]
    assert [version.value for version in versions] == ["1", "2"]
    assert {version.secret_id for version in versions} == {secret_id}
    refused(NotFoundError, lambda: fake.client.secrets.get("unknown"))


@test()
def secrets_delete(fake):
    group = fake.group("app", A="1", B="2")
    first, second = (secret.id for secret in group.associated_secrets)
    assert fake.client.secrets.delete(first) == 1.0
    assert fake.values(group) == {"B": "2"}
    assert fake.client.secrets.delete(second, force_delete=True) == 1.0
    assert fake.client.secret_groups.get(group.id).data.associated_secrets == []
    refused(NotFoundError, lambda: fake.client.secrets.delete(first))


@test("aws/secrets-manager", "aws/parameter-store", AZURE, "gcp/gsm", "hashicorp/vault",
      "custom/generic", "integration/secret-store/truefoundry/db")
def stores(fake):
    listed = [parse_obj_as(ProviderIntegration, store) for store in fake.stores()]
    assert len(listed) == 7 and {store.type.value for store in listed} == {"secret-store"}
    response = fake.raw("api/svc/v1/provider-accounts", params={"type": "secret-store"}).json()
    accounts = [parse_obj_as(ProviderAccount, account) for account in response["data"]]
    providers = [account.provider.value for account in accounts]
    assert providers == ["aws", "azure", "gcp", "hashicorp", "custom", "truefoundry"]
    assert [len(account.integrations) for account in accounts] == [2, 1, 1, 1, 1, 1]
    # The SDK's own strict types accept the manifests too.
    kinds = [AwsSecretsManager, AwsParameterStore, AzureVault, GcpGsm]
    kinds += [HashicorpVaultIntegration, GenericSecretStoreIntegration, TrueFoundryDbssm]
    for kind, store in zip(kinds, listed):
        parse_obj_as(kind, store.manifest)


@test(AZURE)
def azure_rules(fake):
    store = fake.stores()[0]["id"]
    secrets = [SecretInput(key="DB_PASSWORD", value="1")]
    create = lambda: fake.client.secret_groups.create(
        name="x", integration_id=store, secrets=secrets
    )
    error = refused(UnprocessableEntityError, create)
    assert error.body.message == "Key name does not support underscores (_)"
    fake.client.secret_groups.delete(fake.group("app").id)
    error = refused(ApiError, lambda: fake.group("app"))
    assert error.body["code"] == "ObjectIsDeletedButRecoverable"


@test()
def wrong_key(fake):
    stranger = fake.sync_client("wrong")
    error = refused(ApiError, stranger.secret_groups.list)
    assert error.status_code == 401 and error.body["message"] == "Unauthorized"


@test()
def the_async_client_too(fake):
    async def drive():
        client = fake.async_client()
        groups = [group.fqn async for group in await client.secret_groups.list(limit=1)]
        assert groups == ["my-tenant:app", "my-tenant:two"]
        group = (await client.secret_groups.get_by_fqn("my-tenant:app")).data
        await client.secret_groups.update(group.id, secrets=[UpdateSecretInput(key="A", value="2")])
        listed = await client.secrets.list(secret_group_id=group.id, with_value=True)
        assert [secret.value async for secret in listed] == ["2"]
        assert await client.secrets.delete(group.associated_secrets[0].id) == 1.0
        await client.secret_groups.delete(group.id)

    fake.group("app")
    fake.group("two")
    asyncio.run(drive())


def main():
    failed = 0
    for function, stores in TESTS:
        try:
            with FakeServer(*stores) as fake:
                function(fake)
            print("ok  ", function.__name__)
        except Exception:
            failed += 1
            print("FAIL", function.__name__)
            print(traceback.format_exc())
    print(f"{len(TESTS) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    raise SystemExit(main())
