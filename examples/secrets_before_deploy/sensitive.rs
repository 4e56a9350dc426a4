//! Which environment variables of a deployment hold a secret, by their name or by what their value looks
//! like. It errs towards yes: a variable that is moved needlessly still works.

/// Names that describe a secret and are none: `TOKEN_URL`, `PASSWORD_MIN_LENGTH`, `KEY_FILE`.
const ABOUT: [&str; 30] = [
    "algorithm",
    "audience",
    "count",
    "dir",
    "duration",
    "enabled",
    "endpoint",
    "expiration",
    "expiry",
    "file",
    "header",
    "host",
    "hours",
    "id",
    "issuer",
    "length",
    "limit",
    "max",
    "min",
    "minutes",
    "mode",
    "name",
    "path",
    "policy",
    "port",
    "seconds",
    "timeout",
    "ttl",
    "type",
    "url",
];

/// What connection strings call their passwords.
const SETTINGS: [&str; 5] =
    ["password=", "pwd=", "accountkey=", "sharedaccesskey=", "sharedaccesssignature="];

/// How the tokens of well-known services begin.
const PREFIXES: [&str; 15] = [
    "AIza",
    "AKIA",
    "ASIA",
    "ghp_",
    "gho_",
    "ghs_",
    "github_pat_",
    "glpat-",
    "hf_",
    "npm_",
    "sk-",
    "sk_live_",
    "xoxb-",
    "xoxp-",
    "https://hooks.slack.com/services/",
];

/// The reason, or `None` if nothing suggests a secret.
pub(crate) fn why_sensitive(name: &str, value: &str) -> Option<&'static str> {
    let value = value.trim();
    if let Some(reason) = by_value(value) {
        return Some(reason);
    }
    if matches!(value.to_ascii_lowercase().as_str(), "true" | "false" | "yes" | "no" | "on" | "off")
    {
        return None;
    }
    by_name(&words(name), value)
}

fn by_name(words: &[String], value: &str) -> Option<&'static str> {
    let has = |word: &str| words.iter().any(|other| other == word);
    // `PGPASSWORD` and `APIKEY` are written without a gap.
    let ends = |end: &str| words.iter().any(|word| word.ends_with(end));
    let pair = |first: &str, second: &str| {
        words.windows(2).any(|two| two.iter().map(String::as_str).eq([first, second]))
    };
    let last = words.last().map_or("", String::as_str);
    // `ACCESS_KEY_ID` names one half of a credential, and the platform's own examples keep it secret.
    if pair("access", "key") {
        return Some("name contains \"access key\"");
    }
    if has("dsn") || pair("connection", "string") || pair("conn", "str") || has("connstr") {
        return Some("name contains \"connection string\"");
    }
    if ABOUT.contains(&last) || last == "uri" || pair("public", "key") {
        return None;
    }
    let is_password = ["password", "passwd", "passphrase"].into_iter().any(ends)
        || ["passcode", "pass"].into_iter().any(has)
        // By itself it is the working directory.
        || (has("pwd") && words.len() > 1);
    if is_password {
        return Some("name contains \"password\"");
    }
    if ends("secret") || has("secrets") {
        return Some("name contains \"secret\"");
    }
    if ["credential", "credentials", "creds"].into_iter().any(has) || pair("basic", "auth") {
        return Some("name contains \"credentials\"");
    }
    // `MAX_TOKENS: 512` limits a model.
    let is_number = !value.is_empty() && value.parse::<f64>().is_ok();
    if ends("token") || has("jwt") || (has("tokens") && !is_number) {
        return (!is_number).then_some("name contains \"token\"");
    }
    let of_a_table = ["primary", "foreign", "sort", "partition", "cache"].into_iter().any(has);
    let is_key =
        last == "key" || last == "keys" || last.ends_with("apikey") || has("pem") || has("salt");
    (is_key && !of_a_table).then_some("name contains \"key\"")
}

