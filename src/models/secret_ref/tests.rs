#![allow(clippy::unwrap_used)]

use std::collections::{BTreeSet, HashSet};

use proptest::prelude::*;

use super::{ParseSecretRefReason as Reason, SecretRef};

fn parts(reference: &SecretRef) -> [&str; 3] {
    [reference.tenant(), reference.group(), reference.key()]
}

fn refused(text: &str) -> (usize, Reason) {
    let error = SecretRef::parse(text).unwrap_err();
    (error.position(), error.reason())
}

#[test]
fn both_forms_read_as_the_same_reference() {
    let text = "tfy-secret://my-org:prod-secrets:DB-PASSWORD";
    let reference = SecretRef::parse(text).unwrap();
    assert_eq!(parts(&reference), ["my-org", "prod-secrets", "DB-PASSWORD"]);
    assert_eq!(reference.fqn(), "my-org:prod-secrets:DB-PASSWORD");
    assert_eq!(reference.to_string(), text);
    assert_eq!(reference.as_ref(), text);
    assert_eq!(reference.clone().into_string(), text);
    assert_eq!(SecretRef::parse(reference.fqn()), Ok(reference.clone()));
    assert_eq!(SecretRef::try_from(text.to_owned()), Ok(reference.clone()));
    assert_eq!(format!("{reference:?}"), format!("SecretRef({text:?})"));
    assert_eq!(HashSet::from([reference.clone(), text.parse().unwrap()]).len(), 1);
    assert_eq!(BTreeSet::from([reference, text.try_into().unwrap()]).len(), 1);
}

#[test]
fn a_part_takes_what_the_pattern_gives_it() {
    for (name, expected) in [
        ("t:g:a:b", ["t", "g", "a:b"]),
        ("t:g::", ["t", "g", ":"]),
        ("t:g: ", ["t", "g", " "]),
        ("t:g::k", ["t", "g", ":k"]),
        (":t:g:k", [":t", "g", "k"]),
        ("t::g:k", ["t", ":g", "k"]),
        (":::::", [":", ":", ":"]),
        ("é:ß:日本:語", ["é", "ß", "日本:語"]),
        ("t:g:pa$$1{}<>", ["t", "g", "pa$$1{}<>"]),
        ("t:g:{<(", ["t", "g", "{<("]),
        ("t:g:/a/b", ["t", "g", "/a/b"]),
        ("tfy-secret://t:g:k", ["tfy-secret", "//t", "g:k"]),
    ] {
        let reference = SecretRef::parse(&format!("tfy-secret://{name}")).unwrap();
        assert_eq!(parts(&reference), expected, "{name}");
        assert_eq!(reference.fqn(), name);
    }
}

#[test]
fn a_refusal_says_what_is_missing_and_where() {
    for (text, position, reason) in [
        ("", 0, Reason::NoTenant),
        ("hello", 5, Reason::NoGroup),
        ("tfy-secret://", 13, Reason::NoTenant),
        ("tfy-secret://:g:k", 13, Reason::NoTenant),
        ("tfy-secret://only", 17, Reason::NoGroup),
        ("tfy-secret://only:", 18, Reason::NoGroup),
        ("tfy-secret://only::k", 18, Reason::NoGroup),
        ("tfy-secret://only:two", 21, Reason::NoKey),
        ("tfy-secret://only:two:", 22, Reason::NoKey),
        ("tfy-secret://t:g:k\n", 18, Reason::LineBreak),
        ("tfy-secret://t:g\r:k", 16, Reason::LineBreak),
        ("t:g\u{2028}:k", 3, Reason::LineBreak),
        ("t:g:k\u{2029}", 5, Reason::LineBreak),
        ("TFY-SECRET://t:g:k", 0, Reason::OtherScheme),
        (" tfy-secret://t:g:k", 0, Reason::OtherScheme),
        ("postgres://user:pw@host:5432/db", 0, Reason::OtherScheme),
        ("tfy-secret:/t:g:k", 0, Reason::OtherScheme),
        ("tfy-secret://group/KEY", 18, Reason::SlashForColon),
        ("tfy-secret://t:group/KEY", 20, Reason::SlashForColon),
        ("tfy-secret://t/group:KEY", 14, Reason::SlashForColon),
        ("t:group/KEY", 7, Reason::SlashForColon),
        ("tfy-secret://t:g:", 17, Reason::NoKey),
    ] {
        assert_eq!(refused(text), (position, reason), "{text:?}");
    }
}

