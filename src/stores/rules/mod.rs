//! What each store accepts as a key and as a value, so that a bad one is refused before anything is sent.
//!
//! The rules are the stores' own, from their documentation. The platform puts a prefix in front of
//! the names it stores, so a limit on a key's length is an upper bound: a key within it can still be
//! too long for the store.

#[cfg(test)]
mod tests;

use std::error::Error;
use std::fmt;

use super::kind::SecretStoreKind;
use crate::secret_value::SecretValue;

struct Rule {
    /// What a key may hold in addition to ASCII letters and digits.
    symbols: &'static str,
    /// The same, in words.
    characters: &'static str,
    reserved: &'static [&'static str],
    max_key: usize,
    max_value: usize,
}

// https://learn.microsoft.com/azure/key-vault/general/about-keys-secrets-certificates (names),
// https://learn.microsoft.com/azure/key-vault/secrets/about-secrets (25 KB). 25 KB is read as
// 25 × 1,024, the larger of its two meanings: the service has the last word on what lies between.
const AZURE: Rule = Rule {
    symbols: "-",
    characters: "letters, digits and `-`",
    reserved: &[],
    max_key: 127,
    max_value: 25 * 1024,
};

// https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_CreateSecret.html
const SECRETS_MANAGER: Rule = Rule {
    symbols: "/_+=.@-",
    characters: "letters, digits and `/_+=.@-`",
    reserved: &[],
    max_key: 512,
    max_value: 65_536,
};

// https://docs.aws.amazon.com/systems-manager/latest/userguide/sysman-parameter-name-constraints.html
// The limit on a value is the advanced tier's: which tier the platform writes to is not known here.
// The reserved words apply to the start of the stored name. TrueFoundry's published IAM policies
// have it write under `/tfy-secret/`, so a key with such a word may well pass. That is untested,
// and the check can be switched off.
const PARAMETER_STORE: Rule = Rule {
    symbols: "_.-/",
    characters: "letters, digits and `_.-/`",
    reserved: &["aws", "ssm"],
    max_key: 1011,
    max_value: 8 * 1024,
};

// https://cloud.google.com/secret-manager/docs/reference/rest/v1/projects.secrets/create (names),
// https://cloud.google.com/secret-manager/quotas (64 KiB)
const GCP: Rule = Rule {
    symbols: "_-",
    characters: "letters, digits, `_` and `-`",
    reserved: &[],
    max_key: 255,
    max_value: 64 * 1024,
};

/// The stores whose rules are known, in the order in which a hint names them.
static KNOWN: [SecretStoreKind; 4] = [
    SecretStoreKind::AwsSecretsManager,
    SecretStoreKind::AwsParameterStore,
    SecretStoreKind::GcpSecretManager,
    SecretStoreKind::AzureVault,
];

impl Rule {
    fn allows(&self, character: char) -> bool {
        character.is_ascii_alphanumeric() || self.symbols.contains(character)
    }

    fn check(&self, key: &str) -> Result<(), KeyProblemReason> {
        if let Some((position, character)) = key.char_indices().find(|(_, c)| !self.allows(*c)) {
            return Err(KeyProblemReason::Character { character, position });
        }
        // AWS names `/aws/…` among its examples of what fails: a leading slash hides nothing.
        let start = key.trim_start_matches('/').as_bytes();
        for &prefix in self.reserved {
            if start.get(..prefix.len()).is_some_and(|s| s.eq_ignore_ascii_case(prefix.as_bytes()))
            {
                return Err(KeyProblemReason::ReservedPrefix { prefix });
            }
        }
        // Only ASCII is left by now, so bytes are characters.
        if key.len() > self.max_key {
            return Err(KeyProblemReason::TooLong { length: key.len(), limit: self.max_key });
        }
        Ok(())
    }
}

impl SecretStoreKind {
    /// Checks a secret's key against the rules that this store documents.
    ///
    /// | store | characters | length |
    /// |---|---|---|
    /// | Azure Key Vault | letters, digits, `-` | 127 |
    /// | AWS Secrets Manager | letters, digits, `/_+=.@-` | 512 |
    /// | AWS Parameter Store | letters, digits, `_.-/`; not beginning with `aws` or `ssm` | 1,011 |
    /// | GCP Secret Manager | letters, digits, `_`, `-` | 255 |
    ///
    /// The rules are from the stores' own documentation. Letters and digits are ASCII ones. For the
    /// other stores no rule is known, and only an empty key is refused. The lengths are upper
    /// bounds, since the platform stores the key under a prefix of its own.
    ///
    /// ```
    /// use truefoundry_secrets::SecretStoreKind;
    ///
    /// let problem = SecretStoreKind::AzureVault.check_key("DB_PASSWORD").unwrap_err();
    /// assert_eq!(problem.suggestion(), Some("DB-PASSWORD"));
    /// assert!(problem.accepted_by().any(|store| *store == SecretStoreKind::AwsSecretsManager));
    /// ```
    ///
    /// # Errors
    ///
    /// [`KeyProblem`], which says which rule the key breaks.
    pub fn check_key(&self, key: &str) -> Result<(), KeyProblem> {
        let reason = if key.is_empty() {
            KeyProblemReason::Empty
        } else {
            match self.rule().map_or(Ok(()), |rule| rule.check(key)) {
                Ok(()) => return Ok(()),
                Err(reason) => reason,
            }
        };
        Err(KeyProblem {
            store: self.clone(),
            reason,
            suggestion: self.suggest_key(key).map(String::into_boxed_str),
            accepted_by: StoreSet::of(|rule| !key.is_empty() && rule.check(key).is_ok()),
        })
    }

