//! Hostile responses against every decoder: valid ones that were changed, and any bytes.

mod json;
mod lenient;

use proptest::prelude::*;
use serde::de::IgnoredAny;

use super::number::count;
use super::{FromWire, borrowed, owned};
use crate::models::envelope::{Data, Listed};
use crate::models::secret::{Secret, SecretVersion};
use crate::models::secret_group::{DryRunSecretGroup, PartialSecretGroup, SecretGroup};
use crate::models::secret_store::{ProviderAccount, SecretStore};
use crate::models::shared_str::SharedStr;
use json::{CANARY, Change, Json};

/// A decoder's name, a response it accepts, and what it does with a text.
struct Decoder<'a> {
    name: &'a str,
    valid: &'a str,
    /// Decodes in both ways; the models' `Debug`, if it succeeds.
    run: fn(&[u8]) -> Result<String, ()>,
}

const GROUP: &str = r#"{"id":"g-1","fqn":"t:app","tenantName":"t","name":"app","createdBySubject":{"subjectId":"u","subjectType":"user","subjectSlug":"a@b","subjectDisplayName":"A"},"associatedSecrets":[{"id":"s","fqn":"t:app:K","name":"K","createdAt":"2026-01-02T03:04:05Z","createdBySubject":{"subjectId":"u","subjectType":"user"}}],"integrationId":"i","manifest":{"type":"secret-group","name":"app","integration_fqn":"t:x","collaborators":[{"subject":"team:x","role_id":"secret-group-admin"}],"ownedBy":{"account":"a"}},"accountId":"a","createdAt":"2026-01-02T03:04:05Z","updatedAt":"2026-01-02T03:04:05Z"}"#;
const SECRET: &str = r#"{"id":"s","fqn":"t:app:K","name":"K","secretGroupId":"g","value":"c4nary-value-nobody-may-see","createdBySubject":{"subjectId":"u","subjectType":"user"},"createdAt":"2026-01-02T03:04:05Z","updatedAt":"x","secretVersions":[{"id":"v","fqn":"t:app:K:1","version":3.0,"value":"c4nary-value-nobody-may-see","secretId":"s","createdAt":"2026-01-02T03:04:05Z"}],"activeDeploymentsCount":4}"#;
const VERSION: &str = r#"{"id":"v","fqn":"t:app:K:1","version":1,"value":"c4nary-value-nobody-may-see","secretId":"s","createdAt":"2026-01-02T03:04:05Z"}"#;
const STORE: &str = r#"{"id":"i","name":"n","fqn":"t:a:i","type":"secret-store","manifest":{"type":"integration/secret-store/azure/vault","auth_data":{"client_secret":"c4nary-value-nobody-may-see"}},"providerAccountFqn":"t:a","tenantName":"t"}"#;
const ACCOUNT: &str = r#"{"id":"a","integrations":[{"id":"i","manifest":{"type":"x"}}]}"#;

fn decoders() -> [Decoder<'static>; 9] {
    macro_rules! data {
        ($model:ty, $valid:expr) => {
            Decoder {
                name: stringify!($model),
                valid: $valid,
                run: |bytes| both::<Data<$model>>(bytes, |data| format!("{:?}", data.0)),
            }
        };
    }
    macro_rules! listed {
        ($model:ty, $valid:expr) => {
            Decoder {
                name: concat!("list of ", stringify!($model)),
                valid: $valid,
                run: |bytes| both::<Listed<$model>>(bytes, |list| format!("{:?}", list.0)),
            }
        };
    }
    [
        data!(SecretGroup, GROUP),
        data!(DryRunSecretGroup, GROUP),
        data!(Secret, SECRET),
        listed!(SecretGroup, GROUP),
        listed!(PartialSecretGroup, GROUP),
        listed!(Secret, SECRET),
        listed!(SecretVersion, VERSION),
        listed!(SecretStore, STORE),
        Decoder {
            name: "list of accounts",
            valid: ACCOUNT,
            run: |bytes| {
                both::<Data<Vec<ProviderAccount>>>(bytes, |data| {
                    let stores = data.0.into_iter().flat_map(ProviderAccount::into_stores);
                    format!("{:?}", stores.collect::<Vec<_>>())
                })
            },
        },
    ]
}

/// Both ways of decoding must agree; what they say about a failure is a place in the text.
fn both<T: FromWire>(bytes: &[u8], show: fn(T) -> String) -> Result<String, ()> {
    let one = owned::<T>(bytes).map(show);
    if let Ok(text) = std::str::from_utf8(bytes) {
        let other = borrowed::<T>(text.to_owned()).map(show);
        assert_eq!(one.as_ref().ok(), other.as_ref().ok(), "{text}");
        for failure in [one.as_ref().err(), other.as_ref().err()].into_iter().flatten() {
            assert!(failure.line <= bytes.len() + 1 && failure.column <= bytes.len() + 1, "{text}");
        }
    }
    one.map_err(drop)
}

