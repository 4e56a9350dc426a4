#[cfg(test)]
mod tests;

use std::error::Error;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::redact::is_steering;

/// What every reference begins with; the platform's pattern accepts lower case only.
pub(crate) const SCHEME: &str = "tfy-secret://";

/// The end of each refusal.
const WRITTEN: &str = "(a reference is written tfy-secret://tenant:group:key)";

/// A reference to a secret: its tenant, its group and its key, as manifests write it
/// (`tfy-secret://tenant:group:key`).
///
/// A reference says where a value is kept and holds no part of it, so it may be printed and logged.
///
/// # What is accepted
///
/// With the scheme, what the platform's own pattern `^tfy-secret:\/\/.+:.+:.+$` accepts: three parts
/// without a line break (`\n`, `\r`, U+2028 or U+2029), none of them empty. The first colons that
/// leave no part empty divide them, so a key may have colons, and spaces.
///
/// Two kinds of text that the pattern accepts are refused, because no secret is named by them:
/// - characters that cannot be seen or that steer a terminal: control characters, blanks other than
///   the space (U+00A0), characters without width and those that change the direction of the text;
/// - templates and placeholders that are not filled in: `${STAGE}`, `$STAGE`, `$(STAGE)`,
///   `{{ .Values.stage }}`, `{stage}`, `<stage>`.
///
/// The name alone (`tenant:group:key`), which the API calls the secret's FQN, is accepted too, unless
/// `/` follows its first colon: that is a URL of another scheme, or this one mistyped.
///
/// ```
/// use truefoundry_secrets::SecretRef;
///
/// let reference: SecretRef = "tfy-secret://my-org:prod-secrets:DB-PASSWORD".parse()?;
/// assert_eq!(reference.group(), "prod-secrets");
/// assert_eq!(reference.fqn(), "my-org:prod-secrets:DB-PASSWORD");
/// assert_eq!(reference, SecretRef::new("my-org", "prod-secrets", "DB-PASSWORD")?);
/// assert_eq!(reference, reference.fqn().parse()?);
/// # Ok::<(), truefoundry_secrets::ParseSecretRefError>(())
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SecretRef {
    /// The whole reference, scheme included: it is what is printed and compared.
    text: Box<str>,
    /// Where in `text` the colon after the tenant is.
    tenant_end: usize,
    /// Where in `text` the colon after the group is.
    group_end: usize,
}

impl SecretRef {
    /// Reads a reference, with the scheme (`tfy-secret://tenant:group:key`) or without it.
    ///
    /// # Errors
    ///
    /// [`ParseSecretRefError`], which says what is missing and where, and does not repeat the text.
    pub fn parse(text: &str) -> Result<Self, ParseSecretRefError> {
        let (base, name) = match text.strip_prefix(SCHEME) {
            Some(name) => (SCHEME.len(), name),
            None => (0, text),
        };
        let (tenant, group) = split(name).map_err(|error| error.shifted(base))?;
        // Only a bare name is in doubt: after the scheme, the pattern allows the slashes.
        if base == 0 && name.get(tenant..).is_some_and(|rest| rest.starts_with(":/")) {
            return Err(ParseSecretRefError::new(0, ParseSecretRefReason::OtherScheme));
        }
        let mut text = String::with_capacity(SCHEME.len() + name.len());
        text.push_str(SCHEME);
        text.push_str(name);
        Ok(Self {
            text: text.into_boxed_str(),
            tenant_end: SCHEME.len() + tenant,
            group_end: SCHEME.len() + group,
        })
    }

    /// The reference to a key of a group.
    ///
    /// What this makes, printed with or without the scheme, reads back as the same three parts.
    ///
    /// # Errors
    ///
    /// [`ParseSecretRefError`] if a part is empty or has one of the characters or templates that are
    /// refused (see [`SecretRef`]), if the tenant or the group has a colon, or if the group begins
    /// with `/`. The position is in the text that the parts would form.
    pub fn new(tenant: &str, group: &str, key: &str) -> Result<Self, ParseSecretRefError> {
        let tenant_at = SCHEME.len();
        let group_at = tenant_at + tenant.len() + 1;
        if let Some(colon) = tenant.find(':') {
            let reason = ParseSecretRefReason::ColonInTenant;
            return Err(ParseSecretRefError::new(tenant_at + colon, reason));
        }
        if let Some(colon) = group.find(':') {
            let reason = ParseSecretRefReason::ColonInGroup;
            return Err(ParseSecretRefError::new(group_at + colon, reason));
        }
        // An empty part must not be filled by a colon of its neighbour.
        if group.is_empty() {
            return Err(ParseSecretRefError::new(group_at, ParseSecretRefReason::NoGroup));
        }
        if tenant.is_empty() {
            return Err(ParseSecretRefError::new(tenant_at, ParseSecretRefReason::NoTenant));
        }
        if group.starts_with('/') {
            return Err(ParseSecretRefError::new(group_at, ParseSecretRefReason::OtherScheme));
        }
        Self::parse(&format!("{SCHEME}{tenant}:{group}:{key}"))
    }