    /// A key like this one which the store accepts, or `None` if the key is valid already or no sensible one
    /// is known.
    ///
    /// White space around the key is dropped and each character that the store refuses becomes `-`,
    /// or `_` if the store accepts that and the key has no `-` yet. A key that is too long, that
    /// begins with a reserved word, or that has letters outside ASCII gets no suggestion: cutting
    /// or dropping those would make it another name.
    ///
    /// Two keys can get the same suggestion (`A_B` and `A.B` on Azure), so look for duplicates
    /// before taking it.
    ///
    /// ```
    /// use truefoundry_secrets::SecretStoreKind;
    ///
    /// let azure = SecretStoreKind::AzureVault;
    /// assert_eq!(azure.suggest_key("DB_PASSWORD").as_deref(), Some("DB-PASSWORD"));
    /// assert_eq!(azure.suggest_key("DB-PASSWORD"), None);
    /// ```
    pub fn suggest_key(&self, key: &str) -> Option<String> {
        let rule = self.rule()?;
        if rule.check(key).is_ok() {
            return None;
        }
        let key = key.trim();
        let filler = if rule.symbols.contains('_') && !key.contains('-') { '_' } else { '-' };
        let mut suggestion = String::with_capacity(key.len());
        for character in key.chars() {
            if rule.allows(character) {
                suggestion.push(character);
            } else if character.is_alphanumeric() || character.is_control() {
                return None;
            } else {
                suggestion.push(filler);
            }
        }
        let says_something = suggestion.contains(|c: char| c.is_ascii_alphanumeric());
        (says_something && rule.check(&suggestion).is_ok()).then_some(suggestion)
    }

    /// A form that two keys share if the store treats them as one.
    pub(crate) fn identity(&self, key: &str) -> String {
        match self {
            // https://learn.microsoft.com/azure/key-vault/general/about-keys-secrets-certificates: identifiers
            // are case-insensitive.
            Self::AzureVault => key.to_ascii_lowercase(),
            _ => key.to_owned(),
        }
    }

    /// Checks a value's length in bytes against the limit that this store documents; its text is not
    /// looked at. Azure Key Vault accepts 25,600, AWS Secrets Manager 65,536, AWS Parameter Store 8,192 (in its
    /// advanced tier; 4,096 in the standard one), GCP Secret Manager 65,536; no limit is known for the
    /// others.
    ///
    /// # Errors
    /// [`ValueProblem`] with the length and the limit.
    pub fn check_value(&self, value: &SecretValue) -> Result<(), ValueProblem> {
        self.check_value_len(value.len())
    }

    pub(crate) fn check_value_len(&self, bytes: usize) -> Result<(), ValueProblem> {
        match self.rule() {
            Some(rule) if bytes > rule.max_value => Err(ValueProblem {
                store: self.clone(),
                length: bytes,
                limit: rule.max_value,
                accepted_by: StoreSet::of(|rule| bytes <= rule.max_value),
            }),
            _ => Ok(()),
        }
    }

    fn rule(&self) -> Option<&'static Rule> {
        match self {
            Self::AzureVault => Some(&AZURE),
            Self::AwsSecretsManager => Some(&SECRETS_MANAGER),
            Self::AwsParameterStore => Some(&PARAMETER_STORE),
            Self::GcpSecretManager => Some(&GCP),
            Self::HashicorpVault | Self::TrueFoundryDb | Self::Generic | Self::Other(_) => None,
        }
    }
}

/// Some of [`KNOWN`], one bit each: an error need not own a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct StoreSet(u8);

impl StoreSet {
    fn of(accepts: impl Fn(&Rule) -> bool) -> Self {
        Self(KNOWN.iter().enumerate().fold(0, |set, (bit, store)| {
            set | (u8::from(store.rule().is_some_and(&accepts)) << bit)
        }))
    }

    fn iter(self) -> impl Iterator<Item = &'static SecretStoreKind> {
        KNOWN.iter().enumerate().filter(move |(bit, _)| self.0 & (1 << bit) != 0).map(|(_, s)| s)
    }
}

