//! "What goes wrong, in the service's and the stores' words", row by row.

use super::Class;
use crate::error::SoftDeleteState;
use crate::models::SecretStoreKind;

/// A status, and words without which that status alone does not say it.
pub(super) struct Row {
    pub(super) statuses: &'static [u16],
    /// The stores' own codes, lowercase letters only; found anywhere, because the platform passes
    /// them on in its text.
    pub(super) codes: &'static [&'static str],
    /// Any one of these; [`Said::says`](super::words::Said::says) tells how they are written.
    pub(super) words: &'static [&'static str],
    /// Nouns that make the words say something else where they stand in the place of a `*`.
    pub(super) never_between: &'static [&'static str],
    /// Words that make the whole sentence say something else.
    pub(super) unless: &'static [&'static str],
    pub(super) class: Class,
}

/// A store's refusal reaches us under the store's status (400, 409), or under one of those that the
/// platform documents for a create (409, 422, 424). The words are the stores' own, so none of the
/// four makes them doubtful.
const FROM_STORE: &[u16] = &[400, 409, 422, 424];
const TAKEN: &[u16] = &[400, 409, 422];
const REFUSED: &[u16] = &[400, 422];

/// What else a server keeps and refuses to have twice. In all these lists the singular stands for
/// the plural too.
const OTHER_THINGS: &[&str] = &[
    "account",
    "alias",
    "application",
    "branch",
    "cluster",
    "collaborator",
    "deployment",
    "environment",
    "file",
    "integration",
    "job",
    "key",
    "label",
    "member",
    "model",
    "namespace",
    "pipeline",
    "project",
    "repository",
    "role",
    "service",
    "store",
    "tag",
    "team",
    "tenant",
    "user",
    "vault",
    "version",
    "workspace",
];
/// What else a server deletes and recovers.
const GROUPS_AND_OTHER_THINGS: &[&str] = &[
    "group",
    "account",
    "application",
    "cluster",
    "collaborator",
    "deployment",
    "environment",
    "integration",
    "job",
    "model",
    "namespace",
    "pipeline",
    "project",
    "repository",
    "service",
    "store",
    "team",
    "tenant",
    "user",
    "vault",
    "version",
    "workspace",
];
const PARTS_OF_A_GROUP: &[&str] = &[
    "collaborator",
    "deployment",
    "integration",
    "key",
    "member",
    "pipeline",
    "request",
    "store",
    "version",
];

const fn held(store: SecretStoreKind, state: SoftDeleteState) -> Class {
    Class::SoftDeleted { store: Some(store), state, name: None }
}