    /// The tenant, such as `my-org`.
    pub fn tenant(&self) -> &str {
        self.text.get(SCHEME.len()..self.tenant_end).unwrap_or_default()
    }

    /// The name of the secret group.
    pub fn group(&self) -> &str {
        self.text.get(self.tenant_end + 1..self.group_end).unwrap_or_default()
    }

    /// The secret's key within its group.
    pub fn key(&self) -> &str {
        self.text.get(self.group_end + 1..).unwrap_or_default()
    }

    /// The fully qualified name, `tenant:group:key`: the reference without its scheme.
    pub fn fqn(&self) -> &str {
        self.text.get(SCHEME.len()..).unwrap_or_default()
    }

    /// The whole reference, without a copy.
    pub fn into_string(self) -> String {
        self.text.into_string()
    }

    /// The whole reference, `tfy-secret://tenant:group:key`.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

/// The positions of the two colons that divide a name into three parts, none of them empty.
///
/// Taking each colon as early as its part allows finds a division if any exists: what is left to the
/// parts behind is never shorter than with a later colon.
fn split(name: &str) -> Result<(usize, usize), ParseSecretRefError> {
    let fail = |position, reason| Err(ParseSecretRefError::new(position, reason));
    // Nearly all names are printable ASCII and hold no template, which is found out quickly.
    let may_be_odd = !name.bytes().all(|byte| matches!(byte, b' '..=b'~'));
    let odd = may_be_odd.then(|| name.char_indices().find(|&(_, it)| is_unprintable(it)));
    if let Some((position, character)) = odd.flatten() {
        return fail(
            position,
            match character {
                '\n' | '\r' | '\u{2028}' | '\u{2029}' => ParseSecretRefReason::LineBreak,
                _ => ParseSecretRefReason::Unprintable(character),
            },
        );
    }
    if let Some(position) = find_template(name) {
        return fail(position, ParseSecretRefReason::Template);
    }
    let colon_from = |start: usize| {
        name.bytes().enumerate().skip(start).find(|&(_, byte)| byte == b':').map(|(at, _)| at)
    };
    let tenant = colon_from(1);
    let group = tenant.and_then(|colon| colon_from(colon + 2));
    if let (Some(tenant), Some(group)) = (tenant, group)
        && group + 1 < name.len()
    {
        return Ok((tenant, group));
    }
    // `group/KEY`: a slash is to blame only if a colon is missing.
    if name.matches(':').count() < 2
        && let Some(slash) = name.find('/')
    {
        return fail(slash, ParseSecretRefReason::SlashForColon);
    }
    // If no division exists, the first colons show best which part is missing.
    let mut parts = name.splitn(3, ':');
    let tenant = parts.next().unwrap_or_default().len();
    if tenant == 0 {
        return fail(0, ParseSecretRefReason::NoTenant);
    }
    match parts.next() {
        None => fail(name.len(), ParseSecretRefReason::NoGroup),
        Some("") => fail(tenant + 1, ParseSecretRefReason::NoGroup),
        Some(_) => fail(name.len(), ParseSecretRefReason::NoKey),
    }
}

/// Whether a reader cannot tell that this character is part of a name, or a terminal would obey it.
fn is_unprintable(character: char) -> bool {
    is_steering(character)
        || (character.is_whitespace() && character != ' ')
        // Letters and symbols without a shape, and marks that only change the one before.
        || matches!(
            character,
            '\u{34f}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
            | '\u{2800}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{ffa0}'
            | '\u{fff0}'..='\u{fff8}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0080}'..='\u{e0fff}'
        )
}

/// Where the first template or placeholder of a name begins, in time that is linear in the name.
fn find_template(name: &str) -> Option<usize> {
    if !name.bytes().any(|byte| matches!(byte, b'{' | b'(' | b'<' | b'$')) {
        return None;
    }
    let last = |close| name.rfind(close).unwrap_or(0);
    let (brace, parenthesis, angle) = (last('}'), last(')'), last('>'));
    let mut after_dollar = false;
    for (at, character) in name.char_indices() {
        match character {
            // At least one character between the two.
            '{' if brace > at + 1 => return Some(at - usize::from(after_dollar)),
            '(' if after_dollar && parenthesis > at + 1 => return Some(at - 1),
            '<' if angle > at + 1 => return Some(at),
            'A'..='Z' | 'a'..='z' | '_' if after_dollar => return Some(at - 1),
            _ => {}
        }
        after_dollar = character == '$';
    }
    None
}

impl fmt::Display for SecretRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text)
    }
}