/// Why a store does not accept a key, from [`SecretStoreKind::check_key`].
///
/// ```
/// use truefoundry_secrets::SecretStoreKind;
///
/// let problem = SecretStoreKind::AzureVault.check_key("DB_PASSWORD").unwrap_err();
/// println!("{problem}");
/// assert_eq!(problem.suggestion(), Some("DB-PASSWORD"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyProblem {
    store: SecretStoreKind,
    reason: KeyProblemReason,
    suggestion: Option<Box<str>>,
    accepted_by: StoreSet,
}

/// The rule that a key breaks.
///
/// ```
/// use truefoundry_secrets::{KeyProblemReason, SecretStoreKind};
///
/// let problem = SecretStoreKind::AzureVault.check_key("DB_PASSWORD").unwrap_err();
/// assert!(matches!(problem.reason(), KeyProblemReason::Character { character: '_', position: 2, .. }));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyProblemReason {
    /// The key is empty, which no store and no reference allows.
    Empty,
    /// The key has a character that the store does not accept.
    #[non_exhaustive]
    Character {
        /// The first such character.
        character: char,
        /// Where it begins, in bytes from the start of the key.
        position: usize,
    },
    /// The key begins with a word that the store reserves.
    #[non_exhaustive]
    ReservedPrefix {
        /// That word, in lower case; the store ignores case here.
        prefix: &'static str,
    },
    /// The key is longer than the store's limit.
    #[non_exhaustive]
    TooLong {
        /// The key's length in characters.
        length: usize,
        /// The longest that the store accepts.
        limit: usize,
    },
}

impl KeyProblem {
    /// The store whose rule it is.
    pub fn store(&self) -> &SecretStoreKind {
        &self.store
    }

    /// The rule that the key breaks.
    pub fn reason(&self) -> KeyProblemReason {
        self.reason
    }

    /// A key like this one which the store accepts; see [`SecretStoreKind::suggest_key`].
    pub fn suggestion(&self) -> Option<&str> {
        self.suggestion.as_deref()
    }

    /// The stores whose documented rules allow the key as it is.
    ///
    /// Stores without a known rule (Vault, generic) are not among them: nothing says that they would.
    pub fn accepted_by(&self) -> impl Iterator<Item = &'static SecretStoreKind> + use<> {
        self.accepted_by.iter()
    }
}

/// One line that names the store and its rule, such as
/// ``Azure Key Vault accepts letters, digits and `-` in a key, not `_` (at byte 2)``.
impl fmt::Display for KeyProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let store = &self.store;
        match self.reason {
            KeyProblemReason::Empty => write!(f, "a key must not be empty"),
            KeyProblemReason::Character { character, position } => {
                let characters = store.rule().map_or("other characters", |rule| rule.characters);
                let character = character.escape_debug();
                write!(f, "{store} accepts {characters} in a key, not `{character}` ")?;
                write!(f, "(at byte {position})")
            }
            KeyProblemReason::ReservedPrefix { prefix } => {
                write!(
                    f,
                    "{store} does not accept a key that begins with `{prefix}` (case-insensitive)"
                )
            }
            KeyProblemReason::TooLong { length, limit } => {
                write!(f, "{store} accepts at most {limit} characters in a key, not {length}")
            }
        }
    }
}

impl Error for KeyProblem {}

/// Why a store does not accept a value: its length. It holds nothing of the value itself.
///
/// ```
/// use truefoundry_secrets::{SecretStoreKind, SecretValue};
///
/// let certificates = SecretValue::from("a".repeat(30_000));
/// let problem = SecretStoreKind::AzureVault.check_value(&certificates).unwrap_err();
/// assert_eq!((problem.length(), problem.limit()), (30_000, 25_600));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ValueProblem {
    store: SecretStoreKind,
    length: usize,
    limit: usize,
    accepted_by: StoreSet,
}

impl ValueProblem {
    /// The store whose limit it is.
    pub fn store(&self) -> &SecretStoreKind {
        &self.store
    }

    /// The value's length in bytes.
    pub fn length(&self) -> usize {
        self.length
    }

    /// The longest value that the store accepts, in bytes.
    pub fn limit(&self) -> usize {
        self.limit
    }

    /// The stores whose documented limit allows a value of this length.
    pub fn accepted_by(&self) -> impl Iterator<Item = &'static SecretStoreKind> + use<> {
        self.accepted_by.iter()
    }
}

/// One line that names the store and its limit, such as
/// `Azure Key Vault accepts at most 25600 bytes in a value, not 30000`.
impl fmt::Display for ValueProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { store, length, limit, .. } = self;
        write!(f, "{store} accepts at most {limit} bytes in a value, not {length}")
    }
}

impl Error for ValueProblem {}
