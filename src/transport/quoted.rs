//! A failure's text without the secrets that it quotes, before anything is read out of it.
//!
//! What is parsed out of a failure is made of ordinary strings, which are freed unwiped. So what the server
//! quotes of the request is cut out first, without a copy of it. The scrubber comes later, and also finds
//! what is quoted in other ways than whole, as it is or with JSON's escapes.

use std::collections::HashSet;

use zeroize::Zeroizing;

use crate::unescape;

const REPLACED: &str = "***";
/// Shorter secrets could be words by which failures are told apart.
const SHORTEST: usize = 16;

/// `None` where nothing is quoted.
pub(super) fn without<'a>(
    text: &[u8],
    secrets: impl Iterator<Item = &'a str>,
) -> Option<Zeroizing<Vec<u8>>> {
    let secrets: Vec<&str> = secrets.filter(|secret| secret.len() >= SHORTEST).collect();
    if secrets.is_empty() {
        return None;
    }
    // Of a page in another encoding, or one that was cut within a character, what is UTF-8.
    let readable = std::str::from_utf8(text).map_or_else(|error| error.valid_up_to(), str::len);
    let (readable, tail) = text.split_at_checked(readable)?;
    let mut rest = std::str::from_utf8(readable).ok()?;
    let json = rest.trim_start().starts_with(['{', '[', '"']);
    let mut clean: Option<Zeroizing<Vec<u8>>> = None;
    while let Some((start, end)) = first(rest, &secrets, json) {
        // It only gets shorter, and so never grows and leaves a copy behind.
        let clean = clean.get_or_insert_with(|| Vec::with_capacity(text.len()).into());
        clean.extend_from_slice(rest.get(..start)?.as_bytes());
        clean.extend_from_slice(REPLACED.as_bytes());
        rest = rest.get(end..)?;
    }
    let mut clean = clean?;
    clean.extend_from_slice(rest.as_bytes());
    clean.extend_from_slice(tail);
    Some(clean)
}

fn first(text: &str, secrets: &[&str], json: bool) -> Option<(usize, usize)> {
    let begins: HashSet<char> = secrets.iter().filter_map(|secret| secret.chars().next()).collect();
    let mut rest = text;
    loop {
        // Nearly nothing in a text begins like a secret, or is an escape.
        let skipped = rest.find(|it| it == '\\' || begins.contains(&it))?;
        rest = rest.get(skipped..)?;
        // One secret may begin as another does.
        if let Some(length) = secrets.iter().filter_map(|secret| quoted(rest, secret)).max() {
            let start = text.len() - rest.len();
            return Some((start, start + length));
        }
        // A cut from the middle of an escape would leave no JSON.
        let after_escape = rest.strip_prefix('\\').filter(|_| json).and_then(unescape::escape);
        rest = after_escape.or_else(|| character(rest))?.1;
    }
}

fn character(text: &str) -> Option<(char, &str)> {
    let mut characters = text.chars();
    Some((characters.next()?, characters.as_str()))
}

/// How long the secret is as it stands at the beginning of `text`. A secret that ends in a backslash stands
/// there plain, too, where it is escaped: the longer of both is meant.
fn quoted(text: &str, secret: &str) -> Option<usize> {
    let plain = text.starts_with(secret).then_some(secret.len());
    plain.max(escaped(text, secret))
}

fn escaped(text: &str, secret: &str) -> Option<usize> {
    let mut rest = text;
    for expected in secret.chars() {
        let escaped = rest.strip_prefix('\\').map(unescape::escape);
        let (there, after) = escaped.unwrap_or_else(|| character(rest))?;
        if there != expected {
            return None;
        }
        rest = after;
    }
    Some(text.len() - rest.len())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn cut(text: &str, secrets: &[&str]) -> Option<String> {
        let clean = without(text.as_bytes(), secrets.iter().copied())?;
        Some(String::from_utf8(clean.to_vec()).unwrap())
    }

    proptest! {
        #[test]
        fn a_secret_is_cut_out_plain_and_escaped(
            before in "[a-z\"\\\\]{0,20}", secret in "\\PC{8}[\"\\\\\n\t/é😀a]{8,20}", after in "[a-z]{0,20}"
        ) {
            let plain = format!("said {before}{secret}{after}");
            prop_assert!(!cut(&plain, &[&secret]).unwrap().contains(&secret));
            let json = serde_json::to_string(&plain).unwrap();
            let clean = cut(&json, &[&secret]).unwrap();
            let clean: String = serde_json::from_str(&clean).unwrap();
            prop_assert!(!clean.contains(&secret), "{clean}");
        }

        #[test]
        fn what_is_not_quoted_stays(text in "\\PC{0,60}") {
            prop_assert_eq!(cut(&text, &["a secret of which no text is part"]), None);
        }
    }

    #[test]
    fn every_quote_of_every_secret_goes_and_the_rest_stays() {
        let (one, two) = ("0123456789abcdef", "0123456789abcdefgh");
        let text = format!(r#"{{"message":"{two}, {one} {one} no"}}"#);
        assert_eq!(cut(&text, &[one, two]).unwrap(), r#"{"message":"***, *** *** no"}"#);
        let escaped = r#"{"message":"a\u000ab\/cdefghijklmnop"}"#;
        assert_eq!(cut(escaped, &["a\nb/cdefghijklmnop"]).unwrap(), r#"{"message":"***"}"#);
    }

    #[test]
    fn a_secret_that_ends_in_a_backslash_leaves_no_half_of_an_escape() {
        let secret = "0123456789abcdef\\";
        let json = r#"{"message":"0123456789abcdef\\g"}"#;
        assert_eq!(cut(json, &[secret]).unwrap(), r#"{"message":"***g"}"#);
        assert_eq!(cut("no: 0123456789abcdef\\g", &[secret]).unwrap(), "no: ***g");
    }

    #[test]
    fn short_secrets_and_nothing_to_look_for_cost_no_copy() {
        assert_eq!(cut("already exists", &["already exists"]), None);
        assert_eq!(cut("0123456789abcdef", &[]), None);
        assert_eq!(cut("0123456789abcde", &["0123456789abcdef"]), None);
    }

    #[test]
    fn a_text_that_ends_in_other_bytes_is_cleaned_up_to_them() {
        let text = b"no: 0123456789abcdef, caf\xe9 0123";
        let clean = without(text, ["0123456789abcdef"].into_iter()).unwrap();
        assert_eq!(clean.as_slice(), b"no: ***, caf\xe9 0123");
    }
}
