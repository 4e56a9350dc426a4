use super::super::Class;
use crate::error::SoftDeleteState;
use crate::models::SecretStoreKind;

use SecretStoreKind::{AwsSecretsManager, AzureVault};
use SoftDeleteState::{BeingDeleted, BeingRecovered, Deleted};

pub(super) fn held(store: SecretStoreKind, state: SoftDeleteState) -> Class {
    Class::SoftDeleted { store: Some(store), state, name: None }
}

/// One row of "what goes wrong", and what must and must not be read as it.
pub(super) struct Case {
    pub(super) class: Class,
    pub(super) statuses: &'static [u16],
    /// The reference's own.
    pub(super) words: &'static [&'static str],
    /// How else it may be said.
    pub(super) variants: &'static [&'static str],
    pub(super) near_misses: &'static [(u16, &'static str)],
}

#[expect(clippy::too_many_lines, reason = "a table")]
pub(super) fn cases() -> Vec<Case> {
    vec![
        Case {
            class: Class::NotFound,
            statuses: &[404],
            words: &["Secret group ID not found. List groups first to find the correct ID."],
            variants: &[
                "Secret store not found",
                "Cannot GET /api/svc/v1/secrets/x",
                "no such thing",
            ],
            near_misses: &[(400, "Secret group ID not found"), (410, "Secret group ID not found")],
        },
        Case {
            class: Class::PermissionDenied,
            statuses: &[403],
            words: &["Cannot access secrets. Check your API key permissions.", "Forbidden"],
            variants: &["Secret x is already in a deleted state", "no secret store configured"],
            near_misses: &[(400, "Forbidden"), (404, "Cannot access secrets")],
        },
        Case {
            class: Class::Unauthorized,
            statuses: &[401],
            words: &["Unauthorized"],
            variants: &["No secret store configured for this workspace", "jwt expired"],
            near_misses: &[(400, "Unauthorized"), (403, "Unauthorized")],
        },
        Case {
            class: Class::AlreadyExists,
            statuses: &[409, 400, 422],
            words: &["Secret group with this name already exists. Use a different name."],
            variants: &[
                "SECRET-GROUP with name 'x' already exists.",
                "Secret group 'api-key' already exists",
                "secretGroup `a.b` in workspace w already exists!",
                "A secret group with the name \"prod\" already exists in tenant acme",
                "SECRET_GROUP_ALREADY_EXISTS",
                "Name is already taken",
                "The name 'prod' is already in use",
            ],
            near_misses: &[
                (409, "version already exists in pipeline"),
                (409, "Secret version 3 already exists"),
                (409, "Secret group collaborators already exist"),
                (409, "Key name 'x' already exists in the group"),
                (409, "Tag name already exists on group"),
                (409, "The operation failed because the secret db-password already exists."),
                (409, "Secret [projects/1/secrets/db] already exists."),
                (400, "ResourceExistsException: it is there"),
                (409, "Workspace with this name already exists"),
                (409, "Cannot move the secret. A file of that sort already exists"),
                (409, "Secret store integration already exists"),
                (422, "Duplicate key: the key DB already exists in this secret group"),
                (500, "Secret group with this name already exists"),
                (404, "Secret group with this name already exists"),
                (424, "Secret group with this name already exists"),
            ],
        },
        Case {
            class: Class::EmptyGroup,
            statuses: &[400, 422],
            words: &[
                "Cannot update secret group with zero secrets. Include at least one secret in the payload.",
            ],
            variants: &[
                "Cannot update a secret group with 0 secrets",
                "At least one secret is required",
                "cannot update secret-group \"prod\" with no secrets!",
                "secrets should not be empty",
                "secrets must contain at least 1 elements",
                "Secrets list can't be empty",
                "Invalid request: provide at least one secret",
                "Cannot update secret group with empty secrets",
                "secrets array must contain at least 1 item",
                "secrets: Array must contain at least 1 element(s)",
                "Secrets cannot be an empty array",
            ],
            near_misses: &[
                (400, "secrets.0.key should not be empty"),
                (400, "At least one secret store is required"),
                (400, "Group contains at least one secret with an invalid key"),
                (422, "Secret group has no secrets matching 'x'"),
                (400, "Secret group name should not be empty"),
                (409, "At least one secret is required"),
                (500, "Cannot update secret group with zero secrets"),
            ],
        },
        Case {
            class: Class::NoSecretStore,
            statuses: &[400, 404, 422],
            words: &["No secret store configured for this workspace. Contact your platform admin."],
            variants: &[
                "No secret-store is configured",
                "no Secret Stores have been connected, ask your admin to connect one",
                "Secret store not configured for workspace 'w'",
                "NO_SECRET_STORE_CONFIGURED",
                "The workspace has no secret store",
                "No secret store integration found for this workspace",
                "Secret store has not been configured.",
            ],
            near_misses: &[
                (404, "Secret store not found"),
                (404, "No secret store found with id 'int-1'"),
                (404, "No secret store integration found for fqn a:b:c"),
                (400, "Secret store is not configured correctly"),
                (400, "Secret store 'x' is not configured to allow versions"),
                (400, "No secret group is configured for this secret store"),
                (403, "No secret store configured for this workspace"),
                (500, "No secret store configured for this workspace"),
            ],
        },
        Case {
            class: Class::KeyNotSupported { key: None, store: Some(AzureVault) },
            statuses: &[400, 422],
            words: &["Key name does not support underscores (_)"],
            variants: &[
                "Key names may not contain underscores",
                "Underscores are not allowed in key names.",
                "Key 'DB_PASSWORD' doesn't support '_'",
                "secrets.0.key must not contain underscores",
                "Secret names cannot have an underscore",
                "KEY NAME DOES NOT SUPPORT UNDERSCORES",
                "Unsupported key name: underscore",
                "Azure Key Vault does not support underscores in secret names",
                "Azure Key Vault does not allow underscores in secret key names",
                "Keys do not allow underscores",
            ],
            near_misses: &[
                (422, "description does not support underscores"),
                (422, "Secret group name does not support underscores"),
                (422, "Key description does not support underscores"),
                (422, "Azure Key Vault: the group's name does not support underscores"),
                (400, "Keys may contain letters, digits and underscores"),
                (400, "Key cannot contain dots, use underscores instead"),
                (400, "Key names cannot contain dots (use hyphens or underscores)"),
                (422, "Invalid key 'a.b': keys allow underscores and hyphens"),
                (422, "Key name 'x' not valid: must match letters, digits, underscore"),
                (400, "Keys cannot contain characters other than letters, digits and underscores"),
                (409, "Key name does not support underscores (_)"),
                (500, "Key name does not support underscores (_)"),
            ],
        },
        Case {
            class: held(AzureVault, Deleted),
            statuses: &[409, 400, 422, 424],
            words: &[
                "Secret db-password is already in a deleted state / conflict with soft-deleted resource",
                "is already in a deleted state",
                "conflict with soft-deleted resource",
                "is currently in a deleted but recoverable state, and its name cannot be reused",
                "ObjectIsDeletedButRecoverable",
            ],
            variants: &[
                "Secret group with this name already exists: ObjectIsDeletedButRecoverable",
                "SECRET 'api-key' IS IN A DELETED STATE!",
                "Conflicts with a soft deleted secret of the same name",
                "Cannot create secret group: secret db-pass is already in a deleted state",
                "Secret x could not be created because it is already in a deleted state",
                "A soft-deleted secret with this name already exists",
                "object_is_deleted_but_recoverable",
                "Secret key 'DB' is currently in a deleted state",
                "Secret group cannot be created due to conflict with soft-deleted resource",
                "The group was not created because of a conflict with a soft-deleted secret",
            ],
            near_misses: &[
                (400, "deployment is already in a deleted state"),
                (409, "Secret group is already in a deleted state"),
                (409, "Secret x is used by a deployment that is in a deleted state"),
                (409, "Application app with secret db is in a deleted state"),
                (400, "Soft-delete is not enabled on the vault"),
                (409, "Secret x is not in a deleted state"),
                (404, "Secret x is already in a deleted state"),
                (500, "ObjectIsDeletedButRecoverable"),
            ],
        },
        Case {
            class: held(AzureVault, BeingDeleted),
            statuses: &[409, 400, 422, 424],
            words: &["is currently being deleted", "ObjectIsBeingDeleted"],
            variants: &[
                "Secret db-password is currently being deleted and cannot be re-created; retry later.",
                "The secret 'x' is still being deleted",
                "OBJECT_IS_BEING_DELETED",
            ],
            near_misses: &[
                (409, "Workspace is currently being deleted"),
                (409, "The secret group is being deleted"),
                (409, "Deployment using the secret is currently being deleted"),
                (409, "The workspace that uses this secret is being deleted"),
                (409, "Secret x is not being deleted"),
                (503, "Secret x is currently being deleted"),
            ],
        },
        Case {
            class: held(AzureVault, BeingRecovered),
            statuses: &[409, 400, 422, 424],
            words: &[
                "is currently being recovered and cannot be re-created; retry later",
                "ObjectIsBeingRecovered",
            ],
            variants: &[
                "Secret db is currently being recovered.",
                "secret \"x\" is being recovered, its name cannot be reused",
            ],
            near_misses: &[
                (409, "Cluster is currently being recovered"),
                (409, "The secret's workspace is being recovered"),
                (409, "The application with that secret is being recovered"),
                (500, "Secret x is currently being recovered"),
            ],
        },
        Case {
            class: held(AwsSecretsManager, Deleted),
            statuses: &[400, 409, 422, 424],
            words: &["a secret with this name is already scheduled for deletion"],
            variants: &[
                "You can't create this secret because a secret with this name is already scheduled for deletion.",
                "InvalidRequestException: Secret 'prod/db' was marked for deletion",
                "The service returned 409 for secret db: it is already scheduled for deletion",
            ],
            near_misses: &[
                (400, "Workspace is scheduled for deletion"),
                (409, "Workspace of secret x is already scheduled for deletion"),
                (400, "Cannot move: workspace with this secret was marked for deletion"),
                (400, "Secret belongs to a workspace that is scheduled for deletion"),
                (404, "a secret with this name is already scheduled for deletion"),
                (500, "a secret with this name is already scheduled for deletion"),
            ],
        },
        Case {
            class: Class::MissingFields,
            statuses: &[422],
            words: &[
                r#"Unprocessable entity. Ensure all secrets have both "key" and "value" fields."#,
            ],
            variants: &[
                "secrets.0.key should not be empty",
                "body.secrets.1.value: Field required",
                "secrets[2].value is required",
                "Every secret needs a key and a value",
                "Secret at index 3 is missing field 'value'",
                "key and value are required",
                "secrets[0].key is a required field",
                "secrets.0.value should not be null or undefined",
                "Missing value for key DB",
            ],
            near_misses: &[
                (422, "All secrets must have a unique key and value"),
                (422, "Secret x has a key or value larger than 25 KB"),
                (422, "Entry 3 has an invalid key or value"),
                (422, "The secret has a key or value that is too big"),
                (422, "secrets.0.key must be shorter than or equal to 127 characters"),
                (422, "name should not be empty"),
                (422, "Secret store is missing a key"),
                (400, "name is required"),
                (409, "key and value are required"),
            ],
        },
        Case {
            class: Class::StoreFailed,
            statuses: &[424],
            words: &["Failed Dependency"],
            variants: &["the vault cannot be reached", "Secret group already exists"],
            near_misses: &[
                (500, "Failed Dependency"),
                (424, "Secret x is currently being deleted"),
            ],
        },
        Case {
            class: Class::RateLimited,
            statuses: &[429],
            words: &["Too Many Requests"],
            variants: &["slow down", "Secret group already exists"],
            near_misses: &[(400, "Too Many Requests"), (503, "Too Many Requests")],
        },
        Case {
            class: Class::Service,
            statuses: &[500, 502, 503, 504, 599, 408],
            words: &["Internal Server Error"],
            variants: &["Secret group with this name already exists", "ObjectIsBeingDeleted"],
            near_misses: &[(400, "Internal Server Error"), (409, "Internal Server Error")],
        },
    ]
}