#[test]
fn what_cannot_be_seen_is_refused_and_printed_escaped() {
    for character in [
        '\u{1b}',
        '\u{7}',
        '\0',
        '\t',
        '\u{7f}',
        '\u{85}',
        '\u{9b}', // control
        '\u{202e}',
        '\u{2066}',
        '\u{61c}',
        '\u{200f}', // direction
        '\u{200b}',
        '\u{200d}',
        '\u{2060}',
        '\u{feff}',
        '\u{ad}',
        '\u{e0041}',
        '\u{fe0f}',
        '\u{34f}',
        '\u{a0}',
        '\u{2003}',
        '\u{202f}',
        '\u{3000}',
        '\u{2800}',
        '\u{3164}',
        '\u{115f}', // blanks
    ] {
        for text in [
            format!("tfy-secret://t:g:k{character}"),
            format!("tfy-secret://{character}t:g:k"),
            format!("t:g{character}:k"),
            format!("{character}tfy-secret://t:g:k"),
        ] {
            let error = SecretRef::parse(&text).unwrap_err();
            assert_eq!(error.reason(), Reason::Unprintable(character), "{text:?}");
            assert_eq!(text.find(character), Some(error.position()));
            let shown = error.to_string();
            assert!(shown.contains(&character.escape_unicode().to_string()), "{shown}");
            assert!(!shown.contains(character), "{shown}");
        }
        let odd = format!("a{character}");
        for parts in [[&*odd, "g", "k"], ["t", &*odd, "k"], ["t", "g", &*odd]] {
            let error = SecretRef::new(parts[0], parts[1], parts[2]).unwrap_err();
            assert_eq!(error.reason(), Reason::Unprintable(character));
        }
        let json = serde_json::to_string(&format!("t:g:k{character}")).unwrap();
        let error = serde_json::from_str::<SecretRef>(&json).unwrap_err().to_string();
        assert!(!error.contains(character), "{error:?}");
    }
    assert_eq!(
        SecretRef::parse("tfy-secret://t:g:k\u{a0}").unwrap_err().to_string(),
        "the unprintable character \\u{a0} at byte 18 \
         (a reference is written tfy-secret://tenant:group:key)"
    );
}

#[test]
fn a_template_names_no_secret() {
    for (text, position) in [
        ("tfy-secret://my-org:${STAGE}-app:KEY", 20),
        ("tfy-secret://{{ .Values.tenant }}:app:KEY", 13),
        ("tfy-secret://t:g:$(KEY)", 17),
        ("tfy-secret://t:g:$KEY", 17),
        ("tfy-secret://<tenant>:<group>:<key>", 13),
        ("{tenant}:{group}:{key}", 0),
        ("t:app-{stage}:k", 6),
        ("tfy-secret://${{ vars.REFERENCE }}", 13),
    ] {
        assert_eq!(refused(text), (position, Reason::Template), "{text}");
    }
    let error = SecretRef::new("t", "${STAGE}", "k").unwrap_err();
    assert_eq!(error.reason(), Reason::Template);
}

#[test]
fn a_slash_for_a_colon_is_told() {
    assert_eq!(
        SecretRef::parse("tfy-secret://made-up-group/API_KEY").unwrap_err().to_string(),
        "`/` instead of `:` at byte 26 (a reference is written tfy-secret://tenant:group:key)"
    );
}

#[test]
fn a_refusal_never_repeats_the_text() {
    let pasted = "hunter2-is-the-password";
    let error = SecretRef::parse(pasted).unwrap_err();
    assert_eq!(
        error.to_string(),
        "no group at byte 23 (a reference is written tfy-secret://tenant:group:key)"
    );
    let json = serde_json::from_str::<SecretRef>(&format!("{pasted:?}")).unwrap_err();
    assert!(!format!("{error:?} {json} {json:?}").contains("hunter2"));
}