/// Read from the top: the first row that fits wins; where none does, the status alone decides.
///
/// What needs no words (401, 403, 404, 424, 429, 5xx) is decided there too. A row must be sure: a
/// wrong class misleads people and programs, where the plain status with the server's own message
/// would have helped. That is why a verb stands before a state: `is not being deleted` must not
/// fit.
pub(super) static ROWS: &[Row] = &[
    // Name held by a soft-deleted secret, which is being recovered.
    Row {
        statuses: FROM_STORE,
        codes: &["objectisbeingrecovered"],
        words: &["secret|object * is|was|already|currently|still being recovered"],
        never_between: GROUPS_AND_OTHER_THINGS,
        unless: &[],
        class: held(SecretStoreKind::AzureVault, SoftDeleteState::BeingRecovered),
    },
    Row {
        statuses: FROM_STORE,
        codes: &[],
        words: &["currently being recovered"],
        never_between: &[],
        unless: GROUPS_AND_OTHER_THINGS,
        class: held(SecretStoreKind::AzureVault, SoftDeleteState::BeingRecovered),
    },
    // The same, still being deleted.
    Row {
        statuses: FROM_STORE,
        codes: &["objectisbeingdeleted"],
        words: &["secret|object * is|was|already|currently|still being deleted"],
        never_between: GROUPS_AND_OTHER_THINGS,
        unless: &[],
        class: held(SecretStoreKind::AzureVault, SoftDeleteState::BeingDeleted),
    },
    Row {
        statuses: FROM_STORE,
        codes: &[],
        words: &["currently being deleted"],
        never_between: &[],
        unless: GROUPS_AND_OTHER_THINGS,
        class: held(SecretStoreKind::AzureVault, SoftDeleteState::BeingDeleted),
    },
    // The same, deleted, on Azure.
    Row {
        statuses: FROM_STORE,
        codes: &["objectisdeletedbutrecoverable"],
        words: &[
            "secret|object * is|was|already|currently|still in a|the deleted state",
            "secret|object * is|was|already|currently|still in deleted state",
            "secret|object|resource * is|was|already|currently|still in a deleted but recoverable",
            "conflict|conflicts|conflicted|conflicting * soft deleted secret|object|resource|item",
            "soft deleted secret|object|resource * exists|exist",
            "name * used|held|taken|reserved|blocked by a soft deleted",
        ],
        never_between: GROUPS_AND_OTHER_THINGS,
        unless: &[],
        class: held(SecretStoreKind::AzureVault, SoftDeleteState::Deleted),
    },
    Row {
        statuses: FROM_STORE,
        codes: &[],
        words: &["already|currently in a deleted state", "in a deleted but recoverable state"],
        never_between: &[],
        unless: GROUPS_AND_OTHER_THINGS,
        class: held(SecretStoreKind::AzureVault, SoftDeleteState::Deleted),
    },
    // The same, on AWS Secrets Manager.
    Row {
        statuses: FROM_STORE,
        codes: &[],
        words: &["secret * is|was|already|currently|still|been scheduled|marked for deletion"],
        never_between: GROUPS_AND_OTHER_THINGS,
        unless: &[],
        class: held(SecretStoreKind::AwsSecretsManager, SoftDeleteState::Deleted),
    },
    // No store connected.
    Row {
        statuses: &[400, 404, 422],
        codes: &[],
        words: &[
            "no secret store|stores * configured|connected|integrated|attached|linked|enabled|setup",
            "no secret store|stores * set up",
            "not have a|any secret store|stores configured|connected|integrated|attached|linked",
        ],
        never_between: &["fqn", "group", "id", "key", "secret", "version"],
        unless: &["fqn"],
        class: Class::NoSecretStore,
    },
    // The same; but a store that was named and is unknown is "not found", and one that is
    // connected badly is there.
    Row {
        statuses: &[400, 404, 422],
        codes: &[],
        words: &[
            "no secret store|stores * found|available|exists|exist",
            "has|have no secret store|stores",
            "secret store|stores * not configured|connected|integrated|attached|linked|enabled",
            "secret store|stores * not been configured|connected|integrated|attached|linked|enabled",
            "secret store|stores * not set up",
        ],
        never_between: &["group", "key", "secret", "version"],
        unless: &[
            "access",
            "called",
            "correctly",
            "fqn",
            "id",
            "matching",
            "named",
            "permission",
            "properly",
            "reachable",
            "role",
            "to",
            "with",
        ],
        class: Class::NoSecretStore,
    },
    // Key with `_` on Azure: no other store is known to refuse it.
    Row {
        statuses: REFUSED,
        codes: &[],
        words: &[
            "key|keys * not|cannot|cant|doesnt|dont|never|no * underscore|underscores",
            "key|keys * not|cannot|cant|doesnt|dont|never allow|use underscore|underscores",
            "secret name|names * not|cannot|cant|doesnt|dont|never|no * underscore|underscores",
            "secret name|names * not|cannot|cant|doesnt|dont|never allow|use underscore|underscores",
            "key|keys * underscore|underscores * not|cannot|arent|isnt|unsupported|disallowed|forbidden",
            "underscore|underscores * not|cannot|arent|isnt|unsupported|disallowed|forbidden * key|keys",
            "not|cannot|doesnt|dont * underscore|underscores * key|keys",
            "not|cannot|doesnt|dont allow|use underscore|underscores * key|keys",
            "not|cannot|doesnt|dont * underscore|underscores * secret name|names",
            "not|cannot|doesnt|dont allow|use underscore|underscores * secret name|names",
            "no underscore|underscores * key|keys",
            "invalid|unsupported * key|keys * underscore|underscores",
        ],
        // Behind the last four underscores are what is allowed.
        never_between: &[
            "description",
            "label",
            "tag",
            "value",
            "allow",
            "match",
            "replace",
            "use",
        ],
        // A rule about something else in which underscores come up, often as what is allowed.
        unless: &[
            "begin", "end", "except", "instead", "leading", "only", "other", "start", "trailing",
            "unless",
        ],
        class: Class::KeyNotSupported { key: None, store: Some(SecretStoreKind::AzureVault) },
    },
    // Empty list on update.
    Row {
        statuses: REFUSED,
        codes: &[],
        words: &[
            "group|groups * with|has|have|having|contain|contains zero|0|no secrets",
            "group|groups * without any|a secret|secrets",
            "group|groups * without secrets",
            "group|groups cannot|cant be empty",
            "group|groups must|should|may|can not be empty",
            "cannot|cant * with zero|0|no|empty secrets",
            "at least one|1 secret|secrets * required|needed|expected|provided|given|specified|present",
            "include|provide|contain|specify|add|have|need|needs|require|requires * at least one|1 secret|secrets",
            "secrets must|should contain|have at least one|1",
            "secrets cannot|cant be empty",
            "secrets cannot|cant|must|should|may be an empty array|list",
            "secrets list|array must|should contain|have at least one|1",
            "secrets must|should|may|can not be empty",
            "secrets list|array cannot|cant be empty",
            "secrets list|array must|should|may|can not be empty",
            "list|array of secrets * cannot be empty",
            "list|array of secrets * not be empty",
            "secrets list|array is empty",
        ],
        never_between: PARTS_OF_A_GROUP,
        unless: &[
            "integration",
            "called",
            "key",
            "matching",
            "named",
            "store",
            "underscore",
            "value",
            "version",
        ],
        class: Class::EmptyGroup,
    },
    // Entry without key or value on create.
    Row {
        statuses: &[422],
        codes: &[],
        words: &[
            "secret|secrets|entry|entries * has|have|having|contain|contains * key and|or value",
            "secret|secrets|entry|entries * has|have|having|contain|contains * value and|or key",
            "key and|or value * required|missing|empty|needed",
            "value and|or key * required|missing|empty|needed",
            "secret|secrets|entry|entries * missing|requires|require|needs|need key|value",
            "secret|secrets|entry|entries * missing|requires|require|needs|need a|its|the|field|required key|value",
            "secret|secrets|entry|entries * without a|its|any key|value",
            "secrets # key|value required|missing|undefined",
            "secrets # key|value field required",
            "secrets # key|value is required|missing|empty|undefined|null",
            "secrets # key|value is a required field",
            "secrets # key|value cannot be empty|null|undefined",
            "secrets # key|value should|must|may|can not be empty|null|undefined",
            "missing key|value for|in|of|at",
        ],
        never_between: &["group", "integration", "store", "version"],
        unless: &[
            "byte",
            "characters",
            "duplicate",
            "duplicated",
            "exceed",
            "identical",
            "invalid",
            "kb",
            "large",
            "larger",
            "limit",
            "long",
            "longer",
            "match",
            "matching",
            "max",
            "maximum",
            "permission",
            "same",
            "short",
            "shorter",
            "size",
            "too",
            "underscore",
            "unique",
        ],
        class: Class::MissingFields,
    },
    // Name taken. A secret that exists, in the store or in the group, is another conflict: the error names
    // a group.
    Row {
        statuses: TAKEN,
        codes: &[],
        words: &[
            "group|groups * already exists|exist",
            "group|groups * exists already",
            "secret group * already taken|used",
            "secret group * already in use",
            "already * secret group with|named|called",
            "duplicate secret group",
            "duplicate group name",
        ],
        never_between: PARTS_OF_A_GROUP,
        unless: &["collaborator", "integration", "key", "pipeline", "version"],
        class: Class::AlreadyExists,
    },
    // The same, where the text does not say whose name: then it must not be that of another thing.
    Row {
        statuses: TAKEN,
        codes: &[],
        words: &[
            "name already exists|exist",
            "name * already taken|used",
            "name * already been taken|used",
            "name * already in use",
            "already exists with this|the|that|same name",
            "already exists with the same name",
        ],
        never_between: PARTS_OF_A_GROUP,
        unless: OTHER_THINGS,
        class: Class::AlreadyExists,
    },
];