fn by_value(value: &str) -> Option<&'static str> {
    if value.contains("PRIVATE KEY-----") {
        return Some("value is a private key");
    }
    if has_password_in_url(value) {
        return Some("value is a URL with a password");
    }
    let lower = value.to_ascii_lowercase();
    let settings = || lower.split([';', ' ', '&', '?']).map(str::trim_start);
    if settings().any(|part| SETTINGS.iter().any(|name| part.starts_with(name) && part != *name)) {
        return Some("value is a connection string");
    }
    let long = value.len() >= 20 && !value.contains(char::is_whitespace);
    if long && PREFIXES.iter().any(|prefix| value.starts_with(prefix)) {
        return Some("value looks like a known kind of token");
    }
    let jwt =
        value.starts_with("eyJ") && value.split('.').filter(|part| part.len() > 8).count() == 3;
    jwt.then_some("value looks like a signed token")
}

/// `scheme://user:password@host`
fn has_password_in_url(value: &str) -> bool {
    value.split("://").skip(1).any(|rest| {
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        let user_info = authority.rsplit_once('@').map(|(user_info, _)| user_info);
        let password = user_info.and_then(|user_info| user_info.split_once(':'));
        password.is_some_and(|(_, password)| !password.is_empty())
    })
}

/// `dbPassword`, `DB_PASSWORD` and `db-password` are the words `db` and `password`.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut before = ' ';
    for character in name.chars() {
        let begins = character.is_uppercase() && before.is_lowercase();
        if begins || !character.is_alphanumeric() {
            words.push(String::new());
        }
        if character.is_alphanumeric()
            && let Some(word) = words.last_mut()
        {
            word.extend(character.to_lowercase());
        }
        before = character;
    }
    words.retain(|word| !word.is_empty());
    words
}

#[cfg(test)]
mod tests {
    use super::why_sensitive;

    #[test]
    fn secrets_are_found_by_name_and_by_value() {
        for (name, value) in [
            ("DB_PASSWORD", "12345"),
            ("dbPassword", "x"),
            ("PGPASSWORD", "x"),
            ("MYAPIKEY", "x"),
            ("DATABASE_URL", "postgres://u:p@h/d"),
            ("SMTP_PASS", "x"),
            ("GITHUB_TOKEN", "x"),
            ("OPENAI_API_KEY", ""),
            ("AWS_ACCESS_KEY_ID", "x"),
            ("AWS_SECRET_ACCESS_KEY", "x"),
            ("GOOGLE_CREDENTIALS", "{}"),
            ("SENTRY_DSN", "https://key@host/1"),
            ("AZURE_CONNECTION_STRING", "x"),
            ("REDIS", "redis://:hunter2@cache:6379/0"),
            ("STORAGE", "AccountName=a;AccountKey=abc;EndpointSuffix=x"),
            ("JDBC", "jdbc:sqlserver://h;user=a;password=b"),
            ("CERT", "-----BEGIN RSA PRIVATE KEY-----\nx"),
            ("SIGNING", "eyJhbGciOiJIUzI1.eyJzdWIiOiIxMjM0.c2lnbmF0dXJl"),
        ] {
            assert!(why_sensitive(name, value).is_some(), "{name}");
        }
    }

    #[test]
    fn what_only_speaks_of_secrets_is_left() {
        for (name, value) in [
            ("LOG_LEVEL", "info"),
            ("MAX_TOKENS", "512"),
            ("TOKEN_URL", "https://id.example.com/token"),
            ("PASSWORD_MIN_LENGTH", "12"),
            ("ENABLE_PASSWORD_LOGIN", "true"),
            ("PRIVATE_KEY_FILE", "/etc/key.pem"),
            ("JWT_PUBLIC_KEY", "x"),
            ("PWD", "/app"),
            ("KEYBOARD", "de"),
            ("DATABASE_URL", "postgres://db:5432/app"),
            ("MAIL_FROM", "https://example.com/a:b@c"),
            ("PRIMARY_KEY", "id"),
        ] {
            assert_eq!(why_sensitive(name, value), None, "{name}");
        }
    }
}
