//! Secrets by what they look like.

use serde_json::Value;

use super::{Verdict, elsewhere, judge, names, tokens};

/// Names that mean a secret in connection strings and URLs, but not in general.
const SETTINGS: [&str; 5] =
    ["pwd", "accountkey", "sharedaccesskey", "sharedaccesssignature", "sig"];

/// The schemes of `Authorization`, as registered by IANA, and those that services made up.
const SCHEMES: &[&str] = &["bearer", "basic", "token", "apikey", "splunk", "ssws", "geniekey"];

/// `pwd=x`
const MIN: usize = 5;

pub(super) fn find(value: &str) -> Verdict {
    if value.len() < MIN {
        return Verdict::Clear;
    }
    if let Some(found) = in_json(value) {
        return found;
    }
    if tokens::is_token(value) {
        return Verdict::Secret("value looks like a known kind of token");
    }
    private_key(value)
        .or_else(|| url_with_password(value))
        .or_else(|| sql(value))
        .or_else(|| authorization(value))
        .or_else(|| settings(value))
        .or_else(|| tokens::within(value).map(Verdict::Inside))
        .or_else(|| line_of_settings(value).map(Verdict::Inside))
        .unwrap_or(Verdict::Clear)
}

/// Secrets that are recognized whatever the text around them says.
pub(super) fn find_leak(text: &str) -> Option<&'static str> {
    let found = private_key(text).or_else(|| url_with_password(text));
    match found {
        Some(Verdict::Secret(why) | Verdict::Inside(why)) => Some(why),
        _ => tokens::within(text),
    }
}

/// `None` if the text is not a JSON object or list.
fn in_json(value: &str) -> Option<Verdict> {
    if !value.starts_with(['{', '[']) {
        return None;
    }
    let value: Value = serde_json::from_str(value).ok()?;
    let found = has_secret("", &value);
    Some(if found { Verdict::Secret("value has a secret in JSON") } else { Verdict::Clear })
}

fn has_secret(name: &str, value: &Value) -> bool {
    let is_secret = |text: &str| {
        !text.is_empty() && !matches!(judge(name, text), Verdict::Clear | Verdict::Elsewhere)
    };
    match value {
        Value::Null | Value::Bool(_) => false,
        Value::Number(number) => is_secret(&number.to_string()),
        Value::String(text) => is_secret(text),
        Value::Array(items) => items.iter().any(|item| has_secret(name, item)),
        Value::Object(fields) => fields.iter().any(|(name, value)| has_secret(name, value)),
    }
}

fn private_key(value: &str) -> Option<Verdict> {
    const WHY: &str = "value is a private key";
    if !value.contains("PRIVATE KEY-----") && !value.contains("PRIVATE KEY BLOCK-----") {
        return None;
    }
    let before = value.split("-----BEGIN").next().unwrap_or_default();
    Some(if before.trim().is_empty() { Verdict::Secret(WHY) } else { Verdict::Inside(WHY) })
}

/// `scheme://user:password@host`
fn url_with_password(value: &str) -> Option<Verdict> {
    const WHY: &str = "value is a URL with a password";
    let found = value.split("://").skip(1).any(|rest| {
        let authority =
            rest.split(['/', '?', '#', '"', '\'', ' ', '\n']).next().unwrap_or_default();
        let user_info = authority.rsplit_once('@').map(|(user_info, _)| user_info);
        let password = user_info.and_then(|user_info| user_info.split_once(':'));
        password
            .is_some_and(|(_, password)| !password.is_empty() && !elsewhere::has_template(password))
    });
    let is_whole = !value.contains(char::is_whitespace);
    found.then_some(if is_whole { Verdict::Secret(WHY) } else { Verdict::Inside(WHY) })
}

/// `user:password@tcp(host)`, as Go writes it, and what sets a password in SQL.
fn sql(value: &str) -> Option<Verdict> {
    let before = value.split_once("@tcp(").or_else(|| value.split_once("@unix("));
    if before.is_some_and(|(before, _)| before.contains(':') && !elsewhere::has_template(before)) {
        return Some(Verdict::Secret("value has a password"));
    }
    let lower = value.to_ascii_lowercase();
    let sets = |words: &str| {
        lower.split(words).skip(1).any(|rest| {
            let password = rest.split('\'').next().unwrap_or_default();
            !password.is_empty() && !elsewhere::has_template(password)
        })
    };
    let found = sets(" password '") || sets(" identified by '");
    found.then_some(Verdict::Inside("value sets a password in SQL"))
}

