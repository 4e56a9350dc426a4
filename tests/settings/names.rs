//! Which key is for which field.

use serde::Deserialize;
use truefoundry_secrets::SecretValue;

use crate::{map, problems};

#[derive(Debug, Deserialize)]
struct Settings {
    db_password: SecretValue,
}

#[track_caller]
fn password<const N: usize>(pairs: [(&str, &str); N]) -> String {
    map(pairs).deserialize::<Settings>().unwrap().db_password.expose_secret().to_owned()
}

#[test]
fn an_exact_match_wins_and_only_a_name_without_one_is_compared_loosely() {
    for key in ["db_password", "DB_PASSWORD", "DB-PASSWORD", "Db.Password"] {
        assert_eq!(password([(key, "x")]), "x");
    }
    for pairs in [
        [("DB-PASSWORD", "loose"), ("db_password", "exact")],
        [("db_password", "exact"), ("DB_PASSWORD", "loose")],
    ] {
        assert_eq!(password(pairs), "exact");
    }
}

#[test]
fn two_loose_candidates_are_an_error_that_names_both() {
    let values = map([("DB-PASSWORD", "one"), ("DB_PASSWORD", "two")]);
    let error = values.deserialize::<Settings>().unwrap_err();
    let wanted = "invalid settings (invalid: DB-PASSWORD and DB_PASSWORD (expected only one key for \
                  db_password))";
    assert_eq!(error.to_string(), wanted);
}

#[derive(Debug, Deserialize)]
#[allow(dead_code)]
struct Aliased {
    #[serde(alias = "api-key", alias = "token")]
    api_key: SecretValue,
}

/// serde passes aliases as separate names, so both match a key that looks like either.
#[test]
fn candidates_for_a_field_and_its_alias_are_one_problem() {
    let error = map([("API_KEY", "one"), ("API.KEY", "two")]).deserialize::<Aliased>().unwrap_err();
    let (missing, invalid, incomplete) = problems(&error);
    assert_eq!(invalid.len(), 1, "{error}");
    assert_eq!(invalid[0].0, "API_KEY and API.KEY");
    assert!(missing.is_empty() && !incomplete, "{error}");
    for key in ["api_key", "API-KEY", "TOKEN", "token"] {
        map([(key, "x")]).deserialize::<Aliased>().unwrap();
    }
}

#[test]
fn a_field_and_its_alias_in_two_keys_are_refused() {
    for pairs in [[("api_key", "one"), ("token", "two")], [("API_KEY", "one"), ("TOKEN", "two")]] {
        let error = map(pairs).deserialize::<Aliased>().unwrap_err();
        let (_, invalid, incomplete) = problems(&error);
        assert_eq!(invalid, [(pairs[1].0.to_owned(), "only one key for api_key".to_owned())]);
        assert!(!incomplete, "{error}");
    }
}

#[derive(Debug, Deserialize)]
#[allow(dead_code)]
#[serde(deny_unknown_fields)]
struct Strict {
    db_password: SecretValue,
    port: u16,
}

#[test]
fn unknown_keys_are_passed_on_to_those_that_deny_them() {
    map([("DB-PASSWORD", "x"), ("PORT", "1")]).deserialize::<Strict>().unwrap();
    map([("DB-PASSWORD", "x"), ("OTHER", "1")]).deserialize::<Settings>().unwrap();
    let values = map([("OTHER", "1"), ("DB-PASSWORD", "x"), ("MORE", "2"), ("PORT", "x")]);
    let (missing, invalid, incomplete) = problems(&values.deserialize::<Strict>().unwrap_err());
    assert!(missing.is_empty() && !incomplete);
    let unknown = |key: &str| (key.to_owned(), "no key of this name".to_owned());
    let wanted = [unknown("OTHER"), unknown("MORE"), ("PORT".to_owned(), "u16".to_owned())];
    assert_eq!(invalid, wanted);
}

/// Each unknown key costs a pass over all of them.
#[test]
fn a_group_of_keys_that_are_all_unknown_ends() {
    let values: truefoundry_secrets::SecretMap =
        (0..2_000).map(|n| (format!("UNKNOWN-{n}"), "x")).collect();
    let (_, invalid, incomplete) = problems(&values.deserialize::<Strict>().unwrap_err());
    assert!(incomplete && (100..1_000).contains(&invalid.len()), "{}", invalid.len());
}

#[derive(Debug, Deserialize)]
struct Flat {
    #[serde(flatten)]
    inner: Settings,
}

#[test]
fn beside_flatten_names_are_exact() {
    let flat: Flat = map([("db_password", "x")]).deserialize().unwrap();
    assert_eq!(flat.inner.db_password.expose_secret(), "x");
    let error = map([("DB-PASSWORD", "x")]).deserialize::<Flat>().unwrap_err();
    assert_eq!(problems(&error), (vec!["db_password".to_owned()], vec![], false));
}
