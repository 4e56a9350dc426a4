use std::fmt;
use std::time::Duration;

use crate::redact::Quoted;
use crate::stores::SecretStoreKind;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
/// Azure Key Vault's own default; 7 to 90 days can be set per vault.
const AZURE_RETENTION: Duration = Duration::from_secs(90 * DAY.as_secs());
/// The longest of AWS Secrets Manager's 7 to 30 days, and its default.
const AWS_RETENTION: Duration = Duration::from_secs(30 * DAY.as_secs());

/// The state of a deleted secret whose name the store still holds.
///
/// Some stores keep a deleted secret for a while, so that it can be brought back. Until it is gone
/// for good, its name cannot be used again.
///
/// ```no_run
/// # fn f(details: &truefoundry_secrets::SoftDeleted) {
/// use truefoundry_secrets::SoftDeleteState;
///
/// let retry_soon = details.state() != SoftDeleteState::Deleted;
/// # }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SoftDeleteState {
    /// Deleted and kept: the name is free once the secret is purged, or its retention ends.
    Deleted,
    /// The store is still deleting it. A later call may show another state.
    BeingDeleted,
    /// The store is recovering it. Once that is done, the name belongs to a live secret.
    BeingRecovered,
}

/// A deleted secret that its store still holds, so that its name cannot be used.
///
/// Azure Key Vault keeps deleted secrets for 90 days by default, AWS Secrets Manager for 7 to 30 days
/// if deletion was scheduled. The TrueFoundry API cannot purge them.
///
/// ```no_run
/// # async fn f(client: truefoundry_secrets::Client, new: truefoundry_secrets::NewSecretGroup)
/// # -> truefoundry_secrets::Result<()> {
/// use truefoundry_secrets::Error;
///
/// if let Err(Error::SoftDeleted { details, .. }) = client.secret_groups().create(new).await {
///     eprintln!("{details}");
///     for option in details.recovery_options() {
///         eprintln!("- {option}");
///     }
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SoftDeleted {
    name: Option<Box<str>>,
    store: Option<SecretStoreKind>,
    state: SoftDeleteState,
}

/// A way out of a name held by a deleted secret.
///
/// ```no_run
/// # fn f(details: &truefoundry_secrets::SoftDeleted) {
/// use truefoundry_secrets::RecoveryOption;
///
/// for option in details.recovery_options() {
///     if let RecoveryOption::PurgeWithCli { command, .. } = option {
///         println!("an administrator can run: {command}");
///     }
/// }
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RecoveryOption {
    /// Use another group name. The fastest, and always possible.
    UseAnotherName,
    /// Azure portal: Key Vault, Manage deleted secrets, Purge. Not possible with purge protection.
    PurgeInPortal,
    /// Run this command. Not possible with purge protection.
    #[non_exhaustive]
    PurgeWithCli {
        /// The command; fill in `<vault>`, and `<secret-name>` if the server did not name the
        /// secret.
        command: String,
    },
    /// The store is still working on the name: retry the call in a moment.
    RetryLater,
    /// Wait until the store forgets the name.
    #[non_exhaustive]
    Wait {
        /// The longest wait, counted from the deletion.
        at_most: Duration,
    },
}

impl SoftDeleted {
    pub(crate) fn new(
        name: Option<String>,
        store: Option<SecretStoreKind>,
        state: SoftDeleteState,
    ) -> Self {
        Self { name: name.map(String::into_boxed_str), store, state }
    }

    /// The secret's name in the store, if the server named it.
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// The store that holds it, if known.
    pub fn store(&self) -> Option<&SecretStoreKind> {
        self.store.as_ref()
    }

    /// Whether it is deleted, or still being deleted or recovered.
    pub fn state(&self) -> SoftDeleteState {
        self.state
    }

    /// How long the store keeps it at most, by its documented default: 90 days for Azure Key Vault
    /// (7 to 90 can be set), 30 for AWS Secrets Manager; `None` for other stores, or if the store
    /// is not known.
    pub fn retention(&self) -> Option<Duration> {
        match self.store.as_ref()? {
            SecretStoreKind::AzureVault => Some(AZURE_RETENTION),
            SecretStoreKind::AwsSecretsManager => Some(AWS_RETENTION),
            _ => None,
        }
    }

    /// The recovery options, fastest first.
    pub fn recovery_options(&self) -> Vec<RecoveryOption> {
        let mut options = Vec::new();
        if self.state != SoftDeleteState::Deleted {
            options.push(RecoveryOption::RetryLater);
        }
        options.push(RecoveryOption::UseAnotherName);
        if self.state != SoftDeleteState::BeingRecovered {
            options.extend(self.purge_options());
        }
        if let Some(at_most) = self.retention() {
            options.push(RecoveryOption::Wait { at_most });
        }
        options
    }

