//! Values that already point elsewhere: references and templates of other systems.

/// How references of other systems begin, each with the page that says so.
const REFERENCES: &[&str] = &[
    // https://github.com/helmfile/vals
    "ref+",
    // https://developer.1password.com/docs/cli/secret-reference-syntax/
    "op://",
    // https://bank-vaults.dev/docs/mutating-webhook/configuration/
    "vault:",
    // https://argocd-vault-plugin.readthedocs.io/en/stable/howitworks/
    "<path:",
    // https://getsops.io/docs/
    "ENC[AES256_GCM,",
    // https://docs.ansible.com/ansible/latest/vault_guide/
    "$ANSIBLE_VAULT;",
    // https://learn.microsoft.com/azure/app-service/app-service-key-vault-references
    "@Microsoft.KeyVault(",
    // https://docs.aws.amazon.com/AmazonECS/latest/developerguide/secrets-envvar-secrets-manager.html
    "arn:aws:secretsmanager:",
    // https://docs.aws.amazon.com/AmazonECS/latest/developerguide/secrets-envvar-ssm-paramstore.html
    "arn:aws:ssm:",
    // https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/dynamic-references.html
    "{{resolve:",
    // https://docs.litellm.ai/docs/proxy/configs
    "os.environ/",
    // https://googlecloudplatform.github.io/spring-cloud-gcp/reference/html/
    "sm://",
    // https://cloud.google.com/secret-manager/docs/reference/rest
    "projects/",
    // https://docs.docker.com/compose/how-tos/use-secrets/
    "/run/secrets/",
];

/// Whether the whole value is a reference or a template.
pub(super) fn is_wholly(value: &str) -> bool {
    let is_reference = |beginning: &&str| {
        value.starts_with(beginning) && (*beginning != "projects/" || value.contains("/secrets/"))
    };
    (REFERENCES.iter().any(is_reference) && value.lines().count() <= 1)
        || value.starts_with("$ANSIBLE_VAULT;")
        || is_template(value)
}

/// Whether the text contains a template, or begins with a shell variable.
pub(super) fn has_template(text: &str) -> bool {
    ["${", "$(", "{{", "<%"].iter().any(|open| text.contains(open)) || variable(text).is_some()
}

/// Whether it is all templates, apart from the text between two of them.
fn is_template(value: &str) -> bool {
    let mut rest = value;
    let mut found = false;
    while !rest.is_empty() {
        let length = match template(rest) {
            Template::Long(length) => {
                found = true;
                length
            }
            Template::Open => return false,
            Template::None if rest.starts_with(char::is_alphanumeric) => return false,
            Template::None => rest.chars().next().map_or(1, char::len_utf8),
        };
        rest = rest.get(length..).unwrap_or_default();
    }
    found
}

enum Template {
    None,
    /// It is never closed.
    Open,
    Long(usize),
}

/// The template with which the text begins.
fn template(text: &str) -> Template {
    for (open, close) in [("${{", "}}"), ("{{", "}}"), ("<%", "%>"), ("$(", ")")] {
        if let Some(inner) = text.strip_prefix(open) {
            let end = inner.find(close).map(|at| open.len() + at + close.len());
            return end.map_or(Template::Open, Template::Long);
        }
    }
    if text.starts_with("${") {
        let mut depth = 0_usize;
        for (at, byte) in text.bytes().enumerate() {
            match byte {
                b'{' => depth += 1,
                b'}' if depth == 1 => return Template::Long(at + 1),
                b'}' => depth -= 1,
                _ => {}
            }
        }
        return Template::Open;
    }
    variable(text).map_or(Template::None, Template::Long)
}

/// The length of `$NAME`. In lower case it is more likely a password that begins with a dollar
/// sign.
fn variable(text: &str) -> Option<usize> {
    let name = text.strip_prefix('$')?;
    let end = name.find(|c: char| !c.is_ascii_uppercase() && !c.is_ascii_digit() && c != '_');
    let name = name.get(..end.unwrap_or(name.len()))?;
    (name.len() > 1 && name.starts_with(|c: char| !c.is_ascii_digit())).then_some(name.len() + 1)
}