fn wrapped(decoder: &Decoder<'_>) -> Json {
    let item = Json::parse(decoder.valid);
    let is_list = decoder.name.starts_with("list of ");
    let data = if is_list { Json::List(vec![item.clone(), item]) } else { item };
    let page = Json::parse(r#"{"total":2,"offset":0,"limit":100}"#);
    Json::Object(vec![("data".into(), data), ("pagination".into(), page)])
}

#[test]
fn what_is_changed_is_valid_before() {
    for decoder in decoders() {
        let text = wrapped(&decoder).render();
        let shown = (decoder.run)(text.as_bytes());
        assert!(shown.is_ok_and(|shown| !shown.contains(CANARY)), "{}: {text}", decoder.name);
    }
}

#[test]
fn of_fields_that_no_model_has_nothing_is_kept() {
    fn check<T: FromWire>(name: &str, valid: &str, id: fn(&T) -> &SharedStr) {
        let decoder = Decoder { name, valid, run: |_| Err(()) };
        let mut response = wrapped(&decoder);
        response.add_unknown_fields();
        let text = response.render();
        let Listed(list) = borrowed::<Listed<T>>(text.clone()).unwrap();
        let [first, second] = list.items() else { panic!("two of {name}") };
        assert!(id(first).as_str().len() == 1 && id(first) == id(second));
        let kept = id(first).whole_buffer();
        assert!(!kept.contains(CANARY), "{name}: {kept:?}");
        let Listed(list) = owned::<Listed<T>>(text.as_bytes()).unwrap();
        let kept = id(&list.items()[0]).whole_buffer();
        assert!(!kept.contains(CANARY), "{name}, copied: {kept:?}");
    }
    let group = GROUP.replace("g-1", "g");
    check::<SecretGroup>("list of groups", &group, |group| &group.id().0);
    check::<PartialSecretGroup>("list of groups", &group, |group| &group.id().0);
    check::<Secret>("list of secrets", SECRET, |secret| &secret.id().0);
    check::<SecretVersion>("list of versions", VERSION, |version| &version.id().0);
    check::<SecretStore>("list of stores", STORE, |store| &store.id().0);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn changed_answers_are_read_or_refused(
        which in 0_usize..9,
        changes in prop::collection::vec(Change::any(), 1..8),
        cut in prop::option::weighted(0.1, any::<prop::sample::Index>()),
        flip in prop::option::weighted(0.1, (any::<prop::sample::Index>(), any::<u8>())),
    ) {
        let decoder = &decoders()[which];
        let mut response = wrapped(decoder);
        for change in changes {
            change.apply(&mut response);
        }
        let mut bytes = response.render().into_bytes();
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        if let Some((at, byte)) = flip.filter(|_| !bytes.is_empty()) {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        check(decoder, &bytes)?;
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        for decoder in decoders() {
            check(&decoder, &bytes)?;
        }
    }

    #[test]
    fn any_signs_of_json_are_read_or_refused(
        text in r#"([{}\[\]:,"\\ nul0-9eE.+-]|true|null|"data":|"id":|"value":){0,60}"#
    ) {
        for decoder in decoders() {
            check(&decoder, text.as_bytes())?;
        }
    }

    #[test]
    fn a_count_is_a_whole_number_and_nothing_else(
        text in r#"(0|-?[1-9][0-9]{0,25}|-?[0-9]\.[0-9]{1,3}|[0-9]e[0-9]{1,2}|\[[0-9],"a"\]|"3"|null|true|\{"count":3\})"#
    ) {
        let theirs = serde_json::from_str::<serde_json::Value>(&text).unwrap();
        let whole = theirs.as_u64().or_else(|| {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "whole")]
            theirs.as_f64().filter(|n| n.fract() == 0.0 && (0.0..9e15).contains(n)).map(|n| n as u64)
        });
        let ours = count(text.as_bytes()).unwrap();
        if theirs.as_f64().is_none_or(|number| number.abs() < 9e15) {
            prop_assert_eq!(ours, whole, "{}", text);
        }
    }
}

fn check(decoder: &Decoder<'_>, bytes: &[u8]) -> Result<(), TestCaseError> {
    let shown = (decoder.run)(bytes);
    let is_json = std::str::from_utf8(bytes)
        .is_ok_and(|text| serde_json::from_str::<IgnoredAny>(text).is_ok());
    let text = String::from_utf8_lossy(bytes);
    prop_assert!(is_json || shown.is_err(), "{}: not JSON, but taken: {}", decoder.name, text);
    prop_assert!(is_json || count(bytes).is_err(), "not JSON, but counted: {}", text);
    if let Ok(shown) = shown {
        prop_assert!(!shown.contains(CANARY), "{}: {}", decoder.name, shown);
    }
    Ok(())
}