#[test]
fn new_refuses_what_would_read_back_otherwise() {
    for (tenant, group, key, position, reason) in [
        ("", "g", "k", 13, Reason::NoTenant),
        ("t", "", "k", 15, Reason::NoGroup),
        ("t", "", ":k", 15, Reason::NoGroup),
        ("", "", ":a:b", 14, Reason::NoGroup),
        ("t", "g", "", 17, Reason::NoKey),
        ("a:b", "g", "k", 14, Reason::ColonInTenant),
        ("t", "g:", "k", 16, Reason::ColonInGroup),
        ("tfy-secret", "//t", "k", 24, Reason::OtherScheme),
        ("t\n", "g", "k", 14, Reason::LineBreak),
        ("t", "g", "k\u{2028}", 18, Reason::LineBreak),
    ] {
        let error = SecretRef::new(tenant, group, key).unwrap_err();
        assert_eq!(
            (error.position(), error.reason()),
            (position, reason),
            "{tenant} {group} {key}"
        );
    }
}

#[test]
fn serde_writes_the_whole_reference_and_reads_both_forms() {
    let reference = SecretRef::new("t", "g", "k").unwrap();
    assert_eq!(serde_json::to_string(&reference).unwrap(), r#""tfy-secret://t:g:k""#);
    for json in [r#""tfy-secret:\/\/t:g:k""#, r#""t:g:\u006b""#] {
        assert_eq!(serde_json::from_str::<SecretRef>(json).unwrap(), reference);
    }
    let error = serde_json::from_str::<SecretRef>("7").unwrap_err().to_string();
    assert!(error.contains("expected a secret reference"), "{error}");
}

/// The platform's pattern, tried at every pair of colons, without what names no secret.
fn pattern_matches(text: &str) -> bool {
    let Some(name) = text.strip_prefix("tfy-secret://") else { return false };
    let name: Vec<char> = name.chars().collect();
    let colon = |at: &usize| name.get(*at) == Some(&':');
    !name.iter().any(|&c| super::is_unprintable(c))
        && super::find_template(text).is_none()
        && (1..name.len())
            .filter(colon)
            .any(|first| (first + 2..name.len().saturating_sub(1)).filter(colon).count() > 0)
}

fn names() -> impl Strategy<Value = String> {
    prop_oneof![any::<String>(), "[ab:]{0,9}", "[a:/\n\u{2028}é]{0,9}"]
}

proptest! {
    #[test]
    fn with_the_scheme_exactly_the_pattern_is_accepted(name in names()) {
        let text = format!("tfy-secret://{name}");
        let parsed = SecretRef::parse(&text);
        prop_assert_eq!(parsed.is_ok(), pattern_matches(&text));
        match parsed {
            Ok(reference) => {
                let [tenant, group, key] = parts(&reference);
                prop_assert!(!tenant.is_empty() && !group.is_empty() && !key.is_empty());
                prop_assert_eq!(format!("{tenant}:{group}:{key}"), name);
                prop_assert_eq!(reference.to_string(), text);
                prop_assert_eq!(SecretRef::parse(reference.as_str()), Ok(reference.clone()));
            }
            Err(error) => prop_assert!(text.is_char_boundary(error.position())),
        }
    }

    #[test]
    fn any_text_is_read_or_refused(text in names()) {
        match SecretRef::parse(&text) {
            Ok(reference) => prop_assert_eq!(reference.to_string().parse(), Ok(reference)),
            Err(error) => prop_assert!(error.position() <= text.len()),
        }
    }

    #[test]
    fn what_new_makes_reads_back_in_both_forms(
        tenant in names(), group in names(), key in names(),
    ) {
        if let Ok(reference) = SecretRef::new(&tenant, &group, &key) {
            prop_assert_eq!(parts(&reference), [&*tenant, &*group, &*key]);
            prop_assert_eq!(reference.to_string().parse(), Ok(reference.clone()));
            prop_assert_eq!(SecretRef::parse(reference.fqn()), Ok(reference.clone()));
            let json = serde_json::to_string(&reference).unwrap();
            prop_assert_eq!(serde_json::from_str::<SecretRef>(&json).unwrap(), reference);
        }
    }
}
