//! The responses that the server sends, made once.

use std::fmt::Write as _;

/// The lengths of the values that are read and written.
pub(crate) const SIZES: [usize; 4] = [100, 10_000, 100_000, 1_000_000];
/// How many values a list has.
pub(crate) const COUNTS: [usize; 4] = [1, 10, 100, 1_000];

fn subject(n: usize) -> String {
    format!(
        r#"{{"subjectId":"user-{n:06}","subjectType":"user","subjectSlug":"ada.lovelace@example.com","subjectDisplayName":"Ada Lovelace"}}"#
    )
}

fn secret(group: usize, n: usize, value: Option<&str>) -> String {
    let value = value.map(|value| format!(r#""value":"{value}","#)).unwrap_or_default();
    format!(
        r#"{{"id":"secret-{group:04}-{n:04}","fqn":"my-tenant:group-{group:04}:KEY-{n:04}","name":"KEY-{n:04}","secretGroupId":"group-id-{group:04}",{value}"createdBySubject":{},"createdAt":"2026-11-01T10:20:30.123Z","updatedAt":"2026-11-02T10:20:30.456Z"}}"#,
        subject(n / 5)
    )
}

fn group(n: usize, secrets: usize) -> String {
    let mut list = String::new();
    for index in 0..secrets {
        let comma = if index == 0 { "" } else { "," };
        let _ = write!(list, "{comma}{}", secret(n, index, None));
    }
    format!(
        r#"{{"id":"group-id-{n:04}","fqn":"my-tenant:group-{n:04}","tenantName":"my-tenant","createdBySubject":{},"associatedSecrets":[{list}],"integrationId":"integration-1","manifest":{{"type":"secret-group","name":"group-{n:04}","integration_fqn":"internal:aws:aws-1:secret-store:main","collaborators":[{{"subject":"user:ada@example.com","role_id":"secret-group-admin"}}]}},"accountId":"account-1","createdAt":"2026-11-01T10:20:30.123Z","updatedAt":"2026-11-02T10:20:30.456Z"}}"#,
        subject(n)
    )
}

fn list(items: impl Iterator<Item = String>, total: usize, offset: usize) -> String {
    let items: Vec<String> = items.collect();
    format!(
        r#"{{"data":[{}],"pagination":{{"total":{total},"offset":{offset},"limit":100}}}}"#,
        items.join(",")
    )
}

/// `GET /secrets/{id}`
pub(crate) fn one_secret() -> String {
    format!(
        r#"{{"data":{}}}"#,
        secret(1, 1, Some("correct horse battery staple, 48 characters long"))
    )
}

/// One with this value, in JSON.
pub(crate) fn secret_of(value: &str) -> String {
    format!(r#"{{"data":{}}}"#, secret(1, 1, Some(value)))
}

/// A value of this many bytes without escapes.
pub(crate) fn plain(size: usize) -> String {
    let line = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj";
    let mut value = line.repeat(size.div_ceil(line.len()));
    value.truncate(size);
    value
}

/// A private key of 1.7 KB as JSON: a line feed after every 64 characters.
pub(crate) fn pem() -> String {
    let line = plain(64);
    format!(
        "-----BEGIN PRIVATE KEY-----\\n{}-----END PRIVATE KEY-----\\n",
        format!("{line}\\n").repeat(25)
    )
}

/// `POST /secret-groups`
pub(crate) fn one_group() -> String {
    format!(r#"{{"data":{}}}"#, group(1, 1))
}

/// `GET /secret-groups`: 100 groups of 20 secrets, of `total`.
pub(crate) fn page(offset: usize, total: usize) -> String {
    list((offset..(offset + 100).min(total)).map(|n| group(n, 20)), total, offset)
}

/// `POST /secrets` with values.
pub(crate) fn values(count: usize) -> String {
    values_from(0, count)
}

pub(crate) fn values_from(first: usize, count: usize) -> String {
    let value = "correct horse battery staple, 48 characters long";
    list((first..first + count).map(|n| secret(1, n, Some(value))), count, 0)
}