/// `Bearer ...`, by itself or as one of several headers: `x=1,authorization=Bearer%20...`.
fn authorization(value: &str) -> Option<Verdict> {
    const WHY: &str = "value has an authorization";
    let value = value.replace("%20", " ");
    let mut is_whole = false;
    for part in value.split(',') {
        let part = part.trim();
        // The header's name.
        let end = part.find(|c: char| !c.is_ascii_alphanumeric() && !"-_".contains(c));
        let header = end.and_then(|end| part.get(end..)).map(str::trim_start);
        let header = header.and_then(|rest| rest.strip_prefix([':', '=']));
        let credentials = header.map_or(part, str::trim_start);
        let two = credentials.split_once(' ');
        is_whole |= two.is_some_and(|(scheme, word)| is_credential(scheme, word));
    }
    if is_whole {
        return Some(Verdict::Secret(WHY));
    }
    let mut before = "";
    for word in value.split_whitespace() {
        let scheme = before.rsplit(['=', ':', '"', '\'', '`']).next().unwrap_or_default();
        if is_credential(scheme, word.trim_end_matches(['"', '\'', '`', ',', ';', '.'])) {
            return Some(Verdict::Inside(WHY));
        }
        before = word;
    }
    None
}

/// The text after the scheme of an authorization.
pub(super) fn without_scheme(value: &str) -> &str {
    match value.split_once(' ') {
        Some((scheme, rest)) if is_scheme(scheme) => rest.trim_start(),
        _ => value,
    }
}

fn is_scheme(word: &str) -> bool {
    SCHEMES.iter().any(|scheme| word.eq_ignore_ascii_case(scheme))
}

fn is_credential(scheme: &str, word: &str) -> bool {
    // `Bearer authentication` and `Basic plan` are English.
    let is_english = || {
        let rest = word.trim_start_matches(|c: char| c.is_ascii_uppercase());
        word.len() <= rest.len() + 1 && rest.chars().all(|c| c.is_ascii_lowercase())
    };
    is_scheme(scheme)
        && word.len() >= 8
        && word.chars().all(|c| c.is_ascii_graphic())
        && !elsewhere::has_template(word)
        && !word.starts_with(['<', '(', '['])
        && !word.contains("tfy-secret://")
        && !is_english()
}

/// `name=value`, separated as in connection strings, URLs, lists of headers, and command lines.
fn settings(value: &str) -> Option<Verdict> {
    const WHY: &str = "value sets a secret";
    let is_secret = |part: &str| {
        let part = part.trim_start_matches(['-', '"', '\'']);
        part.split_once('=').is_some_and(|(name, value)| sets_secret(name, value))
    };
    let parts = || value.split([';', '&', '?', ',']).flat_map(str::split_whitespace);
    if parts().any(is_secret) {
        // A single one may as well be an argument of a command.
        let is_list = value.contains([';', '&', '?', ',']) || value.split_whitespace().count() > 1;
        let all_set = value.split_whitespace().all(|word| word.contains('='));
        let is_line = !value.contains('\n') && !value.starts_with('-');
        let is_whole = is_list && all_set && is_line;
        return Some(if is_whole { Verdict::Secret(WHY) } else { Verdict::Inside(WHY) });
    }
    let mut before = "";
    for word in value.split_whitespace() {
        let flag = before.strip_prefix("--").filter(|flag| !flag.contains('='));
        if flag.is_some_and(|flag| !word.starts_with('-') && sets_secret(flag, word)) {
            return Some(Verdict::Inside(WHY));
        }
        before = word;
    }
    None
}

/// A line `name: value` or `name = value` of a longer text.
fn line_of_settings(value: &str) -> Option<&'static str> {
    if value.lines().count() < 2 {
        return None;
    }
    let is_secret = |line: &str| {
        let Some((name, value)) = line.split_once([':', '=']) else { return false };
        let value = value.trim().trim_end_matches([',', ';']);
        !value.contains(char::is_whitespace)
            && sets_secret(name.trim_matches(['"', '\'', ' ', '-']), value)
    };
    value.lines().map(str::trim).any(is_secret).then_some("a line of it sets a secret")
}

fn sets_secret(name: &str, value: &str) -> bool {
    // `//registry.example.com/:_authToken=`
    let name = name.rsplit(['/', ':', '"', '\'', '(', '{', '[']).next().unwrap_or_default();
    let value = value.trim_matches(['"', '\'', '\\', ' ']);
    // To be filled in by a reader, or by a shell.
    let is_placeholder = value.starts_with('`') || (value.starts_with('<') && value.ends_with('>'));
    let is_name = |c: char| c.is_alphanumeric() || "_-.".contains(c);
    !name.is_empty()
        && name.chars().all(is_name)
        && !value.is_empty()
        && !is_scheme(value)
        && !is_placeholder
        && !value.contains("tfy-secret://")
        && !elsewhere::has_template(value)
        && !elsewhere::is_wholly(value)
        && (SETTINGS.iter().any(|other| name.eq_ignore_ascii_case(other))
            || names::why(name, value).is_some())
}
