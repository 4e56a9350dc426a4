//! What each store accepts. Kept apart from the client's own checks on purpose: the server has to
//! refuse what a client failed to notice.

use super::response::Response;
use crate::stores::SecretStoreKind;

const KIB: usize = 1024;

pub(super) fn check_key(kind: &SecretStoreKind, key: &str) -> Result<(), Response> {
    let only =
        |allowed: &str| key.chars().all(|c| c.is_ascii_alphanumeric() || allowed.contains(c));
    let lower = key.to_ascii_lowercase();
    let broken = match kind {
        SecretStoreKind::AzureVault if key.contains('_') => {
            "Key name does not support underscores (_)"
        }
        SecretStoreKind::AzureVault if !only("-") || key.len() > 127 => {
            "Key name may have 1 to 127 letters, digits and hyphens only"
        }
        SecretStoreKind::AwsSecretsManager if !only("/_+=.@-") || key.len() > 512 => {
            "Key name may have up to 512 letters, digits and /_+=.@- only"
        }
        SecretStoreKind::AwsParameterStore
            if lower.starts_with("aws") || lower.starts_with("ssm") =>
        {
            "Key name must not begin with aws or ssm"
        }
        SecretStoreKind::AwsParameterStore if !only("_.-/") => {
            "Key name may have letters, digits and _.-/ only"
        }
        SecretStoreKind::GcpSecretManager if !only("_-") || key.len() > 255 => {
            "Key name may have 1 to 255 letters, digits, underscores and hyphens only"
        }
        _ => return Ok(()),
    };
    Err(Response::error(422, broken))
}

pub(super) fn check_value(kind: &SecretStoreKind, key: &str, value: &str) -> Result<(), Response> {
    let limit = match kind {
        SecretStoreKind::AzureVault => 25 * KIB,
        SecretStoreKind::AwsSecretsManager | SecretStoreKind::GcpSecretManager => 64 * KIB,
        SecretStoreKind::AwsParameterStore => 8 * KIB,
        _ => return Ok(()),
    };
    if value.len() > limit {
        return Err(Response::error(422, format!("Value of {key} exceeds {limit} bytes")));
    }
    Ok(())
}
