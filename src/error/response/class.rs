//! Classifies failed responses. The service has few stable codes, so for some statuses the
//! documented texts decide.

use super::body::ErrorBody;
use super::rules::RULES;
use crate::error::recovery::SoftDeleteState;
use crate::stores::SecretStoreKind;

/// What went wrong, before it is combined with the request.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum ErrorClass {
    Unauthorized,
    PermissionDenied,
    NotFound,
    AlreadyExists,
    Conflict,
    SoftDeleted { store: SecretStoreKind, state: SoftDeleteState },
    KeyNotSupported { store: SecretStoreKind },
    EmptyGroup,
    NoSecretStore,
    MissingFields,
    InvalidRequest,
    StoreFailed,
    RateLimited,
    Service,
    UnexpectedStatus,
}

/// Classifies by the first rule that fits one of the texts of `body`, or by the status if none
/// does.
pub(crate) fn classify(body: &ErrorBody) -> ErrorClass {
    let mut rules = RULES.iter().filter(|rule| rule.statuses.contains(&body.status)).peekable();
    if rules.peek().is_none() {
        return by_status(body.status);
    }
    let mut together = String::new();
    for text in body.texts() {
        together.push_str(text);
        together.push('\n');
    }
    together.make_ascii_lowercase();
    // The words of most rules do not occur in the joined texts, which is cheaper to test than each
    // text.
    let mut possible = rules.filter(|rule| rule.occurs(&together));
    let texts = || body.texts().map(str::to_ascii_lowercase);
    let fitting = possible.find(|rule| texts().any(|text| rule.fits(&text)));
    fitting.map_or_else(|| by_status(body.status), |rule| rule.class.clone())
}

/// What a status means by itself.
fn by_status(status: u16) -> ErrorClass {
    match status {
        401 => ErrorClass::Unauthorized,
        403 => ErrorClass::PermissionDenied,
        404 => ErrorClass::NotFound,
        409 => ErrorClass::Conflict,
        400 | 422 => ErrorClass::InvalidRequest,
        424 => ErrorClass::StoreFailed,
        429 => ErrorClass::RateLimited,
        // A request that took too long may be retried, as after a failure of the service.
        408 | 500..=599 => ErrorClass::Service,
        // 410 too: a retired endpoint must not look like a secret that is gone.
        _ => ErrorClass::UnexpectedStatus,
    }
}

#[cfg(test)]
mod tests {
    use SecretStoreKind::{AwsSecretsManager, AzureVault};
    use SoftDeleteState::{BeingDeleted, BeingRecovered, Deleted};
    use proptest::prelude::*;
    use serde_json::json;

    use super::super::body::parse;
    use super::super::body::tests::any_body;
    use super::ErrorClass::*;
    use super::*;

    const FROM_STORE: &[u16] = &[400, 409, 422, 424];

    fn class_of(status: u16, message: &str) -> ErrorClass {
        let body = json!({"statusCode": status, "message": message}).to_string();
        classify(&parse(status, Some("application/json"), body.as_bytes()))
    }

    fn soft_deleted(store: SecretStoreKind, state: SoftDeleteState) -> ErrorClass {
        SoftDeleted { store, state }
    }

