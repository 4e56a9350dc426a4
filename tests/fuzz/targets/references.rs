//! Any text: references are found and parsed, and each one can be printed and parsed again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use truefoundry_secrets::{SecretRef, SecretStoreKind, find_refs, rewrite_refs};

fuzz_target!(|text: &str| {
    for found in find_refs(text) {
        let range = match &found {
            Ok(found) => {
                let again: SecretRef = found.reference().to_string().parse().unwrap();
                assert_eq!(&again, found.reference());
                assert!(!again.as_str().contains(|c: char| c.is_control() || c == '\u{a0}'));
                found.range()
            }
            Err(malformed) => malformed.range(),
        };
        assert!(text.get(range).is_some());
    }
    let same = rewrite_refs(text, |found| Some(found.reference().clone()));
    assert_eq!(same.as_deref(), Ok(text));
    let new = SecretRef::new("t", "a group", "it's/\"k\"").unwrap();
    if let Ok(rewritten) = rewrite_refs(text, |_| Some(new.clone())) {
        let found = |text: &str| find_refs(text).filter(Result::is_ok).count();
        assert_eq!(found(&rewritten), found(text));
        assert!(find_refs(&rewritten).flatten().all(|found| *found.reference() == new));
    }
    if let Ok(reference) = SecretRef::parse(text) {
        assert_eq!(SecretRef::parse(reference.as_str()), Ok(reference.clone()));
        // A bare name whose group begins with a slash could be a URL, and is refused.
        if !reference.group().starts_with('/') {
            assert_eq!(SecretRef::parse(reference.fqn()), Ok(reference));
        }
    }
    for store in [SecretStoreKind::AzureVault, SecretStoreKind::AwsParameterStore] {
        if let Some(name) = store.suggest_key(text) {
            assert!(store.check_key(&name).is_ok(), "{name}");
        }
    }
});