    fn purge_options(&self) -> Vec<RecoveryOption> {
        match &self.store {
            Some(store @ SecretStoreKind::AzureVault) => {
                let name = self.pasteable_name(store);
                let command =
                    format!("az keyvault secret purge --vault-name <vault> --name {name}");
                vec![RecoveryOption::PurgeInPortal, RecoveryOption::PurgeWithCli { command }]
            }
            Some(store @ SecretStoreKind::AwsSecretsManager) => {
                let name = self.pasteable_name(store);
                let command = format!(
                    "aws secretsmanager delete-secret --secret-id {name} \
                     --force-delete-without-recovery"
                );
                vec![RecoveryOption::PurgeWithCli { command }]
            }
            _ => Vec::new(),
        }
    }

    /// The name, if it is harmless when pasted into a shell; otherwise a placeholder.
    fn pasteable_name(&self, store: &SecretStoreKind) -> &str {
        self.name
            .as_deref()
            .filter(|name| store.check_key(name).is_ok() && !name.starts_with('-'))
            .unwrap_or("<secret-name>")
    }
}

impl fmt::Display for SoftDeleted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.name {
            Some(name) => write!(f, "the name {}", Quoted(name))?,
            None => f.write_str("the name")?,
        }
        f.write_str(match self.state {
            SoftDeleteState::BeingDeleted => " belongs to a secret that is still being deleted",
            SoftDeleteState::BeingRecovered => " belongs to a secret that is being recovered",
            SoftDeleteState::Deleted => " is held by a deleted secret",
        })?;
        match &self.store {
            Some(store) => write!(f, " in {store}"),
            None => f.write_str(" in the store"),
        }
    }
}

impl fmt::Display for RecoveryOption {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UseAnotherName => f.write_str("use another group name"),
            Self::PurgeInPortal => f.write_str(
                "purge it in the Azure portal (Key Vault, Manage deleted secrets, Purge)",
            ),
            Self::PurgeWithCli { command } => write!(f, "purge it with `{command}`"),
            Self::RetryLater => f.write_str("retry the call in a moment"),
            Self::Wait { at_most } => {
                write!(f, "wait up to {} days", at_most.as_secs() / DAY.as_secs())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn deleted(name: &str, store: SecretStoreKind) -> SoftDeleted {
        SoftDeleted::new(Some(name.to_owned()), Some(store), SoftDeleteState::Deleted)
    }

    #[test]
    fn azure_offers_the_skills_three_ways_and_the_wait() {
        let options = deleted("prod-DB-PASSWORD", SecretStoreKind::AzureVault).recovery_options();
        assert_eq!(
            options,
            [
                RecoveryOption::UseAnotherName,
                RecoveryOption::PurgeInPortal,
                RecoveryOption::PurgeWithCli {
                    command:
                        "az keyvault secret purge --vault-name <vault> --name prod-DB-PASSWORD"
                            .to_owned()
                },
                RecoveryOption::Wait { at_most: 90 * DAY },
            ]
        );
    }

    #[test]
    fn aws_keeps_a_secret_thirty_days_at_most_and_can_be_made_to_forget() {
        let details = deleted("prod/db", SecretStoreKind::AwsSecretsManager);
        assert_eq!(details.retention(), Some(30 * DAY));
        let command = "aws secretsmanager delete-secret --secret-id prod/db \
                       --force-delete-without-recovery";
        assert_eq!(
            details.recovery_options(),
            [
                RecoveryOption::UseAnotherName,
                RecoveryOption::PurgeWithCli { command: command.to_owned() },
                RecoveryOption::Wait { at_most: 30 * DAY },
            ]
        );
        let unknown = SoftDeleted::new(None, None, SoftDeleteState::Deleted);
        assert_eq!(unknown.retention(), None);
        assert_eq!(unknown.recovery_options(), [RecoveryOption::UseAnotherName]);
    }

    #[test]
    fn a_name_that_could_do_more_than_name_never_reaches_a_command() {
        for name in ["x; rm -rf ~", "$(id)", "a b", "`id`", "--help", "", "a\nb"] {
            for store in [SecretStoreKind::AzureVault, SecretStoreKind::AwsSecretsManager] {
                let options = deleted(name, store).recovery_options();
                let command = options.iter().find_map(|option| match option {
                    RecoveryOption::PurgeWithCli { command } => Some(command),
                    _ => None,
                });
                assert!(
                    command.is_some_and(|c| c.contains("<secret-name>")),
                    "{name}: {command:?}"
                );
            }
        }
    }

    #[test]
    fn while_the_store_is_at_work_the_first_advice_is_to_try_again() {
        let busy = SoftDeleted::new(
            None,
            Some(SecretStoreKind::AzureVault),
            SoftDeleteState::BeingRecovered,
        );
        assert_eq!(
            busy.recovery_options(),
            [
                RecoveryOption::RetryLater,
                RecoveryOption::UseAnotherName,
                RecoveryOption::Wait { at_most: 90 * DAY },
            ]
        );
    }
}