    /// Every text that the documentation of the service, the stores and the skill lists.
    #[rustfmt::skip]
    fn documented() -> Vec<(&'static [u16], &'static str, ErrorClass)> {
        let azure = |state| soft_deleted(AzureVault, state);
        vec![
            (&[404], "Secret group ID not found", NotFound),
            (&[404], "Secret group ID not found. List groups first to find the correct ID.", NotFound),
            (&[403], "Cannot access secrets", PermissionDenied),
            (&[403], "Cannot access secrets. Check your API key permissions.", PermissionDenied),
            (&[403], "Forbidden", PermissionDenied),
            (&[401], "Unauthorized", Unauthorized),
            (&[409, 400, 422], "Secret group with this name already exists", AlreadyExists),
            (&[409, 400, 422], "Secret group with this name already exists. Use a different name.", AlreadyExists),
            (&[400, 422], "Cannot update secret group with zero secrets", EmptyGroup),
            (&[400, 422], "Cannot update secret group with zero secrets. Include at least one secret in the payload.", EmptyGroup),
            (&[400, 404, 422], "No secret store configured for this workspace", NoSecretStore),
            (&[400, 404, 422], "No secret store configured for this workspace. Contact your platform admin.", NoSecretStore),
            (&[400, 422], "Key name does not support underscores (_)", KeyNotSupported { store: AzureVault }),
            (&[400, 422], "Azure Key Vault does not allow underscores in secret key names. Use hyphens (DB-PASSWORD) or \
                choose a different secret store integration (AWS Secrets Manager supports underscores).", KeyNotSupported { store: AzureVault }),
            (FROM_STORE, "is already in a deleted state", azure(Deleted)),
            (FROM_STORE, "conflict with soft-deleted resource", azure(Deleted)),
            (FROM_STORE, "Error: Secret db-password is already in a deleted state / conflict with soft-deleted resource", azure(Deleted)),
            (FROM_STORE, "is currently in a deleted but recoverable state, and its name cannot be reused", azure(Deleted)),
            (FROM_STORE, "ObjectIsDeletedButRecoverable", azure(Deleted)),
            (FROM_STORE, "is currently being deleted", azure(BeingDeleted)),
            (FROM_STORE, "ObjectIsBeingDeleted", azure(BeingDeleted)),
            (FROM_STORE, "is currently being recovered and cannot be re-created; retry later", azure(BeingRecovered)),
            (FROM_STORE, "ObjectIsBeingRecovered", azure(BeingRecovered)),
            (FROM_STORE, "a secret with this name is already scheduled for deletion", soft_deleted(AwsSecretsManager, Deleted)),
            (FROM_STORE, "You can't create this secret because a secret with this name is already scheduled for deletion.",
                soft_deleted(AwsSecretsManager, Deleted)),
            (&[422], r#"Unprocessable entity. Ensure all secrets have both "key" and "value" fields."#, MissingFields),
            (&[424], "Failed Dependency", StoreFailed),
            (&[429], "Too Many Requests", RateLimited),
        ]
    }

    #[test]
    fn every_documented_text_is_read_in_every_documented_shape() {
        let page = |words: &str| {
            let words = words.replace('"', "&quot;");
            format!("<html><head><title>Error</title></head><body><h1>{words}</h1></body></html>")
        };
        for (statuses, words, class) in documented() {
            for &status in statuses {
                for body in [
                    json!({"statusCode": status, "message": words}).to_string(),
                    json!({"statusCode": status, "message": ["name is long", words]}).to_string(),
                    json!({"statusCode": status, "message": "Failed", "code": words}).to_string(),
                    json!({"message": "Failed", "details": {"reason": words}}).to_string(),
                    json!([words]).to_string(),
                    json!({"detail": words}).to_string(),
                    json!({"detail": [{"loc": ["body"], "msg": words}]}).to_string(),
                    json!({"error": words}).to_string(),
                    json!({"error": {"code": "Conflict", "message": words}}).to_string(),
                    page(words),
                    words.to_owned(),
                    words.to_uppercase(),
                ] {
                    let read = classify(&parse(status, None, body.as_bytes()));
                    assert_eq!(read, class, "{status} {body}");
                }
            }
        }
    }

    #[test]
    fn the_fakes_own_words_are_those_of_the_stores() {
        for (status, words, class) in [
            (
                409,
                "Secret app-DB is currently being deleted.",
                soft_deleted(AzureVault, BeingDeleted),
            ),
            (
                409,
                "Cannot create secret group: Secret app-DB is currently being deleted and cannot be re-created; retry later.",
                soft_deleted(AzureVault, BeingDeleted),
            ),
            (
                409,
                "Secret group app: Secret app-DB is currently in a deleted but recoverable state, and its name cannot be reused",
                soft_deleted(AzureVault, Deleted),
            ),
            (409, "Secret group with name 'api-key' already exists", AlreadyExists),
            (
                422,
                "Key 'DB_PASSWORD' does not support underscores",
                KeyNotSupported { store: AzureVault },
            ),
        ] {
            assert_eq!(class_of(status, words), class, "{words}");
        }
    }

    #[test]
    fn a_near_miss_stays_with_its_status() {
        for (status, words) in [
            (409, "Workspace is currently being deleted"),
            (409, "The secret group is currently being deleted"),
            (409, "Deployment using the secret is currently being deleted"),
            (409, "Secret x is not being deleted"),
            (503, "Secret x is currently being deleted"),
            (409, "Cluster is currently being recovered"),
            (409, "Secret group is already in a deleted state"),
            (409, "Application app with secret db is already in a deleted state"),
            (404, "Secret x is already in a deleted state"),
            (500, "ObjectIsDeletedButRecoverable"),
            (409, "NotObjectIsBeingDeleted"),
            (400, "Workspace is already scheduled for deletion"),
            (500, "Secret group with this name already exists"),
            (404, "Secret group with this name already exists"),
            (424, "Secret group with this name already exists"),
            (409, "Workspace with this name already exists"),
            (409, "A key of this name already exists in the secret group with the ID g-1"),
            (409, "The secret db-password already exists."),
            (409, "Cannot update secret group with zero secrets"),
            (400, "At least one secret store is required"),
            (404, "Secret store not found"),
            (404, "No secret store found with id 'int-1'"),
            (403, "No secret store configured for this workspace"),
            (422, "Key description does not support underscores"),
            (422, "Azure Key Vault: the group's name does not support underscores"),
            (409, "Key name does not support underscores (_)"),
            (400, r#"Ensure all secrets have both "key" and "value" fields."#),
            (422, "Ensure all secrets have a unique key"),
        ] {
            assert_eq!(class_of(status, words), by_status(status), "{status} {words}");
        }
        // Words of several problems do not count as one text.
        let spread =
            json!({"message": ["secrets.0.key is odd", "name does not support underscores"]});
        let body = parse(422, None, spread.to_string().as_bytes());
        assert_eq!(classify(&body), InvalidRequest);
    }

    #[test]
    fn without_words_the_status_decides() {
        let expected = [
            (UnexpectedStatus, &[200, 301, 304, 402, 405, 407, 410, 413, 415, 418, 600][..]),
            (InvalidRequest, &[400, 422]),
            (Unauthorized, &[401]),
            (PermissionDenied, &[403]),
            (NotFound, &[404]),
            (Conflict, &[409]),
            (StoreFailed, &[424]),
            (RateLimited, &[429]),
            (Service, &[408, 500, 502, 503, 504, 599]),
        ];
        for (class, statuses) in expected {
            for &status in statuses {
                for body in ["", "{}", "null", r#"{"message":"no"}"#, "<html></html>"] {
                    let read = classify(&parse(status, None, body.as_bytes()));
                    assert_eq!(read, class, "{status} {body}");
                }
            }
        }
    }

    proptest! {
        #[test]
        fn no_body_is_too_odd(status in prop_oneof![any::<u16>(), 400..425_u16], body in any_body()) {
            classify(&parse(status, None, &body));
        }
    }
}
