//! Any bytes as a response: every model's decoder, and the classification of failures with all that is
//! printed of them.
#![no_main]

use std::error::Error as _;

use libfuzzer_sys::fuzz_target;
use truefoundry_secrets::testing::{error_from_response, from_json};
use truefoundry_secrets::{
    Operation, PartialSecretGroup, Secret, SecretGroup, SecretGroupManifest, SecretStore,
    SecretVersion,
};

const OPERATIONS: [Operation; 4] = [
    Operation::CreateSecretGroup,
    Operation::UpdateSecretGroup,
    Operation::DeleteSecret,
    Operation::ListSecrets,
];

fuzz_target!(|input: (u16, u8, &[u8])| {
    let (status, operation, body) = input;
    let text = String::from_utf8_lossy(body);
    if let Some(secret) = from_json::<Secret>(&text) {
        let _ = (format!("{secret:?}"), secret.reference(), secret.updated_at());
        let shown = secret.value().map(ToString::to_string);
        assert!(shown.is_none_or(|shown| shown == "(set)" || shown == "(empty)"));
    }
    if let Some(group) = from_json::<SecretGroup>(&text) {
        let _ = (format!("{group:?}"), group.name(), group.created_at());
    }
    from_json::<PartialSecretGroup>(&text);
    from_json::<SecretGroupManifest>(&text);
    from_json::<SecretStore>(&text);
    from_json::<SecretVersion>(&text);

    let operation = OPERATIONS[usize::from(operation) % OPERATIONS.len()];
    let error = error_from_response(operation, status, &text);
    let line = error.to_string();
    assert!(line.len() < 8 * 1024, "{} bytes", line.len());
    assert!(!line.chars().any(char::is_control), "{line:?}");
    let _ = (format!("{error:?}"), error.hint(), error.source(), error.is_retryable());
});