impl fmt::Debug for SecretRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SecretRef").field(&self.text).finish()
    }
}

impl AsRef<str> for SecretRef {
    fn as_ref(&self) -> &str {
        &self.text
    }
}

impl FromStr for SecretRef {
    type Err = ParseSecretRefError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

impl TryFrom<&str> for SecretRef {
    type Error = ParseSecretRefError;

    fn try_from(text: &str) -> Result<Self, Self::Error> {
        Self::parse(text)
    }
}

impl TryFrom<String> for SecretRef {
    type Error = ParseSecretRefError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text)
    }
}

/// As the whole reference, scheme included.
impl Serialize for SecretRef {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

/// From a string, with the scheme or without it.
impl<'de> Deserialize<'de> for SecretRef {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;

        impl de::Visitor<'_> for Visitor {
            type Value = SecretRef;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a secret reference, `tfy-secret://tenant:group:key`")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<SecretRef, E> {
                SecretRef::parse(text).map_err(E::custom)
            }
        }

        deserializer.deserialize_str(Visitor)
    }
}

/// Why a text is not a secret reference, and where.
///
/// The text itself is not in it: someone may have put the secret where its reference belongs.
///
/// ```
/// use truefoundry_secrets::SecretRef;
///
/// let error = "tfy-secret://my-org:prod".parse::<SecretRef>().unwrap_err();
/// assert_eq!(error.position(), 24);
/// assert!(error.to_string().starts_with("no key at byte 24"));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ParseSecretRefError {
    position: usize,
    reason: ParseSecretRefReason,
}

/// What is wrong with a text that should have been a secret reference.
///
/// ```
/// use truefoundry_secrets::{ParseSecretRefReason, SecretRef};
///
/// let error = SecretRef::parse("tfy-secret://my-org:${STAGE}:DB-PASSWORD").unwrap_err();
/// assert_eq!(error.reason(), ParseSecretRefReason::Template);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ParseSecretRefReason {
    /// The tenant is missing.
    NoTenant,
    /// The group is missing.
    NoGroup,
    /// The key is missing.
    NoKey,
    /// There is a line break: `\n`, `\r`, U+2028 or U+2029.
    LineBreak,
    /// There is another character that cannot be seen or that steers a terminal, such as U+00A0,
    /// U+200B, ESC or a tab.
    Unprintable(char),
    /// There is a template or a placeholder that is not filled in, such as `${STAGE}`, `{stage}` or
    /// `<stage>`: it may become a reference, but names no secret yet.
    Template,
    /// A `/` stands where a `:` belongs, as in `tfy-secret://group/KEY`.
    SlashForColon,
    /// A `/` follows the first colon, as in a URL, but the text does not begin with `tfy-secret://`
    /// in lower case.
    OtherScheme,
    /// The tenant given to [`SecretRef::new`] has a colon, which would end it too early.
    ColonInTenant,
    /// The group given to [`SecretRef::new`] has a colon, which would end it too early.
    ColonInGroup,
}

impl ParseSecretRefError {
    fn new(position: usize, reason: ParseSecretRefReason) -> Self {
        Self { position, reason }
    }

    fn shifted(self, by: usize) -> Self {
        Self { position: self.position + by, ..self }
    }

    /// Where it goes wrong, in bytes from the start of the text; its length if the text ends too
    /// early.
    pub fn position(&self) -> usize {
        self.position
    }

    /// What is wrong.
    pub fn reason(&self) -> ParseSecretRefReason {
        self.reason
    }
}

/// One line, such as `no key at byte 25 (a reference is written tfy-secret://tenant:group:key)`.
impl fmt::Display for ParseSecretRefError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.reason {
            ParseSecretRefReason::Unprintable(character) => {
                // The escape, never the character: it would steer the terminal that shows this.
                let (character, position) = (character.escape_unicode(), self.position);
                return write!(
                    f,
                    "the unprintable character {character} at byte {position} {WRITTEN}"
                );
            }
            ParseSecretRefReason::Template => "a template that is not filled in",
            ParseSecretRefReason::SlashForColon => "`/` instead of `:`",
            ParseSecretRefReason::NoTenant => "no tenant",
            ParseSecretRefReason::NoGroup => "no group",
            ParseSecretRefReason::NoKey => "no key",
            ParseSecretRefReason::LineBreak => "a line break",
            ParseSecretRefReason::OtherScheme => "another scheme than tfy-secret://",
            ParseSecretRefReason::ColonInTenant => "a colon within the tenant",
            ParseSecretRefReason::ColonInGroup => "a colon within the group",
        };
        let position = self.position;
        write!(f, "{what} at byte {position} {WRITTEN}")
    }
}

impl Error for ParseSecretRefError {}
