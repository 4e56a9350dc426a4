use std::fmt;

/// The kind of store behind a secret group.
///
/// The names are those of the API's `manifest.type`, such as `integration/secret-store/azure/vault`.
/// A kind this version does not know is kept in [`Other`](Self::Other).
///
/// ```
/// use truefoundry_secrets::SecretStoreKind;
///
/// let azure = SecretStoreKind::from_api_type("integration/secret-store/azure/vault");
/// assert_eq!(azure, SecretStoreKind::AzureVault);
/// assert_eq!(azure.to_string(), "Azure Key Vault");
/// assert!(azure.check_key("DB_PASSWORD").is_err());
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SecretStoreKind {
    /// AWS Secrets Manager.
    AwsSecretsManager,
    /// AWS Systems Manager Parameter Store.
    AwsParameterStore,
    /// Azure Key Vault.
    AzureVault,
    /// Google Cloud Secret Manager.
    GcpSecretManager,
    /// `HashiCorp` Vault.
    HashicorpVault,
    /// The platform's own database.
    TrueFoundryDb,
    /// A store of the customer's own, connected through TrueFoundry's generic integration.
    Generic,
    /// A kind that this version does not know, as the API spells it:
    /// [`from_api_type`](Self::from_api_type) makes it, and the pattern is `Other { .. }`. A later version may have
    /// a variant for it, so compare [`api_type`](Self::api_type).
    #[non_exhaustive]
    Other(String),
}

const PREFIX: &str = "integration/secret-store/";

impl SecretStoreKind {
    /// The kind that an API type such as `integration/secret-store/azure/vault` names.
    ///
    /// For a known kind the part after the common prefix is enough (`azure/vault`); another kind must be
    /// given whole to equal the API's.
    pub fn from_api_type(api_type: &str) -> Self {
        match api_type.strip_prefix(PREFIX).unwrap_or(api_type) {
            "aws/secrets-manager" => Self::AwsSecretsManager,
            "aws/parameter-store" => Self::AwsParameterStore,
            "azure/vault" => Self::AzureVault,
            "gcp/gsm" | "gcp/secret-manager" => Self::GcpSecretManager,
            "hashicorp/vault" => Self::HashicorpVault,
            "truefoundry/db" => Self::TrueFoundryDb,
            "custom/generic" => Self::Generic,
            _ => Self::Other(api_type.to_owned()),
        }
    }

    /// Whether the API's name begins as those of stores do.
    pub(crate) fn is_api_type(&self) -> bool {
        self.api_type().starts_with(PREFIX)
    }

    /// The API's own name for this kind, such as `integration/secret-store/azure/vault`.
    pub fn api_type(&self) -> &str {
        match self {
            Self::AwsSecretsManager => "integration/secret-store/aws/secrets-manager",
            Self::AwsParameterStore => "integration/secret-store/aws/parameter-store",
            Self::AzureVault => "integration/secret-store/azure/vault",
            Self::GcpSecretManager => "integration/secret-store/gcp/gsm",
            Self::HashicorpVault => "integration/secret-store/hashicorp/vault",
            Self::TrueFoundryDb => "integration/secret-store/truefoundry/db",
            Self::Generic => "integration/secret-store/custom/generic",
            Self::Other(name) => name,
        }
    }
}

/// The store's product name, such as `Azure Key Vault`.
impl fmt::Display for SecretStoreKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::AwsSecretsManager => "AWS Secrets Manager",
            Self::AwsParameterStore => "AWS Parameter Store",
            Self::AzureVault => "Azure Key Vault",
            Self::GcpSecretManager => "GCP Secret Manager",
            Self::HashicorpVault => "HashiCorp Vault",
            Self::TrueFoundryDb => "TrueFoundry's own store",
            Self::Generic => "a generic store",
            Self::Other(name) => return write!(f, "{}", name.escape_debug()),
        })
    }
}
